"""What the variables of an environment switch on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_OFF: Final = frozenset({"", "0", "false", "no", "off"})


def is_on(environ: Mapping[str, str], name: str) -> bool:
    """Whether a variable switches something on: whatever it says but no, off, false or 0."""
    return environ.get(name, "").strip().lower() not in _OFF


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether this is an unattended job."""
    return is_on(environ, "CI")
