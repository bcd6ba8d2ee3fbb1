"""The language that people read. The English text is the key; a catalogue of gettext has the other languages."""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations, translation
from importlib.resources import files
from typing import Literal

Language = Literal["en", "ru"]


def translate(text: str, lang: Language) -> str:
    """The text in a language; in English where that has no word for it. English opens no catalogue."""
    return text if lang == "en" else _catalogue(lang).gettext(text)


@cache
def _catalogue(lang: Language) -> NullTranslations:
    # A checkout that was not installed has no compiled catalogue.
    return translation("sipsync", str(files("sipsync") / "locale"), [lang], fallback=True)
