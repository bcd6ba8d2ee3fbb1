"""The name that somebody meant, among those that there are; letter case does not count."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from sipsync.model.message import Message

_LONGEST = 100
"""Characters of a name; comparing takes the square of them, and what is longer is no slip."""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most like this one; None where none is like it."""
    if len(name) > _LONGEST:
        return None
    names = {each.lower(): each for each in known if len(each) <= _LONGEST}
    near = get_close_matches(name.lower(), sorted(names), 1, cutoff)
    return names[near[0]] if near else None


def did_you_mean(name: str, known: Iterable[str], otherwise: Message, cutoff: float = 0.6) -> Message:
    """The hint that names the nearest of the known names, or the other one where none is near."""
    near = nearest(name, known, cutoff)
    return Message('Did you mean "{near}"?', near=near) if near else otherwise
