"""FILTER, SORT and ORDER of `voximplant.sip.get`, as the server's SQL layer reads them (server source, measured).

A condition gives True, False, or None for SQL's NULL. The owner's condition is one of the filter's own, so a
top-level LOGIC of OR widens it to the lines of others, and one that is neither AND nor OR leaves no condition at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from sipsync.rules.lines import Refusal, Row
from sipsync.rules.php import Array, Crash, integer, is_numeric, is_true, text, upper_keys
from sipsync.rules.values import title_key, weights
from sipsync.sandbox.rows import INTEGERS, TEXTS, Column

Condition: TypeAlias = Callable[[Row], "bool | None"]

_OPERATORS = {
    "!><": "NB",
    "!=%": "NM",
    "!%=": "NM",
    "!==": "SN",
    "!=": "NI",
    "!%": "NS",
    "><": "B",
    ">=": "GE",
    "<=": "LE",
    "=%": "M",
    "%=": "M",
    "!@": "NIN",
    "==": "SE",
    "=": "I",
    "%": "S",
    "?": "?",
    ">": "G",
    "<": "L",
    "!": "N",
    "@": "IN",
    "*": "FT",
    "*=": "FT",
    "*%": "FTL",
}
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


def _no_field(name: str) -> Refused:
    return Refused(Refusal("100", 400, f"Unknown field definition `{name}`"))


def _no_sql() -> Refused:
    return Refused(Refusal("ERROR_CORE", 500, "SQL query error!"))


def matching(rows: Iterable[Row], given: object, app: str | None, client_ids: Mapping[str, str]) -> list[Row]:
    """The rows that a FILTER lets through for this owner; raises `Refused`, or `Crash`."""
    filter_: Array = upper_keys(given) if isinstance(given, dict) else {}
    if not filter_:
        return [row for row in rows if row.app == app]
    filter_["APP_ID"] = "" if app is None else client_ids.get(app, app)
    texts = {**TEXTS, "APP_ID": lambda row: "" if row.app is None else client_ids.get(row.app, row.app)}
    condition = _group(filter_, texts)
    logic = filter_.get("LOGIC")
    if condition is None or (logic is not None and logic is not True and logic not in ("AND", "OR")):
        return list(rows)  # the server's source has two branches, and neither keeps the filter
    return [row for row in rows if condition(row)]


def _group(filter_: Array, texts: Mapping[str, Column]) -> Condition | None:
    """What the conditions of a group say together; None where there are none."""
    conditions: list[Condition] = []
    for name, value in filter_.items():
        if name == "LOGIC":
            continue
        condition = None
        if not is_numeric(name):
            condition = _single(str(name), value, texts)
        elif isinstance(value, dict):
            condition = _group(value, texts)
        if condition is not None:
            conditions.append(condition)
    if not conditions:
        return None
    logic = filter_.get("LOGIC")
    if logic == "OR":
        return _not(_all([_not(condition) for condition in conditions]))
    together = _all(conditions)
    return _not(together) if logic == "NOT" or logic is True else together  # PHP: true equals any text


def _all(conditions: list[Condition]) -> Condition:
    def check(row: Row) -> bool | None:
        found = [condition(row) for condition in conditions]
        return False if False in found else None if None in found else True

    return check


def _not(condition: Condition) -> Condition:
    def check(row: Row) -> bool | None:
        found = condition(row)
        return None if found is None else not found

    return check


def _single(name: str, value: Any, texts: Mapping[str, Column]) -> Condition | None:
    """One field's condition; None where the server's SQL layer makes none of it."""
    prefix = next((name[:size] for size in (3, 2, 1) if name[:size] in _OPERATORS), "")
    operator = _OPERATORS.get(prefix, "E")
    field = name[len(prefix) :].upper()
    if field not in INTEGERS and field not in texts:
        raise _no_field(field)
    column = INTEGERS.get(field) or texts[field]
    if operator in ("SE", "SN") and (value is None or isinstance(value, bool)):
        return _strongly(column, operator, value)
    make = _of_integer if field in INTEGERS else _of_text
    test = make(operator, value)
    if test is None:
        return None
    return lambda row: test(column(row))


def _strongly(column: Column, operator: str, value: bool | None) -> Condition:
    """`==` and `!==` with null or a boolean."""
    if value is None:
        return lambda row: (column(row) is None) == (operator == "SE")
    wanted = value == (operator == "SE")
    return lambda row: None if (found := column(row)) is None else bool(integer(found)) == wanted


Test: TypeAlias = Callable[[Any], "bool | None"]


def _of_integer(operator: str, value: Any) -> Test | None:
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


def _of_text(operator: str, value: Any) -> Test | None:
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


def ordered(rows: list[Row], sort: object, order: object) -> list[Row]:
    """The rows in the order asked for; both SORT and ORDER must be given, otherwise as they were made."""
    if not (is_true(sort) and is_true(order)):
        return rows
    if isinstance(sort, dict):
        raise Crash("an array as a key")
    field, direction = text(sort), order
    if is_numeric(sort) or sort is True:
        field, direction = text(order), "ASC"  # the SQL layer takes ORDER for the field then
    direction = text(direction).upper()
    if direction not in ("ASC", "DESC"):
        raise Refused(Refusal("ERROR_ARGUMENT", 400, f'Invalid order "{direction}"'))
    name = field.upper()
    if name in INTEGERS:
        number = INTEGERS[name]
        return _sorted(rows, number, lambda value: value, field == name and direction == "DESC")
    if name in TEXTS or name == "APP_ID":
        column = TEXTS.get(name, lambda row: row.app or "")
        return _sorted(rows, column, sort_key, field == name and direction == "DESC")
    raise _no_field(field)


def _sorted(rows: list[Row], column: Column, key: Callable[[Any], Any], descending: bool) -> list[Row]:
    """Sorted with NULL first. DESC only counts for a name in capitals: the direction is kept under that one."""

    def by(row: Row) -> tuple[bool, Any]:
        value = column(row)
        return (value is not None, None if value is None else key(value))

    nulls = [row for row in rows if column(row) is None]
    others = sorted((row for row in rows if column(row) is not None), key=by, reverse=descending)
    return [*others, *nulls] if descending else [*nulls, *others]
