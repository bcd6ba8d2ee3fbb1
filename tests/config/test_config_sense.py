"""Slips in servers, logins and titles that nobody sees, and that take a telephone line down."""

from __future__ import annotations

from pathlib import Path

import pytest

from sipsync.config.writer.lines import unsaid
from sipsync.model.problems import Code
from support.files import HEAD, found, load_text


def line(**values: str) -> str:
    """A file with one line; values stand in single quotes, so that each character counts."""
    return f"{HEAD}lines:\n  a:\n    title: 'A'\n" + "".join(f"    {name}: '{text}'\n" for name, text in values.items())


@pytest.mark.parametrize(
    "server",
    [
        "sip.provider.example",
        "localhost",
        "sip_trunk.example",
        "_sip._udp.example",
        "10.0.0.7",
        "10.0.0.7:5060",
        "[2001:db8::1]",
        "[2001:db8::1]:5061;transport=tls",
        "sip.example:5060;transport=tcp",
        "sip.example;transport=udp;lr",
        "почта.рф",
        "sip.почта.рф:5060",
        "a-b.c",
    ],
)
def test_servers_that_may_be(tmp_path: Path, server: str) -> None:
    loaded = load_text(tmp_path, line(server=server))
    assert loaded.diagnostics == ()
    assert loaded.portals[0].lines[0].values["server"] == server


@pytest.mark.parametrize(
    ("server", "column", "words"),
    [
        ("sip:sip.example", 1, "sip:"),
        ("SIPS:sip.example", 1, "sips:"),
        ("https://sip.example", 1, "https://"),
        ("sip.exa mple", 8, "blank"),
        ("sip..example", 5, "empty part"),
        (".sip.example", 1, "empty part"),
        ("sip.example.", 12, "empty part"),
        (":5060", 1, "empty part"),
        ("«sip.example»", 1, "quote mark"),
        ('sip"example', 4, "quote mark"),
        ("10.0.0.300", 1, "IPv4"),
        ("10.0.7", 1, "IPv4"),
        ("[2001:db8::g]", 1, "IPv6"),
        ("2001:db8::1", 1, "brackets"),
        ("sip.example:", 12, "port"),
        ("sip.example:99999", 12, "port"),
        ("sip.example:5060;", 17, "parameter"),
        ("sip.example;transport==tcp", 12, "parameter"),
        ("-sip.example", 1, "host name"),
        ("sip/example", 1, "host name"),
        ("sip.ex]ample", 1, "host name"),
        ("sip.\u0441ompany.example", 5, "Cyrillic letter among Latin"),
        ("sip.p\u03bfint.example", 6, "Greek letter among Latin"),
        ("sip\u200b.example", 4, "U+200B"),
        ("sip\u00ad.example", 4, "U+00AD"),
        ("sip.\u00a0example", 5, "U+00A0"),
    ],
)
def test_servers_that_can_not_be(tmp_path: Path, server: str, column: int, words: str) -> None:
    (diagnostic,) = found(tmp_path, line(server=server))
    assert (diagnostic.code, diagnostic.severity) == (Code.BAD_VALUE, "error")
    assert words in diagnostic.summary
    assert diagnostic.at is not None
    assert diagnostic.at.column == len("    server: '") + column
    assert unsaid("server", server) == diagnostic.summary


@pytest.mark.parametrize(
    ("field", "text", "column", "words", "severity"),
    [
        ("login", "«sip101»", 1, "quote marks", "error"),
        ("login", "“sip101”", 1, "quote marks", "error"),
        ("login", "sip\u200b101", 4, "U+200B", "error"),
        ("login", "sip 101", 4, "blank", "warning"),
        ("login", "\u0441ip101", 1, "Cyrillic letter among Latin", "warning"),
        ("title", "«Склад»", 1, "quote marks", "warning"),
        ("title", "Отдел\u00a0продаж", 6, "U+00A0", "warning"),
    ],
)
def test_logins_and_titles(tmp_path: Path, field: str, text: str, column: int, words: str, severity: str) -> None:
    file = line(login=text) if field == "login" else line().replace("'A'", f"'{text}'")
    (diagnostic,) = load_text(tmp_path, file).diagnostics
    assert (diagnostic.severity, words in diagnostic.summary) == (severity, True)
    assert diagnostic.at is not None
    assert diagnostic.at.column == len(f"    {field}: '") + column


def test_a_title_of_two_scripts_is_none(tmp_path: Path) -> None:
    assert load_text(tmp_path, line(login="sip-101").replace("'A'", "'Отдел VIP «Ромашка»'")).diagnostics == ()


def test_a_default_is_told_once_and_where_it_stands(tmp_path: Path) -> None:
    text = HEAD + "defaults: {login: \u0441ip}\nlines: {a: {title: A}, b: {title: B}}\n"
    (diagnostic,) = load_text(tmp_path, text).diagnostics
    assert (diagnostic.code, diagnostic.at and diagnostic.at.line) == (Code.LOOK_ALIKE, 5)


def test_a_character_that_is_written_as_an_escape_is_shown_by_its_whole_text(tmp_path: Path) -> None:
    (diagnostic,) = found(tmp_path, HEAD + 'lines: {a: {title: A, server: "sip\\u200b.example"}}\n')
    assert diagnostic.at is not None
    assert diagnostic.at.column == len("lines: {a: {title: A, server: ") + 1
