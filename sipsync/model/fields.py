"""The managed fields of a SIP line, one row each.

Diff, wire names, bounds, masks and "does this re-register the line" are all read from here, so that a new managed
field is a new row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

FieldName = Literal["title", "server", "login", "password"]
LineType = Literal["cloud", "office"]
FIELD_NAMES: tuple[FieldName, ...] = get_args(FieldName)
LINE_TYPES: tuple[LineType, ...] = get_args(LineType)


@dataclass(frozen=True, slots=True)
class Field:
    """One managed field."""

    name: FieldName
    wire: str
    """The parameter's name in the REST API."""
    max_length: int
    """In characters. Longer values are refused or silently dropped by the server (read in its source)."""
    registers: bool
    """Sending it makes the server register a cloud line anew, even if the value is unchanged (server source)."""
    secret: bool = False


FIELDS: dict[FieldName, Field] = {
    field.name: field
    for field in (
        Field("title", "TITLE", 255, registers=False),
        Field("server", "SERVER", 100, registers=True),
        Field("login", "LOGIN", 100, registers=True),
        Field("password", "PASSWORD", 100, registers=True, secret=True),
    )
}
