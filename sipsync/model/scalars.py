"""Scalars of a file, in which each is text, as the values that classes of the model hold.

A class whose fields have these types can be read from a file as it is. pydantic asks a type for its check once it reads
a file, so that a class costs no import of it before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeAlias

from sipsync.model.globs import LONGEST
from sipsync.model.message import Message
from sipsync.model.problems import Code

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

SECTION: Mapping[str, Any] = {"extra": "forbid", "use_attribute_docstrings": True}
"""`__pydantic_config__` of a class that is a part of a file: no other keys, each explained by its docstring."""

_NUMBER = re.compile("[0-9]{1,15}")
TEXT = ["string", "number", "boolean"]
"""Editors take 0045281811 for a number, where sipsync reads text."""


@dataclass(frozen=True, slots=True, eq=False)
class FromText:
    """How a text becomes a value. `bounds` are pydantic's for the value, `shown` is what editors are told besides."""

    check: Callable[[str], object]
    bounds: Mapping[str, object] = field(default_factory=dict)
    shown: Mapping[str, object] = field(default_factory=dict)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        value: Any = {**handler(source), **self.bounds}
        return core_schema.no_info_before_validator_function(
            lambda given: self.check(given) if isinstance(given, str) else given, value
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), **self.shown}


def wrong(code: Code, summary: Message, hint: Message, index: int | None = None) -> NoReturn:
    """Tells pydantic what is wrong in our words, and at which character; `config.findings` puts the place to it."""
    from pydantic_core import PydanticCustomError

    raise PydanticCustomError(code.value, "{summary}", {"summary": summary, "hint": hint, "index": index})


def trimmed(text: str) -> str:
    """The text, unless the server would store another one."""
    if text != text.strip() or text != text.strip("\0"):
        summary = Message("white space at the beginning or end")
        wrong(Code.WHITE_SPACE, summary, Message("Remove it: the server does not store it."))
    return text


def _switch(text: str) -> str:
    if text not in ("true", "false"):
        wrong(Code.BAD_VALUE, Message("neither true nor false"), Message("Write true or false."))
    return text


def number(text: str) -> str:
    """The text, if it is a whole number."""
    if not _NUMBER.fullmatch(text):
        wrong(Code.BAD_VALUE, Message("not a whole number"), Message("Write digits only, as in 69."))
    return text


def _decimal(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        wrong(Code.BAD_VALUE, Message("not a number"), Message("Write a number, as in 2 or 0.5."))
    return text


def _day(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    wrong(Code.BAD_VALUE, Message("not a date"), Message("Write year, month and day, as in 2026-12-31."))


def _share(text: str) -> str:
    if not re.fullmatch("[0-9]{1,9}%?", text) or (int(text.rstrip("%")) > 100 and text.endswith("%")):
        summary = Message("neither a number nor a percentage")
        wrong(Code.BAD_VALUE, summary, Message("Write how many (3) or a share (30%)."))
    return text


Words: TypeAlias = Annotated[str, FromText(trimmed, {"min_length": 1, "max_length": LONGEST}, {"type": TEXT})]
Switch: TypeAlias = Annotated[bool, FromText(_switch)]
Number: TypeAlias = Annotated[int, FromText(number, {"ge": 1})]
Decimal: TypeAlias = Annotated[float, FromText(_decimal, {"gt": 0})]
Day: TypeAlias = Annotated[date, FromText(_day)]
Share: TypeAlias = Annotated[
    str, FromText(_share, shown={"type": ["string", "integer"], "pattern": "^[0-9]+%?$", "minimum": 0})
]
