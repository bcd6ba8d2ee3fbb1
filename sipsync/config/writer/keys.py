"""What lines are called that a file does not have yet: by their config_id, or after their titles."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from sipsync.model.lines import CurrentLine

_LONGEST: Final = 60
_LETTERS: Final = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэіў", "abvgdeziyklmnoprstufyeiu", strict=True))
    | dict(ё="yo", ж="zh", х="kh", ц="ts", ч="ch", ш="sh", щ="shch", ъ="", ь="", ю="yu", я="ya", ї="yi", є="ye", ґ="g")
    | dict(ә="a", ғ="g", қ="q", ң="n", ө="o", ұ="u", ү="u", һ="h", ß="ss", æ="ae", ø="o", ł="l", đ="d", ı="i")
)
"""Cyrillic as passports of the UN's rules have it, nearly, and Latin letters that are no letter with a mark."""


@dataclass(frozen=True, slots=True)
class LineChoice:
    """Which lines of a portal an import is about, and what those that are new to the file are called."""

    by_title: bool = False
    selects: Callable[[str], bool] = lambda _key: True
    """Whether the line of this key is meant."""


ALL_LINES: Final = LineChoice()


def slug(title: str) -> str:
    """A key that says what a title does: `otdel-prodazh` of `Отдел продаж`; "" where nothing of it can be said."""
    text = unicodedata.normalize("NFC", title).lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain)[:_LONGEST].strip("-")


def new_keys(lines: Iterable[CurrentLine], taken: Collection[str], *, by_title: bool) -> dict[int, str]:
    """The keys of these lines, by config_id, each once; a line that no file can have gets none."""
    keys: dict[int, str] = {}
    used, turns = {key.lower() for key in taken}, Counter[str]()
    for line in lines:
        if line.type == "other":
            continue
        base = (slug(line.title) if by_title else "") or f"line-{line.config_id}"
        key = base
        while key in used:
            turns[base] += 1
            key = f"{base}-{turns[base] + 1}"
        used.add(key)
        keys[line.config_id] = key
    return keys
