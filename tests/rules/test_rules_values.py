"""Stored texts and equal titles, checked against what MariaDB 10.11 answered.

Recorded with `select hex(weight_string(c collate utf8mb4_unicode_ci))` for each character of the basic plane, and
`select a = b` for the pairs of `unicode_ci_pairs.json`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.rules.values import stored, title_key, weights

PAIRS = json.loads(Path(__file__).with_name("unicode_ci_pairs.json").read_text(encoding="utf-8"))
MARIADB = "bcd1c3254b3409d942876d82e2cecbd6ff44d991ce07881f232bee9ce3694d2d"
"""SHA-256 of the lines `<code point> <weights>`, both in hexadecimal, of all characters of the basic plane."""


def test_every_character_of_the_basic_plane_weighs_what_it_weighs_in_mariadb() -> None:
    digest = hashlib.sha256()
    for code in [*range(0xD800), *range(0xE000, 0x10000)]:
        (weight,) = weights(chr(code))
        digest.update(f"{code:04X} {''.join(f'{ord(part):04X}' for part in weight)}\n".encode())
    assert digest.hexdigest() == MARIADB


@pytest.mark.parametrize(("a", "b", "equal"), PAIRS)
def test_titles_are_equal_where_mariadb_says_so(a: str, b: str, equal: bool) -> None:
    assert (title_key(a) == title_key(b)) is equal


@given(st.text())
def test_blanks_at_the_end_make_no_other_title(title: str) -> None:
    assert title_key(title) == title_key(title + " ")


def test_keys_sort_as_the_database_sorts() -> None:
    assert sorted(["Я", "b", "ё", "A", "Ж", "1", "е"], key=title_key) == ["1", "A", "b", "ё", "е", "Ж", "Я"]


@pytest.mark.parametrize(
    ("field", "sent", "kept"),
    [
        ("title", " \t Sales\n\0", "Sales"),
        ("title", "\u00a0Sales\u00a0", "\u00a0Sales\u00a0"),
        ("title", "http://x", "http://x"),
        ("server", " http://sip.example ", "sip.example"),
        ("server", "https:// sip.example", " sip.example"),
        ("server", "hthttp://tp://sip.example", "http://sip.example"),
        ("server", "hhttps://ttp://sip.example", "http://sip.example"),
        ("server", "HTTP://sip.example", "HTTP://sip.example"),
        ("server", "sip:sip.example:5060/a", "sip:sip.example:5060/a"),
        ("login", "  +7 ", "+7"),
        ("password", " pw ", "pw"),
    ],
)
def test_texts_are_stored_as_the_server_stores_them(field: str, sent: str, kept: str) -> None:
    assert stored(field, sent) == kept  # type: ignore[arg-type]  # a field's name
