"""How the server reads values: it is PHP, where anything may become a text or a number (measured on PHP 8.2).

Arrays and JSON objects are dicts here, with whole numbers and texts as keys, as PHP has only one kind of array.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Array: TypeAlias = "dict[int | str, Any]"

BLANKS = " \t\n\r\0\x0b"
"""What PHP's trim takes off; a no-break space stays."""

_WHITE = " \t\n\r\v\f"
_NUMBER = re.compile(r"[ \t\n\r\v\f]*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_KEY = re.compile(r"0|-?[1-9][0-9]{0,18}")
_UPPER = {place: place - 32 for place in range(ord("a"), ord("z") + 1)}
LARGEST = 2**63
"""The first whole number that is none."""


class Crash(Exception):
    """A TypeError inside the server: it answers HTTP 500 without JSON; what was written before stays (measured)."""


def text(value: object) -> str:
    """The value where a text belongs."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, dict):
        raise Crash("an array where a text belongs")
    return "" if value is None else str(value)


def _float(value: float) -> str:
    shown = f"{value:.14G}"
    if "E" not in shown:
        return shown
    mantissa, exponent = shown.split("E")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{exponent[0]}{exponent[1:].lstrip('0')}"


def integer(value: object) -> int:
    """The value where a whole number belongs: "101abc", " 101 " and 101.9 are 101, an array that is not empty is 1."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, dict):
        return int(bool(value))
    if isinstance(value, float):
        return _wrapped(int(value)) if math.isfinite(value) else 0
    found = _NUMBER.match(value) if isinstance(value, str) else None
    if found is None:
        return 0
    number = found.group()
    if number.strip(_WHITE).lstrip("+-").isdigit():
        return _capped(int(number))
    value = float(number)
    return _capped(int(value)) if math.isfinite(value) else 0


def _wrapped(number: int) -> int:
    return (number + LARGEST) % (2 * LARGEST) - LARGEST


def _capped(number: int) -> int:
    return max(-LARGEST, min(number, LARGEST - 1))


def is_true(value: object) -> bool:
    """The value where a condition stands: the texts "" and "0" are false, "false" is true."""
    return bool(value) and value != "0"


def is_numeric(value: object) -> bool:
    """Whether PHP takes the value for a number."""
    if isinstance(value, str):
        found = _NUMBER.match(value)
        return found is not None and not value[found.end() :].strip(_WHITE)
    return isinstance(value, int | float) and not isinstance(value, bool)


def key(name: str) -> int | str:
    """A text as an array's key: a plain whole number becomes one."""
    if _KEY.fullmatch(name) and -LARGEST <= int(name) < LARGEST:
        return int(name)
    return name


def upper_keys(array: Mapping[Any, Any]) -> dict[Any, Any]:
    """The array with its names in ASCII capitals; of equal ones the last value wins."""
    return {name.translate(_UPPER) if isinstance(name, str) else name: value for name, value in array.items()}
