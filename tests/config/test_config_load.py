"""What a file may say, and what is said of each mistake."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from sipsync.config.load import load, load_policy
from sipsync.model.lines import Address, GivenTokenAccess, OwnTokenAccess, SandboxAccess, WebhookAccess
from sipsync.model.operator import Operator
from sipsync.model.policy import NO_BOUNDS, IgnoredField, Limits, Policy
from sipsync.model.problems import Code, ConfigError
from sipsync.model.secret import SecretRef
from support.files import HEAD, SCHEMES, codes, found, load_text, only, write

EXAMPLE = """\
# yaml-language-server: $schema=.sipsync/schema.json
sipsync: 1                        # marks the file
portal:
  name: acme
  webhook: env:ACME_WEBHOOK
defaults:
  server: sip.provider.example
lines:
  sales:
    config_id: 69
    title: Отдел продаж
    login: 0045281811
    password: env:SIP_SALES_PASSWORD
  warehouse:
    title: Склад
    server: other.example
    login: +74951234567
"""


def test_the_example_is_one_portal_with_two_lines(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, EXAMPLE)
    assert loaded.diagnostics == ()
    assert loaded.files == 1
    (portal,) = loaded.portals
    sales, warehouse = portal.lines
    assert portal.access == WebhookAccess(SecretRef("env", "ACME_WEBHOOK"))
    assert (str(sales.address), sales.config_id, sales.type, sales.at.line) == ("acme.sales", 69, None, 9)
    assert sales.values == {
        "title": "Отдел продаж",
        "server": "sip.provider.example",
        "login": "0045281811",
        "password": SecretRef("env", "SIP_SALES_PASSWORD"),
    }
    assert warehouse.values == {"title": "Склад", "server": "other.example", "login": "+74951234567"}
    assert {name: place.line for name, place in sales.places.items()} == {
        "title": 11,
        "server": 7,
        "login": 12,
        "password": 13,
    }
    assert portal.file.endswith("acme.yaml")
    assert (portal.policy, portal.limits) == (Policy(), Limits())


def test_everything_that_a_file_can_say(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        "$schema: x\nsipsync: 1\nportal:\n  sandbox: demo.db\n  limits: {cloud_lines: 20, burst: 250, rate: 5.5}\n"
        "defaults: {type: office, password: env:P}\nlines:\n  a: {title: A, type: cloud}\n  b: {config_id: 2}\n"
        "removed: {old: {config_id: 7, title: null}}\n"
        "policy:\n  create: true\n  delete: true\n  unmanaged: ignore\n  max_changes: 30%\n  protected: [vip-*]\n"
        "  ignore_fields:\n    - {line: a, field: server, reason: moving, until: 2026-12-31}\n",
        policy=replace(NO_BOUNDS, delete=False, unmanaged="error", max_changes="3"),
    )
    assert loaded.diagnostics == ()
    (portal,) = loaded.portals
    assert portal.access == SandboxAccess(str(tmp_path / "demo.db"))
    assert portal.limits == Limits(20, 250, 5.5)
    assert [line.type for line in portal.lines] == ["cloud", "office"]
    assert portal.lines[1].values == {"password": SecretRef("env", "P")}
    (removed,) = portal.removed
    assert (removed.address, removed.config_id, removed.title) == (Address("acme", "old"), 7, "null")
    assert (portal.policy.create, portal.policy.delete, portal.policy.unmanaged) == (True, False, "error")
    assert portal.policy.max_changes == "3,30%"
    (ignored,) = portal.policy.ignore_fields
    assert isinstance(ignored, IgnoredField)
    assert str(ignored.until) == "2026-12-31"


def test_both_shapes_of_oauth(tmp_path: Path) -> None:
    ours = load_text(
        tmp_path,
        "sipsync: 1\nportal: {oauth: {domain: 'http://127.0.0.1:8080/acme', client_id: local.5f, member_id: 0a,\n"
        "  client_secret: env:S, refresh_token: env:R, token_url: 'http://localhost:1/oauth/token/'}}\n",
    )
    assert ours.diagnostics == ()
    assert ours.portals[0].access == OwnTokenAccess(
        "http://127.0.0.1:8080/acme",
        member_id="0a",
        client_id="local.5f",
        client_secret=SecretRef("env", "S"),
        refresh_token=SecretRef("env", "R"),
        token_url="http://localhost:1/oauth/token/",
    )
    theirs = load_text(tmp_path, "sipsync: 1\nportal: {oauth: {domain: acme.bitrix24.ru, access_token: env:T}}\n")
    assert theirs.portals[0].access == GivenTokenAccess("acme.bitrix24.ru", SecretRef("env", "T"))
    named = load_text(
        tmp_path,
        "sipsync: 1\nportal: {oauth: {domain: a.b, client_id: env:I, client_secret: env:S, refresh_token: env:R}}\n",
    )
    assert SecretRef("env", "I") in named.portals[0].access.references()


LINE = HEAD + "lines:\n  a:\n    title: A\n"


@pytest.mark.parametrize(
    ("text", "code", "place", "hint"),
    [
        (HEAD + "line: {}\n", Code.UNKNOWN_KEY, "5:1", '"lines"'),
        (LINE + "    zzz: x\n", Code.UNKNOWN_KEY, "8:5", "Known here: config_id, login"),
        (HEAD + "defaults: {passwort: x}\n", Code.UNKNOWN_KEY, "5:12", '"password"'),
        (HEAD + "defaults: {title: x}\n", Code.UNKNOWN_KEY, "5:12", "Known here"),
        (
            HEAD + "policy: {ignore_fields: [{line: a, field: title, reason: b, untill: c}]}\n",
            Code.UNKNOWN_KEY,
            "5:61",
            "until",
        ),
        (LINE + "    title: B\n", Code.DUPLICATE_KEY, "8:5", "Keep one"),
        (LINE + "    login:\n", Code.WRONG_TYPE, "8:5", "delete the key"),
        (HEAD + "lines:\n", Code.WRONG_TYPE, "5:1", "lines: {}"),
        (HEAD + "lines: []\n", Code.WRONG_TYPE, "5:8", "key: value"),
        (HEAD + "lines: {a: x}\n", Code.WRONG_TYPE, "5:12", "key: value"),
        (LINE + "    login: [x]\n", Code.WRONG_TYPE, "8:12", "single text"),
        (HEAD + "policy: {protected: x}\n", Code.WRONG_TYPE, "5:21", "list"),
        (HEAD + "policy: {create: [x]}\n", Code.WRONG_TYPE, "5:18", "true or false"),
        (LINE + "    config_id: [1]\n", Code.WRONG_TYPE, "8:16", "number"),
        (HEAD + "policy: {create: yes}\n", Code.BAD_VALUE, "5:18", "true or false"),
        (LINE + "    config_id: 1_0\n", Code.BAD_VALUE, "8:16", "digits"),
        (LINE + "    config_id: 0\n", Code.BAD_VALUE, "8:16", "Correct"),
        (LINE + "    type: clod\n", Code.BAD_VALUE, "8:11", '"cloud"'),
        (LINE + "    type: zzz\n", Code.BAD_VALUE, "8:11", "cloud, office"),
        (LINE + "    server: HTTP://x\n", Code.BAD_VALUE, "8:13", "host"),
        (LINE + "    server: ''\n", Code.BAD_VALUE, "8:13", "delete the key"),
        (LINE + "    server: " + "x" * 101 + "\n", Code.TOO_LONG, "8:13", "Shorten"),
        (LINE + "    login: ' x'\n", Code.WHITE_SPACE, "8:12", "Remove"),
        (LINE + '    login: "x\\0"\n', Code.WHITE_SPACE, "8:12", "Remove"),
        (HEAD + "lines: {a: {title: ''}}\n", Code.BAD_VALUE, "5:20", "delete the key"),
        (HEAD + "lines: {a: {title: ~sipsync-7}}\n", Code.TEMPORARY_TITLE, "5:20", "another title"),
        (HEAD + "lines: {a: {title: " + "ж" * 256 + "}}\n", Code.TOO_LONG, "5:20", "Shorten"),
        (HEAD + "lines: {-a: {title: x}}\n", Code.BAD_ADDRESS, "5:9", "Latin"),
        (HEAD + "lines: {a: {login: x}}\n", Code.MISSING_KEY, "5:9", "config_id"),
        (LINE + "    password: hunter2\n", Code.LITERAL_SECRET, "8:15", "env:NAME"),
        (LINE + "    password: evn:X\n", Code.LITERAL_SECRET, "8:15", 'Did you mean "env:"'),
        (LINE + "    password: 'env:'\n", Code.BAD_VALUE, "8:15", "env:NAME"),
        (LINE + "    password: 'file:C:\\x'\n", Code.BAD_VALUE, "8:15", "forward slashes"),
        (LINE + "    password: 'sops:a\\b#/x'\n", Code.BAD_VALUE, "8:15", "forward slashes"),
        (HEAD + "policy: {max_changes: 3x}\n", Code.BAD_VALUE, "5:23", "30%"),
        (HEAD + "policy: {max_changes: 101%}\n", Code.BAD_VALUE, "5:23", "30%"),
        (
            HEAD + "policy: {ignore_fields: [{line: a, field: title, reason: b, until: 2026-02-30}]}\n",
            Code.BAD_VALUE,
            "5:68",
            "2026-12-31",
        ),
        (
            HEAD + "policy: {ignore_fields: [{line: a, field: title, reason: b, until: [x]}]}\n",
            Code.WRONG_TYPE,
            "5:68",
            "2026-12-31",
        ),
        (HEAD + "policy: {ignore_fields: [{line: a, field: title}]}\n", Code.MISSING_KEY, "5:26", "Why"),
        (
            HEAD + "policy: {ignore_fields: [{line: a, field: title, reason: b, until: soon}]}\n",
            Code.BAD_VALUE,
            "5:68",
            "2026",
        ),
        (HEAD + "removed: {x: {config_id: 1}}\n", Code.MISSING_KEY, "5:11", "title"),
        (HEAD + "  limits: {rate: x}\n", Code.BAD_VALUE, "5:18", "number"),
        (HEAD + "  limits: {rate: 0}\n", Code.BAD_VALUE, "5:18", "Correct"),
        (HEAD + "  limits: {rate: 0.000000001}\n", Code.BAD_VALUE, "5:18", "Correct"),
        (HEAD + "  limits: {burst: 99999}\n", Code.BAD_VALUE, "5:19", "Correct"),
        (HEAD + "  sandbox: x.db\n", Code.BAD_VALUE, "5:3", "Keep one"),
        ("sipsync: 1\nportal: {sandbox: ../x.db}\n", Code.BAD_VALUE, "2:19", "--root"),
        ("sipsync: 1\nportal: {name: a}\n", Code.MISSING_KEY, "2:9", "webhook: env:"),
        ("sipsync: 1\nportal: {name: con, webhook: env:A}\n", Code.BAD_ADDRESS, "2:16", "another `name`"),
        ("sipsync: 1\nlines: {}\n", Code.MISSING_KEY, "1:1", "portal"),
        ("sipsync: 2\nportal: {webhook: env:A}\n", Code.BAD_VALUE, "1:10", "upgrade"),
        ("sipsync: 1\nportal: {oauth: {domain: a.b}}\n", Code.MISSING_KEY, "2:17", "access_token"),
        (
            "sipsync: 1\nportal: {oauth: {domain: a.b, access_token: env:A, client_id: b}}\n",
            Code.BAD_VALUE,
            "2:52",
            "Delete",
        ),
        (
            "sipsync: 1\nportal: {oauth: {domain: a.b, access_token: env:A, member_id: b}}\n",
            Code.BAD_VALUE,
            "2:52",
            'Delete "member_id"',
        ),
        ("sipsync: 1\nportal: {oauth: {domain: 'a b', access_token: env:A}}\n", Code.BAD_URL, "2:26", "host"),
        ("sipsync: 1\nportal: {oauth: {domain: 'https://a.b', access_token: env:A}}\n", Code.BAD_URL, "2:26", "a.b"),
        ("sipsync: 1\nportal: x\n", Code.WRONG_TYPE, "2:9", "key: value"),
        (HEAD + "---\njust text\n", Code.WRONG_TYPE, "6:1", "sipsync: 1"),
        (
            "sipsync: 1\nportal: {webhook: env:A}\n---\nportal: {name: b, webhook: env:A}\n",
            Code.NO_MARKER,
            "4:1",
            "sipsync",
        ),
    ],
)
def test_each_mistake_has_a_code_a_place_and_a_way_out(
    tmp_path: Path, text: str, code: Code, place: str, hint: str
) -> None:
    first = found(tmp_path, text)[0]
    assert (first.code, str(first.at).partition("acme.yaml:")[2]) == (code, place)
    assert hint in first.hint
    assert first.severity == "error"


def test_a_token_url_must_be_safe(tmp_path: Path) -> None:
    for url in ("http://x.y/", "ftp://x", "https://x.y/?a=b"):
        oauth = f"{{domain: a.b, client_id: i, client_secret: env:S, refresh_token: env:R, token_url: '{url}'}}"
        assert only(tmp_path, f"sipsync: 1\nportal: {{oauth: {oauth}}}\n").code is Code.BAD_URL


def test_all_mistakes_of_a_file_are_found_in_one_run(tmp_path: Path) -> None:
    text = (
        HEAD + "lines:\n  a: {config_id: 7, title: A, password: x}\n  b: {config_id: 07, title: A, nope: 1}\n"
        "  c: {title: a, type: x}\nremoved: {a: {config_id: 7, title: x}}\npolicy: {delete: 1}\n"
    )
    assert sorted(codes(tmp_path, text)) == sorted(
        [
            Code.LITERAL_SECRET,
            Code.UNKNOWN_KEY,
            Code.BAD_VALUE,
            Code.BAD_VALUE,
            Code.DUPLICATE_CONFIG_ID,
            Code.DUPLICATE_CONFIG_ID,
            Code.DUPLICATE_TITLE,
            Code.SIMILAR_TITLES,
            Code.DUPLICATE_KEY,
        ]
    )


def test_titles_that_only_the_database_takes_for_equal_are_a_warning(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, HEAD + "lines: {a: {title: Ёлка}, b: {title: ЕЛКА}}\n")
    (warning,) = loaded.diagnostics
    assert (warning.code, warning.severity, len(loaded.portals)) == (Code.SIMILAR_TITLES, "warning", 1)


def test_one_password_reference_at_two_lines_is_a_warning_but_not_through_defaults_or_an_alias(tmp_path: Path) -> None:
    copied = load_text(tmp_path, HEAD + "lines: {a: {title: A, password: env:P}, b: {title: B, password: env:P}}\n")
    assert [(d.code, d.severity) for d in copied.diagnostics] == [(Code.SHARED_SECRET, "warning")]
    meant = (
        HEAD + "defaults: {password: env:Q}\nlines: {a: {title: A, password: &p env:P}, b: {title: B, password: *p}}\n"
    )
    assert found(tmp_path, meant) == []


def test_relative_secret_files_mean_one_thing_in_all_folders(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/x.yaml": "sipsync: 1\nportal: {webhook: 'file:../s/hook'}\n"
            "lines: {a: {title: A, password: 'sops:../s/e.yaml#/a/b'}}\n",
            "b/c/y.yaml": "sipsync: 1\nportal: {webhook: 'file:../../s/hook'}\n"
            "defaults: {password: file:/run/s}\nlines: {a: {title: A}}\n",
        },
    )
    loaded = load([tmp_path], Operator(root=str(tmp_path)), SCHEMES)
    assert loaded.diagnostics == ()
    first, second = loaded.portals
    assert first.access == second.access == WebhookAccess(SecretRef("file", "s/hook"))
    assert first.lines[0].values["password"] == SecretRef("sops", "s/e.yaml#/a/b")
    assert second.lines[0].values["password"] == SecretRef("file", "/run/s")


def test_several_documents_are_several_portals(tmp_path: Path) -> None:
    one = "sipsync: 1\nportal: {name: %s, webhook: env:%s}\n"
    loaded = load_text(tmp_path, "---\n".join(one % (name, name) for name in ("one", "two")) + "---\n")
    assert [portal.name for portal in loaded.portals] == ["one", "two"]
    assert [portal.at.line for portal in loaded.portals] == [2, 5]


def test_two_portals_of_one_name_are_an_error_in_any_letter_case(tmp_path: Path) -> None:
    text = "sipsync: 1\nportal: {name: one, webhook: env:A}\n---\nsipsync: 1\nportal: {name: One, webhook: env:A}\n"
    diagnostic = only(tmp_path, text)
    assert diagnostic.code is Code.DUPLICATE_PORTAL
    assert "acme.yaml:2:16" in diagnostic.summary
    nameless = "sipsync: 1\nportal: {webhook: env:A}\n"
    assert codes(tmp_path, f"{nameless}---\n{nameless}") == [Code.DUPLICATE_PORTAL]


def test_a_file_name_that_is_no_address_asks_for_a_name(tmp_path: Path) -> None:
    write(tmp_path, {"мой портал.yaml": "sipsync: 1\nportal: {webhook: env:A}\n"})
    (diagnostic,) = load([tmp_path], Operator(root=str(tmp_path)), SCHEMES).diagnostics
    assert diagnostic.code is Code.BAD_ADDRESS
    assert "name: " in diagnostic.hint


def test_the_operators_policy_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "create: false\nmax_changes: 3\nallow_ignore_fields: false\nprotected: [vip]\nlimits: {rate: 5}\n",
        encoding="utf-8",
    )
    assert load_policy(path) == replace(
        NO_BOUNDS, create=False, max_changes="3", allow_ignore_fields=False, protected=("vip",), limits=Limits(rate=5)
    )
    path.write_text("", encoding="utf-8")
    assert load_policy(path) == NO_BOUNDS


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("creat: false\n", Code.UNKNOWN_KEY),
        ("- a\n", Code.WRONG_TYPE),
        ("a: [\n", Code.SYNTAX),
        ("create: false\n---\ncreate: true\n", Code.WRONG_TYPE),
        (None, Code.FILE_NOT_FOUND),
    ],
)
def test_a_wrong_policy_file_is_refused(tmp_path: Path, text: str | None, code: Code) -> None:
    path = tmp_path / "policy.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_policy(path)
    assert caught.value.code is code


def test_each_key_of_a_policy_says_how_the_operators_value_tightens_a_files() -> None:
    assert all("tightened" in row.metadata for row in fields(Policy))
    loose = Policy(create=True, delete=True, unmanaged="ignore", max_changes="90%")
    strict = replace(NO_BOUNDS, create=False, delete=False, unmanaged="error", max_changes="3", protected=("vip",))
    for row in fields(Policy):
        assert getattr(strict.bound(loose), row.name) in (getattr(strict, row.name), "3,90%")
    assert NO_BOUNDS.bound(loose) == loose


@pytest.mark.parametrize(
    ("oauth", "place"),
    [
        ("domain: bitrix24.evil.example, access_token: env:T", "5:19"),
        ("domain: x.bitrix24.ru.evil.example, access_token: env:T", "5:19"),
        (
            "domain: acme.bitrix24.ru, client_id: a, client_secret: env:S, refresh_token: env:R, "
            "token_url: https://oauth.evil.example/token/",
            "5:114",
        ),
    ],
)
def test_a_host_that_may_not_receive_a_credential_is_told_by_a_check_of_files(
    tmp_path: Path, oauth: str, place: str
) -> None:
    text = f"sipsync: 1\nportal:\n  name: acme\n  oauth:\n    {{{oauth}}}\n"
    (diagnostic,) = found(tmp_path, text)
    assert (diagnostic.code, "SIPSYNC_HOSTS=" in diagnostic.hint) == (Code.HOST_FORBIDDEN, True)
    assert diagnostic.at is not None
    assert diagnostic.at.line == 5


@pytest.mark.parametrize(
    "portal",
    [
        "{name: acme, sandbox: ''}",
        "{name: acme, oauth: {domain: a.b, client_id: '', client_secret: env:S, refresh_token: env:R}}",
    ],
)
def test_an_empty_text_is_told_where_it_stands(tmp_path: Path, portal: str) -> None:
    (diagnostic,) = found(tmp_path, f"sipsync: 1\nportal: {portal}\n")
    assert "is empty" in diagnostic.summary
    assert diagnostic.at is not None
    assert diagnostic.at.line == 2


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("sipsync: 1\nportal:\nwebhook: env:A\n", {"webhook": 'Indent it, if it belongs to "portal" in line 2.'}),
        (
            "sipsync: 1\nportal: {webhook: env:A}\nlines:\nsales: {title: A}\nfax: {title: B}\n",
            {
                "sales": 'Indent it, if it belongs to "lines" in line 3.',
                "fax": 'Indent it, if it belongs to "lines" in line 3.',
            },
        ),
        (
            "sipsync: 1\nportal: {webhook: env:A}\nlines:\n  sales:\n  title: A\n",
            {"title": 'Indent it, if it belongs to "sales" in line 4.'},
        ),
        (
            "sipsync: 1\nportal:\n  webhook: env:A\nname: acme\n",
            {"name": 'Indent it, if it belongs to "portal" in line 2.'},
        ),
        ("sipsync: 1\nportal: {webhook: env:A}\nlined: {}\n", {"lined": 'Did you mean "lines"?'}),
        (
            "sipsync: 1\nportal:\n" + "".join(f"k{number}: 1\n" for number in range(200)) + "webhook: env:A\n",
            {"webhook": "Known here: $schema, defaults, include, lines, policy, portal, removed, sipsync."},
        ),
    ],
)
def test_a_key_that_is_not_indented_is_told_where_it_may_belong(
    text: str, hints: dict[str, str], tmp_path: Path
) -> None:
    told = {found.summary: found.hint for found in load_text(tmp_path, text).diagnostics}
    for key, hint in hints.items():
        assert [each for summary, each in told.items() if f'"{key}"' in summary] == [hint]
