"""Texts as YAML scalars that every reader takes for the same text: PyYAML (YAML 1.1), YAML 1.2, ruamel.yaml."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = (
    r"[-+]?(?:0x[0-9a-f_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_]*(?::[0-9_]+)*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?"
    r"|\.[0-9_]+(?:e[-+]?[0-9]+)?|\.inf|\.nan)"
)
_WORD = r"y|n|yes|no|on|off|true|false|null|~|=|<<|"
_TIME = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t \t].*)?"
_NOT_TEXT = re.compile(f"(?:{_NUMBER}|{_WORD}|{_TIME})", re.IGNORECASE)
_PLAIN = re.compile(r"[^\W_](?:[\w .()/@+«»№–-]|:(?=[\w/]))*(?<! )")
_JOINERS = "\u200c\u200d"
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def ambiguous(plain: str) -> bool:
    """Whether a scalar without quotes is a number, a date, a switch or nothing to some reader."""
    return _NOT_TEXT.fullmatch(plain) is not None


def scalar(text: str) -> str:
    """The text in one line, in double quotes where it needs any."""
    return text if _PLAIN.fullmatch(text) and not ambiguous(text) else quoted(text)


def quoted(text: str) -> str:
    """The text in double quotes; what can't be seen is written as an escape."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    category = unicodedata.category(char)
    if char == " " or (category[0] not in "CZ") or char in _JOINERS:
        return char
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
