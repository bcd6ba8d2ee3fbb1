"""The names of schemes: ours are in `model.secret`, others among the entry points `sipsync.secrets` of packages.

Installed packages are searched only for a name that is not ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from functools import cache
from typing import TYPE_CHECKING

from sipsync.model.secret import SCHEMES

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class KnownSchemes(Set[str]):
    """The names that references may begin with."""

    def __contains__(self, name: object) -> bool:
        return name in SCHEMES or name in plugins()

    def __iter__(self) -> Iterator[str]:
        return iter({**SCHEMES, **plugins()})

    def __len__(self) -> int:
        return len({**SCHEMES, **plugins()})


@cache
def plugins() -> Mapping[str, EntryPoint]:
    """The schemes of installed packages, by name."""
    from importlib.metadata import entry_points  # dear, and most runs do not need it

    return {entry.name: entry for entry in entry_points(group="sipsync.secrets")}
