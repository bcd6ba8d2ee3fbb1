"""`plan`, `show`, `validate`, `snapshot`: what is printed, what is written, and the exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sipsync.report import FORMATS
from support.runs import environment

if TYPE_CHECKING:
    from support.runs import Sipsync

MOVE = "lines:\n  sales: {config_id: 101, title: Sales, server: new.example}\n  depot: {config_id: 102}\n"
SAME = "lines:\n  sales: {config_id: 101, title: Sales, server: old.example}\n"


def test_a_plan_shows_what_changes_and_changes_nothing(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    before = acme.lines
    ran = sipsync("plan")
    assert (ran.code, ran.err) == (0, "")
    assert '~ server = "old.example" -> "new.example"' in ran.out
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in ran.out
    assert "\x1b" not in ran.out
    assert acme.lines == before


def test_an_empty_plan_says_so(acme: Any, sipsync: Sipsync) -> None:
    acme.write(SAME, "sipsync.yaml")
    ran = sipsync("plan", "--detailed-exitcode")
    assert ran.code == 0
    assert ran.out.startswith("No changes.")


@pytest.mark.parametrize("format_", FORMATS)
def test_the_exit_code_does_not_depend_on_the_format(format_: str, acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    assert sipsync("plan", "--format", format_).code == 0
    assert sipsync("plan", "--format", format_, "--detailed-exitcode").code == 2


def test_one_run_writes_every_report(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    ran = sipsync("plan", *(f"--report={name}={name}.out" for name in FORMATS))
    assert ran.code == 0
    assert all((acme.folder / f"{name}.out").stat().st_size for name in FORMATS)
    assert json.loads((acme.folder / "json.out").read_text())["summary"]["change"] == 1
    assert acme.stats["requests"] == 1


def test_an_unwritable_report_loses_neither_the_plan_nor_the_other_reports(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    ran = sipsync("plan", "--report", "html=nowhere/plan.html", "--report", "json=plan.json", "--out", "a.plan.json")
    assert ran.code == 1
    assert "Plan: 0 to add" in ran.out
    assert "plan.html can't be written: no such file or directory" in ran.err
    assert (acme.folder / "plan.json").exists()
    assert (acme.folder / "a.plan.json").exists()


def test_a_plan_that_cannot_be_saved_is_shown_all_the_same(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    ran = sipsync("plan", "--out", "nowhere/a.plan.json")
    assert ran.code == 1
    assert "Plan: 0 to add" in ran.out
    assert "[unwritable]" in ran.err


def test_a_saved_plan_says_how_to_carry_it_out_unless_a_program_runs_this(
    acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.write(MOVE, "sipsync.yaml")
    assert "sipsync apply --plan a.plan.json" in sipsync("plan", "--out", "a.plan.json").err
    monkeypatch.setenv("SIPSYNC_IN_AUTOMATION", "1")
    assert sipsync("plan", "--out", "a.plan.json").err == ""


def test_json_is_the_whole_of_stdout_also_where_the_files_are_wrong(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines: {sales: {titel: x}}\n", "sipsync.yaml")
    ran = sipsync("plan", "--format", "json", "--report", "markdown=plan.md", "--out", "a.plan.json")
    assert ran.code == 1
    plan = json.loads(ran.out)
    assert (plan["errored"], plan["applyable"]) == (True, False)
    assert "unknown key" in ran.err
    assert "unknown key" in (acme.folder / "plan.md").read_text()
    assert (acme.folder / "a.plan.json").exists()


def test_wrong_files_are_told_on_stderr_with_place_caret_and_hint(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  sales: {titel: Sales}\n", "sipsync.yaml")
    ran = sipsync("plan")
    assert (ran.code, ran.out) == (1, "")
    assert "sipsync.yaml:6:11" in ran.err
    assert "^^^^^" in ran.err
    assert 'Did you mean "title"?' in ran.err


def test_json_events_are_all_of_stdout(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    told = [json.loads(line) for line in sipsync("plan", "--json-events").out.splitlines()]
    assert told[0]["type"] == "version"
    assert told[-1]["type"] == "change_summary"
    assert "planned_change" in [event["type"] for event in told]
    acme.write("lines: 7\n", "sipsync.yaml")
    ran = sipsync("plan", "--json-events")
    assert ran.code == 1
    assert [json.loads(line)["type"] for line in ran.out.splitlines()][-1] == "diagnostic"


def test_a_selection_narrows_the_plan_and_one_that_names_nothing_is_wrong_usage(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    assert "No changes" in sipsync("plan", "--line", "depot").out
    assert "No changes" in sipsync("plan", "--exclude", "sipsync.sales").out
    assert sipsync("plan", "--line", "nothing*").code == 64
    assert sipsync("plan", "--portal", "nothing*").code == 64


def test_a_github_job_gets_its_summary_and_its_outputs(
    acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.write(MOVE, "sipsync.yaml")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(acme.folder / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(acme.folder / "output"))
    assert sipsync("plan", "--github", "--out", "a.plan.json").code == 0
    outputs = dict(line.split("=", 1) for line in (acme.folder / "output").read_text().splitlines())
    assert outputs["changes"] == "true"
    assert (outputs["to_add"], outputs["to_change"], outputs["to_destroy"]) == ("0", "1", "0")
    assert outputs["plan_path"] == str(acme.folder / "a.plan.json")
    assert "new.example" in (acme.folder / "summary").read_text()
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    (acme.folder / "output").unlink()
    sipsync("plan", "--github")
    assert "plan_path=\n" in (acme.folder / "output").read_text()


def test_a_saved_plan_is_shown_in_any_format_without_its_portal(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    planned = sipsync("plan", "--out", "a.plan.json")
    requests = acme.stats["requests"]
    assert sipsync("show", "a.plan.json").out == planned.out
    assert json.loads(sipsync("show", "a.plan.json", "--format", "json").out)["summary"]["change"] == 1
    assert acme.stats["requests"] == requests


def test_a_saved_plan_is_verified_offline(acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.write(MOVE, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    requests = acme.stats["requests"]
    good = sipsync("show", "a.plan.json", "--verify")
    assert (good.code, "Verified" in good.err) == (0, True)
    acme.write(SAME, "sipsync.yaml")
    assert sipsync("show", "a.plan.json", "--verify").code == 5
    acme.write(MOVE, "sipsync.yaml")
    monkeypatch.delenv("HOOK")
    assert sipsync("show", "a.plan.json", "--verify").code == 1
    assert acme.stats["requests"] == requests


def _summary(plan: dict[str, Any]) -> None:
    plan["parts"][0]["summary"] |= {"change": 0, "reregistrations": 0}
    plan["summary"] = plan["parts"][0]["summary"]


def _warnings(plan: dict[str, Any]) -> None:
    plan["diagnostics"] = []
    plan["parts"][0]["diagnostics"] = 0


def _place(plan: dict[str, Any]) -> None:
    plan["resource_changes"][0]["source"]["file"] = "elsewhere.yaml"


def _unchanged(plan: dict[str, Any]) -> None:
    row = plan["resource_changes"][0]
    plan["resource_changes"].append(row | {"change": row["change"] | {"actions": ["no-op"]}})


def _head(plan: dict[str, Any]) -> None:
    plan["summary"] = plan["summary"] | {"change": 0}


def _orphan(plan: dict[str, Any]) -> None:
    plan["resource_changes"].append(plan["resource_changes"][0] | {"portal": "another"})


def _twice(plan: dict[str, Any]) -> None:
    plan["parts"].insert(0, plan["parts"][0])


@pytest.mark.parametrize("edit", [_summary, _warnings, _place, _unchanged, _head, _orphan, _twice])
def test_whatever_is_edited_in_a_saved_plan_is_told(
    acme: Any, sipsync: Sipsync, edit: Callable[[dict[str, Any]], None]
) -> None:
    acme.write(MOVE.replace("102}", "102, password: env:PW}"), "sipsync.yaml")
    assert "[passwords-not-compared]" in sipsync("plan", "--no-secrets", "--out", "a.plan.json").out
    assert sipsync("show", "a.plan.json", "--verify").code == 0
    plan = json.loads(Path("a.plan.json").read_text())
    edit(plan)
    Path("a.plan.json").write_text(json.dumps(plan))
    ran = sipsync("show", "a.plan.json", "--verify")
    assert (ran.code, "Verified" in ran.err) == (5, False)


def test_what_is_shown_is_not_said_to_be_verified(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    for format_ in ("text", "html", "json"):
        assert "Nothing was verified" in sipsync("show", "a.plan.json", "--format", format_).err
    verified = sipsync("show", "a.plan.json", "--verify").err
    assert "Nothing was verified" not in verified
    assert json.loads(Path("a.plan.json").read_text())["digest"] in verified


def test_the_digest_that_expect_plan_takes_is_shown_where_the_plan_is(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    saved = sipsync("plan", "--out", "a.plan.json").err
    shown = sipsync("show", "a.plan.json").err
    digest = saved.rpartition("Plan digest: ")[2].strip()
    assert f"Plan digest: {digest}\n" in shown
    refused = sipsync("apply", "--plan", "a.plan.json", "--expect-plan", "0" * 64)
    assert (refused.code, "`sipsync plan --out FILE`" in " ".join(refused.err.split())) == (5, True)
    assert sipsync("apply", "--plan", "a.plan.json", "--expect-plan", digest).code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "is empty"), ('{"format_version":', "is cut off"), ("hello", "is not JSON"), ("{}", "is not a sipsync plan")],
)
def test_a_file_that_is_no_plan_is_told_so(text: str, says: str, home: Path, sipsync: Sipsync) -> None:
    Path("a.plan.json").write_text(text)
    for command in (["show", "a.plan.json"], ["apply", "--plan", "a.plan.json"]):
        Path("sipsync.yaml").write_text("sipsync: 1\nportal: {sandbox: x}\nlines: {a: {title: A}}\n")
        ran = sipsync(*command)
        assert (ran.code, ran.out) == (1, "")
        assert says in ran.err


def test_a_plan_against_a_snapshot_asks_no_portal_and_needs_no_credential(
    acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.write(MOVE, "sipsync.yaml")
    ran = sipsync("snapshot", "--out", "snapshot.json")
    assert (ran.code, ran.out) == (0, "snapshot.json: 2 lines of 1 portal, without passwords.\n")
    requests = acme.stats["requests"]
    monkeypatch.delenv("HOOK")
    planned = sipsync("plan", "--against", "snapshot.json")
    assert planned.code == 0
    assert '"old.example" -> "new.example"' in planned.out
    assert acme.stats["requests"] == requests
    assert sipsync("plan", "--against", "snapshot.json", "--max-age", "0s").code != 0


def test_the_digest_of_a_plan_for_review_is_what_apply_takes_after_the_merge(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    sipsync("snapshot", "--out", "snapshot.json")
    saved = sipsync("plan", "--against", "snapshot.json", "--out", "review.json")
    assert "and so does `sipsync apply`" not in (shown := sipsync("show", "review.json").err)
    assert "`sipsync apply` does not take this plan" in shown
    assert "To carry out exactly this plan" not in saved.out + saved.err
    digest = saved.out.splitlines()[-1].removeprefix("Changes digest: ")
    assert f"sipsync apply --expect-changes {digest}" in saved.err
    assert sipsync("apply", "--plan", "review.json").code == 5
    refused = sipsync("apply", "--yes", "--expect-changes", "0" * 64)
    assert (refused.code, acme.lines[101]["server"]) == (5, "old.example")
    assert sipsync("apply", "--yes", "--expect-changes", digest).code == 0
    assert acme.lines[101]["server"] == "new.example"


def test_validate_tells_findings_in_every_format_with_one_exit_code(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines: {sales: {titel: x}}\n", "sipsync.yaml")
    for format_ in ("text", "json", "sarif", "github", "junit"):
        ran = sipsync("validate", "--format", format_)
        assert ran.code == 3
        assert "titel" in ran.out
    acme.write(SAME, "sipsync.yaml")
    assert sipsync("validate").code == 0
    assert acme.stats["requests"] == 0


def test_a_reader_that_leaves_changes_no_exit_code(acme: Any) -> None:
    acme.write(MOVE, "sipsync.yaml")
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "sipsync", "plan", "--detailed-exitcode"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (2, b"")


def test_help_into_a_closed_pipe_is_no_failure(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "sipsync", "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_a_title_that_the_terminal_cannot_hold_is_escaped(acme: Any, process: Sipsync) -> None:
    acme.write("lines:\n  depot: {config_id: 102, title: Магазин}\n", "sipsync.yaml")
    ran = process("plan", env={"PYTHONIOENCODING": "ascii"})
    assert ran.code == 0
    assert r"\u0421\u043a\u043b\u0430\u0434" in ran.out


def test_colour_is_for_people_and_off_in_reports(acme: Any, sipsync: Sipsync) -> None:
    acme.write(MOVE, "sipsync.yaml")
    ran = sipsync("--color", "always", "plan", "--report", "text=plan.txt")
    assert "\x1b[" in ran.out
    assert "\x1b" not in (acme.folder / "plan.txt").read_text()
    assert "\x1b" not in sipsync("--color", "always", "plan", "--format", "json").out


def test_the_operators_policy_bounds_the_file(acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.write(MOVE, "sipsync.yaml")
    (acme.folder / "policy.yaml").write_text("protected: [sales]\n")
    assert sipsync("plan", "--policy", "policy.yaml").code == 6
    monkeypatch.setenv("SIPSYNC_POLICY", "policy.yaml")
    ran = sipsync("plan")
    assert (ran.code, "protected" in ran.out) == (6, True)
    monkeypatch.setenv("SIPSYNC_POLICY", "missing.yaml")
    assert "there is no policy file missing.yaml" in sipsync("plan").err


def test_a_portal_that_refuses_connections_is_told(
    acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipsync.disk.clock.SystemClock.sleep", _at_once)
    acme.write(MOVE, "sipsync.yaml")
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/rest/1/x/")
    ran = sipsync("plan")
    assert ran.code == 1
    assert "127.0.0.1:1 can't be reached" in ran.out


async def _at_once(*_: object) -> None:
    return None


@pytest.mark.parametrize(
    ("files", "code", "says"),
    [
        ({}, 1, "neither sipsync.yaml nor a folder portals"),
        ({"portals/readme.txt": ""}, 1, "no portal's file in the folder portals"),
        ({"sipsync.yaml": "lines: {}\n"}, 1, "marker"),
        ({"sipsync.yaml": "sipsync: 1\nportal: {webhook: env:NOT_SET}\nlines: {a: {title: A}}\n"}, 1, "NOT_SET"),
        ({"sipsync.yaml": "sipsync: 1\nportal: {webhook: env:EMPTY}\nlines: {a: {title: A}}\n"}, 1, "EMPTY"),
        ({"sipsync.yaml": "sipsync: 1\nportal: {webhook: env:EVIL}\nlines: {a: {title: A}}\n"}, 1, "SIPSYNC_HOSTS"),
        ({"sipsync.yaml": "sipsync: 1\nportal: [\n"}, 1, "sipsync.yaml:"),
    ],
)
def test_what_cannot_be_planned_says_why(
    files: dict[str, str], code: int, says: str, home: Path, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("EVIL", "https://bitrix24.ru.evil.example/rest/1/secret123/")
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    ran = sipsync("plan")
    assert ran.code == code
    assert says in ran.out + ran.err
    assert "secret123" not in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_a_selection_that_leaves_no_portal_is_no_empty_plan(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  sales: {config_id: 101, title: New}\n")
    ran = sipsync("plan", "acme.yaml", "--exclude", "*")
    assert (ran.code, "no portal is left to ask" in ran.err, "No changes" in ran.out) == (64, True, False)


def test_what_the_plan_offers_for_a_block_that_was_taken_out_deletes_the_line(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  sales: {config_id: 101, title: Sales}\n", "sipsync.yaml")
    hint = next(
        found["hint"]
        for found in json.loads(sipsync("plan", "--format", "json").out)["diagnostics"]
        if found["code"] == "unmanaged"
    )
    block, delete, below = re.findall("`([^`]+)`", hint)[-3:]
    assert (delete, below) == ("delete: true", "policy:")
    Path("sipsync.yaml").write_text(f"{Path('sipsync.yaml').read_text()}{block}\n{below} {{{delete}}}\n")
    assert "Plan: 0 to add, 0 to change, 1 to destroy." in sipsync("plan").out
    assert sipsync("apply", "--yes").code == 0
    assert set(acme.lines) == {101}
