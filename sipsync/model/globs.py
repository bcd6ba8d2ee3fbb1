"""Globs of names. Each is made into a pattern once, and none that is longer than any name needs."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import Final

LONGEST: Final = 1024
"""Four times the longest title: each of its characters may be written `[x]`."""


def fits(name: str, glob: str) -> bool:
    """Whether a name is one that the glob means, letter case included."""
    return len(glob) <= LONGEST and _pattern(glob).match(name) is not None


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))
