"""In what GitHub and GitLab differ where it is about comments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sipsync.forge.http import Hints
    from sipsync.forge.target import Target


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one forge wants to be asked."""

    comments: Callable[[Target], str]
    """The path of a request's comments."""
    comment: Callable[[Target, int], str]
    """The path of one of them."""
    edit: str
    """The method that changes one."""
    oldest_first: Mapping[str, str]
    """What to add to a listing for this order."""
    header: Callable[[Target], tuple[str, str]]
    """Where the token goes: a header, and what stands there before the token."""
    author: str
    """The key of a comment's author."""
    name: str
    """The key of an author's unique name."""
    writable: Callable[[Mapping[str, Any]], bool]
    """Whether a comment may be ours where the forge does not tell who we are."""
    hints: Hints
