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
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs by their category that are nothing to the eye."""


def script(character: str) -> str:
    """The script of a letter, as in "Cyrillic"; "" for what is no letter of a script that has look-alikes."""
    first = unicodedata.name(character, "").partition(" ")[0]
    return first.capitalize() if first in _SCRIPTS and character.isalpha() else ""


def stranger(text: str) -> int | None:
    """Where the first letter stands that is not of the script that most letters are of."""
    if text.isascii():  # most are, and the name of each letter is dear
        return None
    scripts = [script(character) for character in text]
    most = Counter(filter(None, scripts)).most_common(1)
    return next((index for index, name in enumerate(scripts) if name and name != most[0][0]), None)


def unseen(text: str) -> int | None:
    """Where the first character stands that can't be seen, or is a blank other than the common one."""
    if text.isprintable() and _BLANK.isdisjoint(text):
        return None
    return next(index for index, character in enumerate(text) if is_unseen(character))


def is_unseen(character: str) -> bool:
    """Whether the eye can't see a character, or not tell it from a blank."""
    return not character.isprintable() or character in _BLANK


def same_to_the_eye(one: str, other: str) -> bool:
    """Whether two texts that differ look the same."""
    return one != other and _seen(one) == _seen(other)


def _seen(text: str) -> str:
    return "".join(
        " " if unicodedata.category(character) == "Zs" else character
        for character in unicodedata.normalize("NFKC", text).translate(_TWINS)
        if unicodedata.category(character) == "Zs" or not is_unseen(character)
    )
