"""How PHP 8.2 turns values into texts, numbers and conditions; the answers are PHP's own."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sipsync.rules.php import Crash, integer, is_numeric, is_true, key, text, upper_keys


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "1"),
        (False, ""),
        (7, "7"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e25, "1.0E+25"),
        (1e14, "1.0E+14"),
        (-1.5e-7, "-1.5E-7"),
        (12345678901234567890.0, "1.2345678901235E+19"),
        ("x", "x"),
    ],
)
def test_values_become_texts(value: object, shown: str) -> None:
    assert text(value) == shown


def test_an_array_is_no_text() -> None:
    with pytest.raises(Crash):
        text({0: "x"})


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("101abc", 101),
        (" 101 ", 101),
        ("\x0b7", 7),
        ("\0 7", 0),
        ("1e3", 1000),
        ("1e3abc", 1000),
        ("1.9", 1),
        (".5", 0),
        ("+5", 5),
        ("-", 0),
        ("0x1A", 0),
        ("", 0),
        ("1e1000", 0),
        ("1e20", 2**63 - 1),
        ("99999999999999999999", 2**63 - 1),
        ("-99999999999999999999", -(2**63)),
        (101.9, 101),
        (1e19, -8446744073709551616),
        (math.inf, 0),
        (True, 1),
        (None, 0),
        ({}, 0),
        ({0: 101}, 1),
    ],
)
def test_values_become_whole_numbers(value: object, number: int) -> None:
    assert integer(value) == number


@pytest.mark.parametrize(
    ("value", "true"), [("", False), ("0", False), ("false", True), ("00", True), (0, False), ({}, False), (1.5, True)]
)
def test_values_become_conditions(value: object, true: bool) -> None:
    assert is_true(value) is true


@pytest.mark.parametrize(
    ("value", "numeric"),
    [("12 ", True), (" 1.5", True), ("1e3", True), ("1e3a", False), ("", False), (True, False), (3, True)],
)
def test_numbers_are_told_from_other_values(value: object, numeric: bool) -> None:
    assert is_numeric(value) is numeric


@pytest.mark.parametrize(
    ("name", "found"),
    [("0", 0), ("01", "01"), ("-1", -1), ("-0", "-0"), ("1.5", "1.5"), ("9" * 19, "9" * 19), ("x", "x"), ("", "")],
)
def test_whole_numbers_are_keys_of_their_own_kind(name: str, found: Any) -> None:
    assert key(name) == found


def test_names_in_capitals_keep_the_last_of_equal_ones() -> None:
    assert upper_keys({"a": 1, "B": 2, "A": 3, "я": 4, 5: 6}) == {"A": 3, "B": 2, "я": 4, 5: 6}
