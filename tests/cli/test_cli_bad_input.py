"""What may be wrong, and what it gets: a finding with a way out, an exit code, and nothing written."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sipsync.model.problems import Code

if TYPE_CHECKING:
    from support.runs import Sipsync

Setup = Callable[[Any, pytest.MonkeyPatch], None]
SECRETS = ("hunter2 ", "x" * 101, "pw-of-the-portal")


def files(text: str, **more: str) -> Setup:
    """Files about the portal; the first one is sipsync.yaml."""

    def lay(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        acme.write(text, "sipsync.yaml")
        for name, other in more.items():
            acme.write(other, f"{name}.yaml")
        monkeypatch.setenv("BLANK", SECRETS[0])
        monkeypatch.setenv("LONG", SECRETS[1])

    return lay


def answers(do: object) -> Setup:
    """A portal that answers like this, and a file that is in order."""

    def lay(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        acme.write("lines: {sales: {config_id: 101}}\n", "sipsync.yaml")
        acme.faults({"do": do, "match": {"times": 99}})
        monkeypatch.setattr("sipsync.disk.clock.SystemClock.sleep", _at_once)

    return lay


def webhook(url: str) -> Setup:
    """A file that is in order, and another webhook."""

    def lay(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        acme.write("lines: {sales: {config_id: 101}}\n", "sipsync.yaml")
        monkeypatch.setenv("HOOK", url.replace("PORTAL", acme.webhook.rpartition("/rest/")[0]))
        monkeypatch.setattr("sipsync.disk.clock.SystemClock.sleep", _at_once)

    return lay


async def _at_once(*_: object) -> None:
    return None


LINE = "lines:\n  sales: {config_id: 101, title: Sales"
TABLE: dict[str, tuple[Setup, int, Code]] = {
    "a wrong webhook": (webhook("PORTAL/rest/1/wrong/"), 1, Code.CREDENTIAL),
    "an address that is none": (webhook("portal"), 1, Code.BAD_URL),
    "plain http": (webhook("http://acme.bitrix24.ru/rest/1/secret/"), 1, Code.BAD_URL),
    "a host that nobody allowed": (webhook("https://portal.example/rest/1/secret/"), 1, Code.HOST_FORBIDDEN),
    "a portal that is not there": (webhook("http://127.0.0.1:1/rest/1/secret/"), 1, Code.UNREACHABLE),
    "a page in the place of JSON": (answers({"status": 200, "body": "<html>hello"}), 1, Code.NOT_BITRIX24),
    "no telephony scope": (answers({"error": "insufficient_scope"}), 1, Code.NO_SCOPE),
    "no telephony right": (answers({"error": "ACCESS_DENIED"}), 1, Code.NO_RIGHT),
    "a line that does not exist": (files("lines: {a: {config_id: 101}, b: {config_id: 9}}\n"), 1, Code.LINE_NOT_FOUND),
    "lines that all vanished": (files("lines: {b: {config_id: 9}}\n"), 6, Code.VANISHED_LINES),
    "a title that two lines want": (
        files("lines: {a: {config_id: 101, title: T}, b: {config_id: 102, title: T}}\n"),
        1,
        Code.DUPLICATE_TITLE,
    ),
    "a title that is held outside the file": (
        files("lines: {a: {config_id: 101, title: Склад}}\n"),
        1,
        Code.TITLE_HELD,
    ),
    "a line that is to be made, and may not": (files("lines: {a: {title: New}}\n"), 1, Code.CREATE_OFF),
    "a password with a trailing blank": (files(f"{LINE}, password: env:BLANK}}\n"), 1, Code.SECRET_VALUE),
    "a password that is too long": (files(f"{LINE}, password: env:LONG}}\n"), 1, Code.SECRET_VALUE),
    "a password that is not set": (files(f"{LINE}, password: env:NOT_SET}}\n"), 1, Code.SECRET_UNSET),
    "a literal password": (files(f"{LINE}, password: hunter2}}\n"), 1, Code.LITERAL_SECRET),
    "a scheme that nobody knows": (files(f"{LINE}, password: evn:X}}\n"), 1, Code.LITERAL_SECRET),
    "a type that differs": (files(f"{LINE}, type: office}}\n"), 1, Code.TYPE_DIFFERS),
    "one line twice": (files("lines: {a: {config_id: 101}, b: {config_id: 101}}\n"), 1, Code.DUPLICATE_CONFIG_ID),
    "more changes than allowed": (
        files("policy: {max_changes: 1}\nlines: {a: {config_id: 101, title: A}, b: {config_id: 102, title: B}}\n"),
        6,
        Code.MAX_CHANGES,
    ),
    "a protected line": (
        files("policy: {protected: [a]}\nlines: {a: {config_id: 101, title: A}}\n"),
        6,
        Code.PROTECTED,
    ),
}


@pytest.mark.parametrize("what", TABLE)
@pytest.mark.parametrize("command", [["plan"], ["plan", "--format", "json"], ["apply", "--yes"]])
def test_it_is_told_with_its_exit_code_and_nothing_is_written(
    what: str, command: list[str], acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, code, finding = TABLE[what]
    setup(acme, monkeypatch)
    before = acme.lines
    ran = sipsync(*command)
    told = ran.out + ran.err
    assert ran.code == code
    if "json" in command:
        [found, *_] = [found for found in json.loads(ran.out)["diagnostics"] if found["code"] == finding]
        assert found["hint"]
    else:
        assert f"[{finding}]" in told
        assert told.count("Error: ") >= 1
    assert not any(secret in told for secret in SECRETS)
    assert "Traceback" not in told
    assert acme.lines == before
    assert "voximplant.sip.update" not in acme.stats["calls"]


def test_half_a_swap_names_the_other_half(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  a: {config_id: 101, title: Склад}\n  b: {config_id: 102, title: Sales}\n", "sipsync.yaml")
    ran = sipsync("plan", "--line", "a")
    assert ran.code == 1
    assert "[half-swap]" in ran.out
    assert "sipsync.b" in ran.out


def test_two_files_about_one_portal_are_an_error(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines: {a: {config_id: 101}}\n", "portals_a.yaml")
    acme.write("lines: {a: {config_id: 101}}\n", "portals_b.yaml")
    ran = sipsync("plan", "portals_a.yaml", "portals_b.yaml")
    assert (ran.code, "[host-twice]" in ran.out) == (1, True)


def test_a_portal_without_passwords_is_a_warning(acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "new")
    acme.write(f"{LINE}, password: env:PASSWORD}}\n", "sipsync.yaml")
    ran = sipsync("plan", "--no-secrets")
    assert ran.code == 0
    assert "1 to change" not in ran.out


@pytest.mark.parametrize(
    ("override", "code", "finding"),
    [("everything", 64, "[unknown-allow]"), ("max-changes:nobody", 64, "[nothing-selected]")],
)
def test_an_override_that_names_nothing_is_wrong_usage(
    override: str, code: int, finding: str, acme: Any, sipsync: Sipsync
) -> None:
    acme.write(f"{LINE}}}\n", "sipsync.yaml")
    ran = sipsync("plan", "--allow", override)
    assert (ran.code, finding in ran.err) == (code, True)


def test_an_expired_exception_is_a_warning_and_the_field_counts_again(acme: Any, sipsync: Sipsync) -> None:
    acme.write(
        "policy:\n  ignore_fields: [{line: a, field: title, reason: trial, until: 2020-01-01}]\n"
        "lines: {a: {config_id: 101, title: Shop}}\n",
        "sipsync.yaml",
    )
    ran = sipsync("plan")
    assert ran.code == 0
    assert "[ignored-field]" in ran.out
    assert "1 to change" in ran.out


def test_a_plan_of_another_portal_is_refused(acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.write("lines: {a: {config_id: 101, title: Shop}}\n", "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    monkeypatch.setenv("HOOK", acme.webhook.replace(acme.name, "another"))
    ran = sipsync("apply", "--plan", "a.plan.json")
    assert (ran.code, "[plan-seal]" in ran.out) == (5, True)


def test_a_plan_with_half_a_character_in_its_seal_is_refused(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines: {a: {config_id: 101, title: Shop}}\n", "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    plan = json.loads(Path("a.plan.json").read_text())
    plan["parts"][0]["seal"] = "\ud800"
    Path("a.plan.json").write_text(json.dumps(plan))
    for command in (["apply", "--plan", "a.plan.json"], ["show", "a.plan.json"]):
        ran = sipsync(*command)
        assert (ran.code, "[plan-unreadable]" in ran.err) == (1, True)


def test_a_plan_of_another_file_is_refused(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines: {a: {config_id: 101, title: Shop}}\n", "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    acme.write("lines: {a: {config_id: 101, title: Other}}\n", "sipsync.yaml")
    ran = sipsync("apply", "--plan", "a.plan.json")
    assert (ran.code, "[stale-file]" in ran.out, acme.titles[101]) == (5, True, "Sales")


def test_a_plan_of_a_newer_format_is_refused(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines: {a: {config_id: 101, title: Shop}}\n", "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    plan = json.loads(Path("a.plan.json").read_text())
    Path("a.plan.json").write_text(json.dumps({**plan, "format_version": "2.0"}))
    for command in (["apply", "--plan", "a.plan.json"], ["show", "a.plan.json"]):
        ran = sipsync(*command)
        assert (ran.code, "[plan-too-new]" in ran.err) == (1, True)


def test_hostile_titles_do_nothing_to_a_terminal(acme: Any, sipsync: Sipsync) -> None:
    hostile = "[red]\x1b]8;;http://evil.example\x07<script>\u202e\nError: no"
    acme.seed({"config_id": 101, "title": hostile, "login": "a"})
    acme.write("lines: {a: {config_id: 101, title: Shop}}\n", "sipsync.yaml")
    for command in (["plan"], ["status"], ["apply", "--yes"]):
        ran = sipsync(*command)
        assert ran.code == 0
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
        assert "\nError: no" not in ran.out


@pytest.mark.parametrize("line", ["SIP_101=hunter2", "export SIP_101=hunter2"])
@pytest.mark.parametrize("folder", [".", "lines"])
def test_a_file_of_variables_that_is_not_loaded_is_named(line: str, folder: str, acme: Any, sipsync: Sipsync) -> None:
    Path(folder).mkdir(exist_ok=True)
    acme.write(f"{LINE}, password: env:SIP_101}}\n", "sipsync.yaml").replace(Path(folder, "sipsync.yaml"))
    Path(folder, ".env").write_text(f"# Never commit this file.\n{line}\n")
    ran = sipsync("plan", folder)
    path = "./.env" if folder == "." else "lines/.env"
    assert (ran.code, "[secret-unset]" in ran.out, "hunter2" in ran.out) == (1, True, False)
    assert f"`set -a; . {path}; set +a`" in ran.out
    Path(folder, ".env").write_text("OTHER=hunter2\n")
    assert ".env" not in sipsync("plan", folder).out


@pytest.mark.parametrize(
    "half",
    [
        "env:SIP_101_PASSWORD  not managed; without the first # it is",
        "env:SIP_101_PASSWORD (not managed; without the # it is)",
    ],
)
def test_a_comment_that_is_half_taken_away_is_told_as_such(half: str, acme: Any, sipsync: Sipsync) -> None:
    acme.write(f"lines:\n  sales:\n    config_id: 101\n    password: {half}\n", "sipsync.yaml")
    ran = sipsync("validate")
    assert ran.code == 3
    assert "sipsync.yaml:" in ran.out
    assert "Delete what stands behind env:SIP_101_PASSWORD." in ran.out


@pytest.mark.parametrize("secret", ["env:S3cr3t!pw(x)", "vault:https://a.b/rest/1/S3cr3tpw/", "file:a?password=S3cr3t"])
def test_such_a_comment_behind_a_password_does_not_show_it(secret: str, acme: Any, sipsync: Sipsync) -> None:
    acme.write(f"lines:\n  sales:\n    config_id: 101\n    password: {secret} not managed\n", "sipsync.yaml")
    ran = sipsync("validate")
    assert (ran.code, "S3cr3t" in ran.out + ran.err) == (3, False)
    assert ("[literal-secret]" in ran.out) is not secret.startswith("file:")


def test_a_comment_behind_no_name_at_all_is_none(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  sales:\n    config_id: 101\n    password: env:\xa0not managed\n", "sipsync.yaml")
    assert '"env:" names nothing' in sipsync("validate").out


def test_a_snapshot_of_another_day_is_told_with_the_option_that_allows_it(
    acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.write(f"{LINE}2}}\n", "sipsync.yaml")
    sipsync("snapshot", "--out", "state.json")
    state = json.loads(Path("state.json").read_text())
    for portal in state["portals"]:
        portal["taken"] = (datetime.now(UTC) - timedelta(days=4, hours=1)).isoformat(timespec="seconds")
    Path("state.json").write_text(json.dumps(state))
    ran = sipsync("plan", "--against", "state.json")
    assert (ran.code, "[snapshot]" in ran.out, "--max-age 5d" in ran.out) == (1, True, True)
    assert sipsync("plan", "--against", "state.json", "--max-age", "5d").code == 0


def test_a_plan_against_a_snapshot_is_not_applied_and_says_what_is(acme: Any, sipsync: Sipsync) -> None:
    acme.write(f"{LINE}2}}\n", "sipsync.yaml")
    sipsync("snapshot", "--out", "state.json")
    assert sipsync("plan", "--against", "state.json", "--out", "review.json").code == 0
    ran = sipsync("apply", "--plan", "review.json")
    assert (ran.code, "[plan-seal]" in ran.out, acme.titles[101]) == (5, True, "Sales")
    assert "`sipsync apply --expect-changes DIGEST`" in ran.out


def test_an_old_bash_is_told_what_completion_needs(sipsync: Sipsync) -> None:
    script = sipsync("completion", "bash").out + "\ncomplete -p sipsync\n"
    new = subprocess.run(["bash", "--norc"], input=script, capture_output=True, text=True)
    assert (new.returncode, new.stderr) == (0, "")
    script = script.replace("BASH_VERSINFO[0]", "3").replace("BASH_VERSINFO[1]", "2")  # as on a Mac
    old = subprocess.run(["bash", "--norc"], input=script, capture_output=True, text=True)
    assert "completion needs bash 4.4" in old.stderr
    assert old.stdout == ""
