"""Foreign text made harmless: a title is shown, never interpreted.

Every format for people shows texts through `visible` first, so that no control character, terminal escape or mark that
turns the direction of writing ever leaves the program. What a format itself gives a meaning to, it escapes itself.
"""

from __future__ import annotations

import re
import unicodedata

from sipsync.model.lookalike import is_unseen, unseen

RUNNER_COMMAND = re.compile(r"#(?=#(?:\[|vso\[|teamcity\[))")
"""How CI runners take commands from anywhere in a line of a job's log (their older syntax)."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text with everything that the eye can't see, or a terminal would obey, as a visible escape."""
    if "##" in text:
        text = RUNNER_COMMAND.sub(r"\\x23", text)
    if unseen(text) is None:
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if not is_unseen(character):
        return character
    code = ord(character)
    if code < 0x100:
        return _SHORT.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quoted(text: str) -> str:
    """The text in double quotes; what is inside can't end them."""
    return f'"{visible(text.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34)))}"'


def columns(text: str) -> int:
    """How many columns of a terminal a visible text takes."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
