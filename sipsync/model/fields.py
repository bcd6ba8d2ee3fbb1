"""The managed fields of a SIP line, one row each.

Diff, wire names, bounds, masks, what an add needs and whether a change re-registers the line are read from the row.
So a new managed field is two edits: here its name and its row, and in `config/schema.py` the key of a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

FieldName = Literal["title", "server", "login", "password"]
LineType = Literal["cloud", "office"]
CurrentType = Literal["cloud", "office", "other"]
"""As a portal has it: a line of another type is told, and never written."""
LINE_TYPES: tuple[LineType, ...] = get_args(LineType)


@dataclass(frozen=True, slots=True)
class Field:
    """One managed field."""

    name: FieldName
    wire: str
    """The parameter's name in the REST API."""
    words: str
    """What the server calls it when it refuses a value."""
    max_length: int
    """In characters. Longer values are refused or silently dropped by the server (read in its source)."""
    required: bool = False
    """An add has to give it, and an update may not empty it (server source)."""
    registers: bool = False
    """Sending it makes the server register a cloud line anew, even if the value is unchanged (server source)."""
    secret: bool = False


FIELDS: dict[FieldName, Field] = {
    field.name: field
    for field in (
        Field("title", "TITLE", "Title", 255),
        Field("server", "SERVER", "Server address", 100, required=True, registers=True),
        Field("login", "LOGIN", "Server login", 100, required=True, registers=True),
        Field("password", "PASSWORD", "Server password", 100, registers=True, secret=True),
    )
}
SHOWN: tuple[FieldName, ...] = tuple(name for name, field in FIELDS.items() if not field.secret)
"""The fields whose values may be shown."""
SECRET: tuple[FieldName, ...] = tuple(name for name, field in FIELDS.items() if field.secret)
NEEDED: tuple[FieldName, ...] = ("title", *(name for name, field in FIELDS.items() if field.required))
"""The fields that a file has to give of a line that is to be made."""
REGISTERING: tuple[FieldName, ...] = tuple(name for name, field in FIELDS.items() if field.registers)
