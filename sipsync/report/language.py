"""The language that people read. The English text is the key; a catalogue of gettext has the other languages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

from sipsync.model.message import Message

if TYPE_CHECKING:
    from gettext import NullTranslations

Language = Literal["en", "ru"]


def translate(text: str, lang: Language) -> str:
    """The text in a language; in English where that has no word for it. English opens no catalogue."""
    return text if lang == "en" else _catalogue(lang).gettext(text)


def in_language(message: Message, lang: Language) -> str:
    """The message in a language, the messages among its values too."""
    if lang == "en":
        return message
    template = translate(message.template, lang)
    values = {name: in_language(v, lang) if isinstance(v, Message) else v for name, v in message.values.items()}
    return template.format_map(values) if values else template


@cache
def _catalogue(lang: Language) -> NullTranslations:
    from gettext import translation
    from importlib.resources import files

    # A checkout that was not installed has no compiled catalogue.
    return translation("sipsync", str(files("sipsync") / "locale"), [lang], fallback=True)
