"""`apply`: the question, saved plans, signals, and what each ending exits with."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from support.box import Box
from support.runs import Terminal, environment

if TYPE_CHECKING:
    from support.runs import Sipsync

RENAME = "lines:\n  sales: {config_id: 101, title: Shop}\n"
SWAP = "lines:\n  sales: {config_id: 101, title: Склад}\n  depot: {config_id: 102, title: Sales}\n"


def test_apply_with_yes_shows_the_plan_and_what_became_of_it(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    ran = sipsync("apply", "--yes")
    assert ran.code == 0
    plan, _, outcome = ran.out.partition("Apply complete! Resources: 0 added, 1 changed, 0 destroyed.")
    assert "will be updated in-place" in plan
    assert outcome
    assert (ran.out.count("sipsync.sales: updated"), ran.err) == (1, "")
    assert acme.titles[101] == "Shop"


def test_nothing_to_do_is_done_without_a_call(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  sales: {config_id: 101, title: Sales}\n", "sipsync.yaml")
    ran = sipsync("apply", "--yes")
    assert ran.code == 0
    assert "No changes." in ran.out
    assert acme.stats["requests"] == 1


def test_where_nobody_is_asked_a_change_takes_two_requests(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    ran = sipsync("apply", "--yes")
    assert (ran.code, acme.stats["requests"]) == (0, 2)
    assert "2 requests in all, reading included" in ran.out


def test_the_requests_of_an_apply_are_told_of_those_portals_only_that_it_asked(
    acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Box(acme.url, acme.folder)
    other.seed({"config_id": 101, "title": "Sales"})
    monkeypatch.setenv("OTHER", other.webhook)
    acme.write(RENAME)
    file = other.write("lines:\n  sales: {config_id: 101, title: Sales}\n", "other.yaml")
    file.write_text(file.read_text("utf-8").replace("env:HOOK", "env:OTHER"), encoding="utf-8")
    ran = sipsync("apply", "acme.yaml", "other.yaml", "--yes")
    assert (ran.code, acme.stats["requests"], other.stats["requests"]) == (0, 2, 1)
    assert "1 API call sent; 2 requests to 1 of 2 portals, reading included." in ran.out


@pytest.mark.parametrize(("typed", "code", "title"), [("yes\n", 0, "Shop"), ("y\n", 1, "Sales"), ("\x04", 1, "Sales")])
def test_only_yes_approves(typed: str, code: int, title: str, acme: Any) -> None:
    acme.write(RENAME, "sipsync.yaml")
    terminal = Terminal("apply")
    terminal.until("Enter a value: ")
    assert "Only 'yes' will be accepted to approve." in terminal.shown
    terminal.type(typed)
    assert terminal.end() == code
    assert ("nothing was sent" in terminal.shown) is (code == 1)
    assert acme.titles[101] == title


def test_ctrl_c_at_the_question_sends_nothing(acme: Any) -> None:
    acme.write(RENAME, "sipsync.yaml")
    terminal = Terminal("apply")
    terminal.until("Enter a value: ")
    terminal.interrupt()
    assert terminal.end() == 130
    assert "interrupted; nothing was changed" in terminal.shown
    assert acme.titles[101] == "Sales"


@pytest.mark.parametrize("arguments", [["apply"], ["apply", "--format", "json"]])
def test_without_a_terminal_and_without_yes_apply_shows_the_plan_and_changes_nothing(
    arguments: list[str], acme: Any, process: Sipsync
) -> None:
    acme.write(RENAME, "sipsync.yaml")
    ran = process(*arguments, stdin="yes\n")
    assert ran.code == 1
    assert "[no-terminal]" in ran.err
    assert "will be updated in-place" in ran.out + ran.err
    assert acme.titles[101] == "Sales"


def test_without_a_terminal_apply_is_content_where_there_is_nothing_to_do(acme: Any, process: Sipsync) -> None:
    acme.write("lines:\n  sales: {config_id: 101, title: Sales}\n", "sipsync.yaml")
    ran = process("apply", stdin="")
    assert (ran.code, "No changes." in ran.out) == (0, True)


def test_input_false_never_asks(acme: Any) -> None:
    acme.write(RENAME, "sipsync.yaml")
    terminal = Terminal("apply", "--input=false")
    assert terminal.end() == 1
    assert "[no-terminal]" in terminal.shown


def test_a_dry_run_prints_the_exact_calls_and_sends_none(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    ran = sipsync("apply", "--dry-run")
    assert ran.code == 0
    assert "voximplant.sip.update CONFIG_ID=101 TYPE=" in ran.out
    assert acme.titles[101] == "Sales"
    assert "voximplant.sip.update" not in acme.stats["calls"]


def test_a_saved_plan_is_applied_without_a_question_and_only_once(acme: Any, sipsync: Sipsync) -> None:
    acme.write(SWAP, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    assert sipsync("apply", "--plan", "a.plan.json").code == 0
    assert acme.titles == {101: "Склад", 102: "Sales"}
    calls = acme.stats["calls"]["voximplant.sip.update"]
    again = sipsync("apply", "--plan", "a.plan.json")
    assert again.code == 0
    assert acme.stats["calls"]["voximplant.sip.update"] == calls == 3


@pytest.mark.parametrize("habit", ["apply", "apply -auto-approve", "apply --auto-approve", "plan", "validate"])
def test_a_saved_plan_in_the_place_of_a_file_gets_the_command_that_applies_it(
    habit: str, acme: Any, sipsync: Sipsync
) -> None:
    acme.write(RENAME, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    ran = sipsync(*habit.split(), "a.plan.json")
    assert (ran.code, ran.out) == (64, "")
    match = re.search(r"Run: `sipsync (.*?)`\.", ran.err)
    assert match, ran
    assert sipsync(*match[1].split()).code == 0
    assert acme.titles[101] == "Shop"


@pytest.mark.parametrize("text", ["{}", "{", '{"sipsync_version": "1", "format_version": "1.0"}', ""])
def test_json_that_is_no_plan_is_a_file_as_any_other(text: str, acme: Any, sipsync: Sipsync) -> None:
    (acme.folder / "a.json").write_text(text)
    assert "[no-marker]" in sipsync("validate", "a.json").out + sipsync("validate", "\0").out


def test_a_saved_plan_does_not_touch_what_moved_meanwhile(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    acme.seed({"config_id": 101, "title": "Somebody's", "login": "a"})
    assert sipsync("apply", "--plan", "a.plan.json").code == 5
    assert acme.titles[101] == "Somebody's"


def test_an_edited_plan_is_refused(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    file = acme.folder / "a.plan.json"
    file.write_text(file.read_text().replace('"Shop"', '"Mine"'))
    assert sipsync("apply", "--plan", "a.plan.json").code == 5
    assert acme.titles[101] == "Sales"


def test_an_old_plan_is_refused(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    ran = sipsync("apply", "--plan", "a.plan.json", "--max-plan-age", "0s")
    assert (ran.code, acme.titles[101]) == (5, "Sales")


def test_only_the_plan_that_was_approved_is_applied(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    digest = json.loads(sipsync("plan", "--format", "json").out)["digest"]
    refused = sipsync("apply", "--yes", "--expect-plan", "0" * 64)
    assert (refused.code, acme.titles[101]) == (5, "Sales")
    assert sipsync("apply", "--yes", "--expect-plan", digest).code == 0


def test_json_is_one_document_on_stdout(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    ran = sipsync("apply", "--yes", "--format", "json", "--report", "markdown=apply.md")
    assert ran.code == 0
    assert json.loads(ran.out)["summary"]["changed"] == 1
    assert "will be updated in-place" in ran.err
    assert (acme.folder / "apply.md").exists()
    acme.write("lines: 7\n", "sipsync.yaml")
    ran = sipsync("apply", "--yes", "--format", "json")
    assert ran.code == 1
    assert json.loads(ran.out)["valid"] is False


def test_a_saved_plan_is_judged_by_the_limits_of_the_run_that_applies_it(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    assert sipsync("plan", "--out", "a.plan.json").code == 0
    (acme.folder / "strict.yaml").write_text("protected: [sales]\n", encoding="utf-8")
    apply = ("apply", "--plan", "a.plan.json", "--policy", "strict.yaml")
    assert (sipsync(*apply).code, acme.titles[101]) == (6, "Sales")
    assert sipsync(*apply, "--allow", "protected:sipsync.nobody").code == 64
    assert sipsync(*apply, "--allow", "protected:sipsync.sales", "--line", "sales").code == 64
    assert (sipsync(*apply, "--allow", "protected:sipsync.sales").code, acme.titles[101]) == (0, "Shop")


def test_lines_that_were_written_and_can_not_be_reported_are_no_error_without_changes(
    acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.write(RENAME, "sipsync.yaml")
    assert sipsync("apply", "--yes", "--report", "json=nowhere/apply.json").code == 4
    assert sipsync("apply", "--yes", "--report", "json=nowhere/apply.json").code == 1
    assert acme.titles[101] == "Shop"

    def broken(*_: object, **_more: object) -> None:
        raise ZeroDivisionError("secret text")

    acme.write(RENAME.replace("Shop", "Store"), "sipsync.yaml")
    monkeypatch.setattr("sipsync.cli.commands.apply.publish", broken)
    ran = sipsync("apply", "--yes")
    assert (ran.code, acme.titles[101]) == (4, "Store")
    assert "internal error: ZeroDivisionError" in ran.err


def test_json_events_tell_the_whole_story(acme: Any, sipsync: Sipsync) -> None:
    acme.write(SWAP, "sipsync.yaml")
    ran = sipsync("apply", "--yes", "--json-events")
    told = [json.loads(line)["type"] for line in ran.out.splitlines()]
    assert told[0] == "version"
    assert {"planned_change", "apply_start", "apply_complete"} <= set(told)
    assert told[-1] == "change_summary"
    acme.write("lines: 7\n", "sipsync.yaml")
    ran = sipsync("apply", "--yes", "--json-events")
    assert json.loads(ran.out.splitlines()[-1])["type"] == "diagnostic"


def test_a_failed_line_exits_with_4_where_another_was_written(acme: Any, sipsync: Sipsync) -> None:
    acme.write(
        "lines:\n  sales: {config_id: 101, title: Shop}\n  depot: {config_id: 102, title: Depot}\n", "sipsync.yaml"
    )
    acme.faults({"match": {"method": "voximplant.sip.update", "nth": 2}, "do": {"error": "CONFIG_NOT_FOUND"}})
    ran = sipsync("apply", "--yes")
    assert ran.code == 4
    assert "Apply incomplete." in ran.out
    assert sorted(acme.titles.values()) != ["Depot", "Shop"]


def test_a_fresh_plan_of_errors_alone_is_shown_once(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  gone: {config_id: 999, title: Gone}\n  sales: {config_id: 101}\n", "sipsync.yaml")
    ran = sipsync("apply", "--yes")
    assert ran.code == 1
    assert ran.out.count("[line-not-found]") == 1
    assert "Apply" not in ran.out


def test_a_command_that_the_operator_did_not_define_is_wrong_usage(acme: Any, sipsync: Sipsync) -> None:
    acme.write(RENAME, "sipsync.yaml")
    ran = sipsync("apply", "--yes", "--check-command", "ping")
    assert (ran.code, "--secret-command ping=" in ran.err) == (64, True)
    assert sipsync("apply", "--dry-run", "--check-command", "ping", "--secret-command", "ping=true").code == 0


def _slow(acme: Any, method: str) -> None:
    """From now on the portal takes its time over a method."""
    acme.faults({"match": {"method": method, "times": 1}, "do": {"delay": 3}})


def _applying(*more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sipsync", "apply", "--plan", "a.plan.json", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def _until_writing(acme: Any) -> None:
    """Wait until a call that writes is under way."""
    for _ in range(1000):
        if acme.stats["calls"].get("voximplant.sip.update", 0):
            return
        time.sleep(0.01)
    raise AssertionError("nothing was sent")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_was_sent_finish_and_the_next_run_goes_on(
    number: signal.Signals, acme: Any, sipsync: Sipsync
) -> None:
    acme.write(SWAP, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    _slow(acme, "voximplant.sip.update")
    running = _applying()
    _until_writing(acme)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Stopping. Sent and not answered yet: sipsync." in err
    assert out
    acme.faults()
    assert sipsync("apply", "--yes").code == 0
    assert acme.titles == {101: "Склад", 102: "Sales"}


def test_a_second_signal_ends_the_run_at_once(acme: Any, sipsync: Sipsync) -> None:
    acme.write(SWAP, "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    _slow(acme, "voximplant.sip.update")
    running = _applying()
    _until_writing(acme)
    running.send_signal(signal.SIGINT)
    assert running.stderr is not None
    assert running.stderr.readline().startswith("Stopping.")
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=10)
    assert running.returncode == 130
    assert err.startswith("Ended at once.")


def test_a_signal_while_planning_is_told_as_one(acme: Any) -> None:
    acme.write(RENAME, "sipsync.yaml")
    _slow(acme, "batch")
    running = subprocess.Popen(
        [sys.executable, "-m", "sipsync", "plan"], stderr=subprocess.PIPE, text=True, env=environment()
    )
    while not acme.stats["requests"]:
        time.sleep(0.01)
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=10)
    assert running.returncode == 130
    assert "interrupted; nothing was changed" in err


def test_a_plan_that_deletes_says_so_in_the_question(acme: Any) -> None:
    acme.write(
        "policy: {delete: true}\nlines: {depot: {config_id: 102}}\nremoved: {sales: {config_id: 101, title: Sales}}\n",
        "sipsync.yaml",
    )
    terminal = Terminal("apply")
    terminal.until("Enter a value: ")
    assert "This deletes 1 line for good." in terminal.shown
    terminal.type("yes\n")
    assert terminal.end() == 0
    assert set(acme.titles) == {102}


def test_an_apply_takes_the_webhook_apart_once_and_looks_into_each_line_that_differs_once(
    acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    import deepdiff

    from sipsync.portal import endpoint

    done: list[str] = []
    webhook = endpoint.webhook

    class Counted(deepdiff.DeepDiff):
        def __init__(self, *args: Any, **options: Any) -> None:
            if "_parameters" not in options:  # else it is a part of one
                done.append("deepdiff")
            super().__init__(*args, **options)

    def counted(*args: Any) -> endpoint.Endpoint:
        done.append("webhook")
        return webhook(*args)

    monkeypatch.setattr(deepdiff, "DeepDiff", Counted)
    monkeypatch.setattr(endpoint, "webhook", counted)
    acme.write("lines: {sales: {config_id: 101, login: z}, store: {config_id: 102, login: b}}\n")
    assert sipsync("apply", "--yes", "acme.yaml").code == 0
    assert sorted(done) == ["deepdiff", "webhook"]
