"""FILTER, SORT and ORDER of `voximplant.sip.get`, as the server's SQL layer reads them (server source, measured).

A condition gives True, False, or None for SQL's NULL. The owner's condition is one of the filter's own, so a
top-level LOGIC of OR widens it to the lines of others, and one that is neither AND nor OR leaves no condition at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from sipsync.rules.php import Array, Crash, integer, is_numeric, is_true, text, upper_keys
from sipsync.rules.state import Row
from sipsync.sandbox import comparing
from sipsync.sandbox.columns import INTEGERS, TEXTS, Column
from sipsync.sandbox.comparing import Refused, no_sql, sort_key

Condition: TypeAlias = Callable[[Row], "bool | None"]
_SIGNS = {"=": "I", "%": "S", "=%": "M", "%=": "M", "><": "B", "@": "IN"}
"""Operators that have an opposite, with `!` before it."""
_OPERATORS = {
    **_SIGNS,
    **{f"!{sign}": f"N{name}" for sign, name in _SIGNS.items()},
    **{">": "G", "<": "L", ">=": "GE", "<=": "LE", "?": "?", "*": "FT", "*=": "FT", "*%": "FTL"},
    **{"==": "SE", "!==": "SN", "!": "N"},
}


def _no_column(name: str) -> Refused | Crash:
    """What comes of a name that is no column; `CONFIG` and `*` stand for many (server source, run)."""
    if name == "*":
        return Crash("many columns where one belongs")
    return no_sql() if name == "CONFIG" else Refused("100", 400, f"Unknown field definition `{name}`")


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
    if field == "CNT":  # the count that the method has made of all rows
        return lambda row: False
    if field not in INTEGERS and field not in texts:
        raise _no_column(field)
    column = INTEGERS.get(field) or texts[field]
    if operator in ("SE", "SN") and (value is None or isinstance(value, bool)):
        return _strongly(column, operator, value)
    make = comparing.of_integer if field in INTEGERS else comparing.of_text
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


def ordered(rows: list[Row], sort: object, order: object) -> list[Row]:
    """The rows in the order asked for; both SORT and ORDER must be given, otherwise as they were made."""
    if not (is_true(sort) and is_true(order)):
        return rows
    if isinstance(sort, dict):
        raise Crash("an array as a key")
    numbered = is_numeric(sort) or sort is True
    if isinstance(order, dict) or (numbered and not isinstance(order, str)):
        raise Refused("ERROR_ARGUMENT", 400, "Order must be a string", argument="")
    field, direction = text(sort), order
    if numbered:
        field, direction = text(order), "ASC"  # the SQL layer takes ORDER for the field then
    direction = text(direction).upper()
    if direction not in ("ASC", "DESC"):
        raise Refused("ERROR_ARGUMENT", 400, f'Invalid order "{direction}"')
    name = field.upper()
    # DESC only counts for a name in capitals: the direction is kept under that one.
    descending = field == name and direction == "DESC"
    if name in INTEGERS:
        return _sorted(rows, INTEGERS[name], integer, descending=descending)
    if name in TEXTS or name == "APP_ID":
        return _sorted(rows, TEXTS.get(name, lambda row: row.app or ""), sort_key, descending=descending)
    raise _no_column(field)


def _sorted(rows: list[Row], column: Column, key: Callable[[Any], Any], *, descending: bool) -> list[Row]:
    """Sorted with NULL first."""

    def by(row: Row) -> tuple[bool, Any]:
        value = column(row)
        return (value is not None, None if value is None else key(value))

    return sorted(rows, key=by, reverse=descending)
