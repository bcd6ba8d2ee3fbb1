"""Words for people that can still be translated: an English template and its values, joined where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class Message(str):
    """`Message("the title {title} is taken", title=…)`: English as a text; whoever shows it may ask for more.

    Braces count only where values are given. A value may be a message itself.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str = "", /, **values: object) -> Self:
        """The English text, which remembers what it was made from."""
        message = super().__new__(cls, template.format_map(values) if values else template)
        message.template, message.values = template, values
        return message

    def __reduce__(self) -> tuple[object, ...]:
        return _remade, (self.template, dict(self.values))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In documents it is a text: written in English, and read as a template without values."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(
            lambda text: text if isinstance(text, cls) else cls(text), handler(str)
        )


def counted(count: int, one: str, many: str, /, **values: object) -> Message:
    """The text for 1, or the one for any other number, which is `{count}` in it."""
    return Message(one if count == 1 else many, count=count, **values)


def _remade(template: str, values: Mapping[str, object]) -> Message:
    return Message(template, **values)
