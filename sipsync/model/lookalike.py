"""What the eye can't tell apart: letters of scripts that look alike, and characters that nobody sees."""

from __future__ import annotations

import unicodedata
from collections import Counter

_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")
_TWINS = str.maketrans(
    "асԁеһіјӏорԛѕхуԝАВСԌЕНІЈКМОРЅТХҮУԜ" + "αικνορυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "acdehijlopqsxywABCGEHIJKMOPSTXYYW" + "aiknopuxABEZHIKMNOPTYX",
)
"""Cyrillic and Greek letters to the Latin ones that they look like."""


def script(character: str) -> str:
    """The script of a letter, as in "Cyrillic"; "" for what is no letter of a script that has look-alikes."""
    first = unicodedata.name(character, "").partition(" ")[0]
    return first.capitalize() if first in _SCRIPTS and character.isalpha() else ""


def stranger(text: str) -> int | None:
    """Where the first letter stands that is not of the script that most letters are of."""
    scripts = [script(character) for character in text]
    most = Counter(filter(None, scripts)).most_common(1)
    return next((index for index, name in enumerate(scripts) if name and name != most[0][0]), None)


def unseen(text: str) -> int | None:
    """Where the first character stands that can't be seen, or is a blank other than the common one."""
    return next((index for index, character in enumerate(text) if _is_unseen(character)), None)


def _is_unseen(character: str) -> bool:
    return not character.isprintable() or character in "\u115f\u1160\u2800\u3164\uffa0"


def same_to_the_eye(one: str, other: str) -> bool:
    """Whether two texts that differ look the same."""
    return one != other and _seen(one) == _seen(other)


def _seen(text: str) -> str:
    return "".join(
        " " if unicodedata.category(character) == "Zs" else character
        for character in unicodedata.normalize("NFKC", text).translate(_TWINS)
        if unicodedata.category(character) == "Zs" or not _is_unseen(character)
    )
