"""One condition of a filter: a column's value against what was asked, under the database's collation.

A test gives True, False, or None for SQL's NULL. Operators go by the short names of the server's SQL layer: `I` equal,
`E` like, `S` has, `M` like without a change of case, their opposites with an `N` before, and orders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sipsync.rules.lines import Refusal
from sipsync.rules.php import integer, text
from sipsync.rules.values import title_key, weights

Test: TypeAlias = Callable[[Any], "bool | None"]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "G": lambda a, b: bool(a > b),
    "L": lambda a, b: bool(a < b),
    "GE": lambda a, b: bool(a >= b),
    "LE": lambda a, b: bool(a <= b),
}


class Refused(Exception):
    """The server's SQL layer says no."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def _no_sql() -> Refused:
    return Refused(Refusal("ERROR_CORE", 500, "SQL query error!"))


def of_integer(operator: str, value: Any) -> Test | None:
    """What a column of whole numbers is compared with; None where the operator makes no condition."""
    if isinstance(value, dict):
        return _of_integers(operator, {place: integer(item) for place, item in value.items()})
    number = integer(value)
    if operator in ("I", "E", "S", "M", "SE"):
        if number == 0 and operator != "SE":
            return lambda found: found in (None, 0)
        return lambda found: None if found is None else found == number
    if operator in ("NI", "N", "NS", "NM"):
        if number == 0:
            return lambda found: found not in (None, 0)
        return lambda found: None if found is None else found != number
    return _compared(operator, {0: number}, lambda found: found)


def _of_integers(operator: str, values: dict[int | str, int]) -> Test | None:
    numbers = set(values.values())
    if operator in ("I", "E", "S", "M", "SE"):
        return lambda found: (found in numbers or (0 in numbers and found is None)) if numbers else False
    if operator in ("NI", "N", "NS", "NM"):
        if not numbers:
            return lambda found: True
        return lambda found: None if found is None and 0 not in numbers else found is not None and found not in numbers
    return _compared(operator, values, lambda found: found)


def _compared(operator: str, values: Mapping[int | str, Any], sortable: Callable[[Any], Any]) -> Test | None:
    """Greater, less, between, in: the same for numbers and texts."""
    if operator in _ORDERS:
        if 0 not in values:
            raise _no_sql()
        bound, compare = sortable(values[0]), _ORDERS[operator]
        return lambda found: None if found is None else compare(sortable(found), bound)
    if operator in ("B", "NB"):
        if len(values) < 2:
            return None
        if 0 not in values or 1 not in values:
            raise _no_sql()
        low, high = sortable(values[0]), sortable(values[1])
        return lambda found: None if found is None else (low <= sortable(found) <= high) == (operator == "B")
    if operator in ("IN", "NIN"):
        chosen = {sortable(value) for value in values.values()}
        if not chosen:
            raise _no_sql()
        return lambda found: None if found is None else (sortable(found) in chosen) == (operator == "IN")
    return None


def of_text(operator: str, value: Any) -> Test | None:
    """What a column of texts is compared with; None where the operator makes no condition."""
    many = isinstance(value, dict)
    values = [text(item) for item in (value.values() if isinstance(value, dict) else [value])]
    if operator in ("I", "E", "S", "M", "NI", "N", "NS", "NM"):
        if not many and values == [""]:
            return _is_empty if operator in ("I", "E", "S", "M") else _is_not_empty
        return _alike(operator, values or [""], many=many)
    if operator in ("?", "FTL"):
        return _words([part for item in values for part in (item.split("|") if operator == "?" else [item])])
    if operator == "FT":
        raise _no_sql()  # there is no full-text index
    keyed = dict(zip(value, values, strict=True)) if isinstance(value, dict) else {0: values[0]}
    return _compared(operator, keyed, lambda found: sort_key(found))


def _words(alternatives: list[str]) -> Test | None:
    """One of the alternatives, each with all its words. The query language's brackets are not read (unverified)."""
    tests = [[_contains(word) for word in words] for found in alternatives if (words := found.split())]
    if not tests:
        return None
    return lambda found: None if found is None else any(all(test(found) for test in words) for words in tests)


def _is_empty(found: str | None) -> bool:
    return found is None or title_key(found) == ""


def _is_not_empty(found: str | None) -> bool:
    return found is not None and found != ""


def _alike(operator: str, values: list[str], *, many: bool) -> Test:
    """Equality, LIKE and substring, and their opposites; without an operator, digits alone are compared with `=`."""
    digits = values[0].isascii() and values[0].isdigit()
    if operator in ("I", "NI") or (operator in ("E", "M") and digits and not many):
        keys = {title_key(value) for value in values}
        if operator == "NI":
            return lambda found: found is None or title_key(found) not in keys
        return lambda found: None if found is None else title_key(found) in keys
    test = _one_of([_contains(value) if operator in ("S", "NS") else _like(value) for value in values])
    if operator in ("E", "M", "S"):
        return test
    return lambda found: None if found is None else not test(found)


def _one_of(tests: list[Callable[[str], bool]]) -> Test:
    return lambda found: None if found is None else any(test(found) for test in tests)


def _contains(value: str) -> Callable[[str], bool]:
    wanted = weights(value)

    def test(found: str) -> bool:
        have = weights(found)
        return any(have[start : start + len(wanted)] == wanted for start in range(len(have) - len(wanted) + 1))

    return test


_MANY, _ONE = "many", "one"


def _like(pattern: str) -> Callable[[str], bool]:
    """SQL's LIKE under the collation: `%`, `_` and the backslash are not escaped by the server."""
    parts: list[str] = []
    chars = iter(pattern)
    for char in chars:
        if char == "%":
            parts.append(_MANY)
        elif char == "_":
            parts.append(_ONE)
        else:
            parts += weights(next(chars, "\\") if char == "\\" else char)

    def test(found: str) -> bool:
        reachable = _skip({0}, parts)
        for weight in weights(found):
            step = {
                place if parts[place] == _MANY else place + 1
                for place in reachable
                if place < len(parts) and parts[place] in (_MANY, _ONE, weight)
            }
            reachable = _skip(step, parts)
        return len(parts) in reachable

    return test


def _skip(places: set[int], parts: list[str]) -> set[int]:
    """The places, and those behind a `%` that stands for nothing."""
    todo = list(places)
    while todo:
        place = todo.pop()
        if place < len(parts) and parts[place] == _MANY and place + 1 not in places:
            places.add(place + 1)
            todo.append(place + 1)
    return places


def sort_key(found: object) -> str:
    """Sorts texts as the database does, which pads with blanks."""
    return title_key(text(found)) + "\u0209"
