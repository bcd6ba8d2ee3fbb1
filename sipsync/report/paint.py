"""Terraform's colours as plain terminal codes, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass

_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "90"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Paints text that `visible` has already made harmless."""

    on: bool

    def __call__(self, look: str, text: str) -> str:
        """The text in a look such as `red bold`."""
        if not self.on or not text:
            return text
        return f"\x1b[{';'.join(_CODES[word] for word in look.split())}m{text}\x1b[0m"


MARK_LOOKS = {"+": "green", "~": "yellow", "-": "red"}
