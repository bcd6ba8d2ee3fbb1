"""One condition of a filter: a column's value against what was asked, under the database's collation.

A test gives True, False, or None for SQL's NULL. Operators go by the short names of the server's SQL layer: `I` equal,
`E` like, `S` has, `M` like without a change of case, their opposites with an `N` before, and orders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sipsync.rules.errors import Refusal
from sipsync.rules.php import integer, text
from sipsync.rules.values import title_key, weights
from sipsync.sandbox.asking import Unbalanced, asked

Test: TypeAlias = Callable[[Any], "bool | None"]

_LAST_OF_PLANE = "\uffff"
_SHORTEST_WORD = 3
"""What the full-text search takes for a word."""
_ALIKE, _UNLIKE = ("I", "E", "S", "M"), ("NI", "N", "NS", "NM")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "G": lambda a, b: bool(a > b),
    "L": lambda a, b: bool(a < b),
    "GE": lambda a, b: bool(a >= b),
    "LE": lambda a, b: bool(a <= b),
}


class Refused(Exception):
    """The server's SQL layer says no."""

    def __init__(self, code: str, status: int, text: str, argument: str | None = None) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, status, text, argument)


def no_sql() -> Refused:
    """The database can't read what was made of a filter."""
    return Refused("ERROR_CORE", 500, "SQL query error!")


def of_integer(operator: str, value: Any) -> Test | None:
    """What a column of whole numbers is compared with; None where the operator makes no condition."""
    many = isinstance(value, dict)
    values = {place: integer(item) for place, item in (value if isinstance(value, dict) else {0: value}).items()}
    numbers = set(values.values())
    # SQL's NULL: 0 stands for it as well, except with `==`, and a list without 0 counts as not having it.
    if operator in (*_ALIKE, "SE"):
        null = True if 0 in numbers and (many or operator != "SE") else False if many else None
        return lambda found: null if found is None else found in numbers
    if operator in _UNLIKE:
        unless_null = False if 0 in numbers else None if numbers else True
        return lambda found: unless_null if found is None else found not in numbers
    return _compared(operator, values, lambda found: found)


def _compared(operator: str, values: Mapping[int | str, Any], sortable: Callable[[Any], Any]) -> Test | None:
    """Greater, less, between, in: the same for numbers and texts."""
    if operator in _ORDERS:
        if 0 not in values:
            return lambda found: False
        bound, compare = sortable(values[0]), _ORDERS[operator]
        return lambda found: None if found is None else compare(sortable(found), bound)
    if operator in ("B", "NB"):
        if len(values) < 2:
            return None
        if 0 not in values or 1 not in values:
            raise no_sql()
        low, high = sortable(values[0]), sortable(values[1])
        return lambda found: None if found is None else (low <= sortable(found) <= high) == (operator == "B")
    if operator in ("IN", "NIN"):
        chosen = {sortable(value) for value in values.values()}
        if not chosen:
            if operator == "NIN":
                raise no_sql()
            return lambda found: False
        return lambda found: None if found is None else (sortable(found) in chosen) == (operator == "IN")
    return None


def of_text(operator: str, value: Any) -> Test | None:
    """What a column of texts is compared with; None where the operator makes no condition."""
    many = isinstance(value, dict)
    items = value.values() if isinstance(value, dict) else [value]
    values = ["Array" if isinstance(item, dict) else text(item) for item in items]
    if operator in (*_ALIKE, *_UNLIKE):
        if not many and values == [""]:
            if operator in _ALIKE:
                return lambda found: found is None or title_key(found) == ""
            return lambda found: found is not None and found != ""
        return _alike(operator, values or [""], many=many)
    if operator == "?":
        return None if many or values == [""] else _asked(values[0])
    if operator == "FTL":
        return _words(values)
    if operator == "FT":
        if not any(len(word) >= _SHORTEST_WORD for item in values for word in re.findall(r"\w+", item)):
            return None
        raise no_sql()  # there is no full-text index
    keyed = dict(zip(value, values, strict=True)) if isinstance(value, dict) else {0: values[0]}
    return _compared(operator, keyed, sort_key)


def _asked(query: str) -> Test:
    def contains(word: str) -> Callable[[str | None], bool]:
        like = _like("%" + _upper(word).replace("\\", "\\\\") + "%")
        return lambda found: found is not None and like(_upper(found))

    try:
        return asked(query, contains)
    except Unbalanced:
        raise no_sql() from None


def _words(alternatives: list[str]) -> Test | None:
    """One of the alternatives, each with all its words."""
    tests = [[_contains(word) for word in words] for found in alternatives if (words := found.split())]
    if not tests:
        return None
    return lambda found: None if found is None else any(all(test(found) for test in words) for words in tests)


def _alike(operator: str, values: list[str], *, many: bool) -> Test:
    """Equality, LIKE and substring, and their opposites; without an operator, digits alone are compared with `=`."""
    digits = values[0].isascii() and values[0].isdigit()
    if operator in ("I", "NI") or (operator in ("E", "M") and digits and not many):
        keys = {title_key(value) for value in values}
        if operator == "NI":
            return lambda found: found is None or title_key(found) not in keys
        return lambda found: None if found is None else title_key(found) in keys
    if operator in ("S", "NS"):
        tests = [_contains(value.upper()) for value in values]  # as PHP does, whose capitals of one letter may be two
    else:
        tests = [_like(value if operator in ("M", "NM") else _upper(value)) for value in values]
    shown = str if operator in ("M", "NM") else _upper
    wanted = operator in ("E", "M", "S")
    return lambda found: None if found is None else any(test(shown(found)) for test in tests) == wanted


def _upper(value: str) -> str:
    """The text in capitals as the database has them: of one character always one."""
    return "".join(upper if len(upper := char.upper()) == 1 else char for char in value)


def _coded(value: str) -> str:
    """The weights of the characters, each with an end: LIKE compares character by character (server source, run).

    Beyond the basic plane, where all weigh the same, it tells them apart.
    """
    pairs = zip(value, weights(value), strict=True)
    return "".join(f"{char if char > _LAST_OF_PLANE else weight}\0" for char, weight in pairs)


def _contains(value: str) -> Callable[[str], bool]:
    wanted = f"\0{_coded(value)}"
    return lambda found: wanted in f"\0{_coded(found)}"


_CHAR = "[^\0]*\0"


def _like(pattern: str) -> Callable[[str], bool]:
    """SQL's LIKE under the collation: `%`, `_` and the backslash are not escaped by the server."""
    parts = [""]
    chars = iter(pattern)
    for char in chars:
        if char == "%":
            parts.append("")
        elif char == "_":
            parts[-1] += _CHAR
        else:
            parts[-1] += re.escape(_coded(next(chars, "\\") if char == "\\" else char))
    first, *others = parts
    if others:
        # Between two `%` the earliest place will do, so nothing is tried twice.
        earliest = "".join(f"(?>(?:{_CHAR})*?{part})" for part in others[:-1])
        first = f"{first}{earliest}(?:{_CHAR})*{others[-1]}"
    return lambda found: re.fullmatch(first, _coded(found)) is not None


def sort_key(found: object) -> str:
    """Sorts texts as the database does, which pads with blanks."""
    return title_key(text(found)) + "\u0209"
