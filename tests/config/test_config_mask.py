"""Nothing that may be a secret is shown: not in excerpts, not in summaries, not in hints."""

from __future__ import annotations

from pathlib import Path

import pytest

from sipsync.config.reader.source import Source
from sipsync.config.reader.yaml import read
from support.files import HEAD, found

CANARY = "Hunter2Canary"
HIDDEN = [
    "password: {c}",
    "pasword: {c}",
    "Password: {c}",
    "passwort: {c} {c}",
    "passwd: '{c}'",
    'password: "{c}\\n"',
    "password:\n      {c}\n      {c}",
    "password: |\n      {c}\n      more {c}",
    "password: >-\n      a\n      {c}",
    "password: [{c}]",
    "password: {{a: {c}, {c}: b}}",
    "password: !secret {c}",
    "password: !{c} x",
    "password: &{c} x",
    "password: *{c}",
    "password: @{c}",
    "password: %{c}",
    "password: '{c}",
    'password: "{c}',
    'password: "\\{c}"',
    "password: {c}: x",
    "password:{c}",
    "password={c}",
    "pasword {c}",
    "password: x # {c}",
    "titel: x # {c}",
    "# {c}\n    titel: x",
    "title: ' https://acme.bitrix24.ru/rest/1/{c}/'",
    "server: https://u:{c}@host",
    "server: http://h/?token={c}",
    "webhok: https://acme.bitrix24.ru/rest/1/{c}/",
    "token: {c}\n    titel: x",
    "anything: {c}",
    "title: a\n    password: {c}\n    password: {c}",
    "title: [\n    password: {c}",
    "password: env:{c} x",
    "title: &p {c}\n    password: *p\n    x: '",
]
WHOLE = [
    "portal:\n  webhook: https://acme.bitrix24.ru/rest/1/{c}/\nsipsync: 1\n",
    "sipsync: 1\nportal: {{webhook: 'https://acme.bitrix24.ru/rest/1/{c}/', oauth: {{client_secret: {c}, x: 1}}}}\n",
    "sipsync: 1\nportal: https://acme.bitrix24.ru/rest/1/{c}/\n",
    "sipsync: 1\nportal:\n  oauth: {{domain: 'https://a.ru/rest/1/{c}/', refresh_token: {c}, client_id: 'a {c}'}}\n",
    "sipsync: 1\nportal:\n  oauth: {{token_url: 'http://x/?client_secret={c}', domain: a.ru}}\n",
    "sipsync: 1\npassword:{c}\n",
    "sipsync: 1\n{c}\n",
    "sipsync: 1\n---\n{c}\n",
    "sipsync: 1\ndefaults:\n  password: {c}\n  titel: {c}\n",
    "sipsync: 1\nlines: {{a: {{title: b, password: {c}, titel: c}}, b: {{password: {c}}}\n",
]


@pytest.mark.parametrize("text", [*(f"{HEAD}lines:\n  a:\n    title: t\n    {entry}\n" for entry in HIDDEN), *WHOLE])
def test_no_finding_shows_the_canary(tmp_path: Path, text: str) -> None:
    text = text.replace("{c}", CANARY).replace("{{", "{").replace("}}", "}")
    diagnostics = found(tmp_path, text)
    assert diagnostics
    for diagnostic in diagnostics:
        assert diagnostic.hint
        assert CANARY.lower() not in repr(diagnostic).lower()


def test_what_is_not_secret_is_shown_with_the_marked_part_in_its_place(tmp_path: Path) -> None:
    text = HEAD + "lines:\n  a: {title: Отдел, password: abc, servr: x, type: clod} # note\n"
    by_line = {d.code.value: d.at for d in found(tmp_path, text)}
    at = by_line["bad-value"]
    assert at is not None
    assert at.excerpt == "  a: {title: Отдел, password: ***, servr: *, type: clod}"
    assert at.excerpt[at.column - 1 : at.end_column - 1] == "clod"
    literal = by_line["literal-secret"]
    assert literal is not None
    assert literal.excerpt == "  a: {title: Отдел, password: ***, servr: ***, type: clod}"
    assert literal.excerpt[literal.column - 1 : literal.end_column - 1] == "***"


ALIASES = [
    "password: &p {c}, title: *p",
    "title: &p {c}, password: *p",
    "password: [&p {c}], title: *p",
    "pass: &p {c}, pass: x, title: *p",
    "pass: x, pass: &p {c}, title: *p",
    "<<: {{password: &p {c}}}, password: env:X, title: *p",
    "<<: [{{title: a}}, &p {c}], title: *p",
    "? [password] : &p {c}, title: *p",
]


@pytest.mark.parametrize("entry", ALIASES)
def test_no_password_is_shown_where_it_is_a_title_by_an_alias(tmp_path: Path, entry: str) -> None:
    text = f"{HEAD}lines: {{a: {{titel: x, {entry.format(c=CANARY)}}}}}\n"
    assert CANARY not in repr(found(tmp_path, text))
    source = Source("acme.yaml", text)
    read(source)
    assert CANARY not in source.masked()
    assert "title: " in source.masked()


def test_a_value_is_shown_where_each_way_to_it_shows_it() -> None:
    lines = "lines:\n  a: &a\n    title: &t Sales\n    server: *t\n  b:\n    <<: [*a]\n    login: x\n"
    source = Source("acme.yaml", HEAD + lines)
    read(source)
    assert source.masked() == HEAD + lines.replace("&a", "**").replace("*t", "**").replace("[*a]", "[***")


@pytest.mark.parametrize("name", ["'My {c} pass'", "{c}!", '"{c} x"', "&n {c}!", "|-\n    {c} x"])
def test_what_can_be_no_name_of_a_portal_is_not_shown_and_no_finding_is_about_it(tmp_path: Path, name: str) -> None:
    text = f"sipsync: 1\nportal:\n  name: {name.format(c=CANARY)}\n  webhook: env:W\n  tilte: x\nlines: {{}}\n"
    diagnostics = found(tmp_path, text)
    assert len(diagnostics) == 2
    assert {diagnostic.address for diagnostic in diagnostics} == {None}
    assert CANARY not in repr(diagnostics)


def test_the_name_of_a_portal_is_shown(tmp_path: Path) -> None:
    (diagnostic,) = found(tmp_path, "sipsync: 1\nportal: {name: 'acme', webhook: env:W, tilte: x}\nlines: {}\n")
    assert diagnostic.at is not None
    assert "name: 'acme'" in diagnostic.at.excerpt


def test_references_are_shown(tmp_path: Path) -> None:
    (diagnostic,) = found(tmp_path, HEAD + "lines: {a: {title: t, password: env:SIP_A, typ: x}}\n")
    assert diagnostic.at is not None
    assert "password: env:SIP_A, typ: ***" in diagnostic.at.excerpt


def test_a_very_long_line_is_cut_and_left_out_far_behind(tmp_path: Path) -> None:
    text = HEAD + "lines: {a: {title: " + "t" * 400 + "}, b: {titel: x}}\n"
    near, far = sorted(found(tmp_path, text), key=lambda d: d.at.column if d.at else 0)[0:3:2]
    assert near.at is not None
    assert far.at is not None
    assert len(near.at.excerpt) < 300
    assert far.at.excerpt == ""
