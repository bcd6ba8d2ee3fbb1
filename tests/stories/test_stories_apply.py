"""Plan and apply on an emulated portal over real HTTP."""

from __future__ import annotations

import json
import sys
from datetime import timedelta

import pytest

import sipsync
from sipsync.model.operator import OWN_SECRETS
from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Exit, StalePlan
from support.box import KEY, Box

SWAP = """
lines:
  a: {config_id: 101, title: B}
  b: {config_id: 102, title: A}
"""
MOVE = """
defaults: {server: new.example}
lines:
  a: {config_id: 101}
  b: {config_id: 102}
"""


def two(box: Box) -> None:
    box.seed({"config_id": 101, "title": "A", "login": "a"}, {"config_id": 102, "title": "B", "login": "b"})


def results(outcome: Outcome) -> dict[str, str]:
    return {line.address: line.result for line in outcome.lines}


async def test_apply_then_plan_is_empty(box: Box) -> None:
    two(box)
    box.write(SWAP)
    outcome = await box.apply()
    assert outcome.exit is Exit.OK
    assert results(outcome) == {"acme.a": "applied", "acme.b": "applied"}
    assert box.titles == {101: "B", 102: "A"}
    assert not (await box.plan()).has_changes
    assert box.stats["registrations"] == 0


async def test_a_move_registers_each_line_once(box: Box) -> None:
    two(box)
    box.write(MOVE)
    outcome = await box.apply()
    assert [line.reregistered for line in outcome.lines] == [True, True]
    assert box.stats["registrations"] == 2


async def test_planning_sends_reading_methods_only_and_one_request(box: Box) -> None:
    two(box)
    box.write(MOVE)
    await box.plan()
    stats = box.stats
    assert stats["requests"] == 1
    assert set(stats["calls"]) <= {"batch", "voximplant.sip.get", "voximplant.line.get", "voximplant.line.outgoing.get"}


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (50, 1), (51, 2), (1000, 2)])
async def test_a_plan_of_many_lines_takes_few_requests(box: Box, count: int, requests: int) -> None:
    box.seed(*({"type": "office", "config_id": i, "title": f"T{i}", "login": f"u{i}"} for i in range(1, count + 1)))
    box.write("lines:\n" + "".join(f"  l{i}: {{config_id: {i}, title: T{i}}}\n" for i in range(1, count + 1)))
    plan = await box.plan()
    assert not plan.has_changes
    assert box.stats["requests"] == requests


async def test_fifty_updates_take_at_most_four_requests_with_the_reading_back(box: Box) -> None:
    box.seed(*({"type": "office", "config_id": i, "title": f"T{i}", "login": f"u{i}"} for i in range(1, 51)))
    box.write(
        "defaults: {server: new.example}\nlines:\n" + "".join(f"  l{i}: {{config_id: {i}}}\n" for i in range(1, 51))
    )
    outcome = await box.apply()
    assert outcome.count("update") == 50
    assert box.stats["requests"] <= 4
    assert sum(part.requests for part in outcome.parts) <= 3


async def test_a_few_updates_are_read_back_in_the_writing_request(box: Box) -> None:
    two(box)
    box.write(MOVE)
    plan = await box.plan()
    before = box.stats["requests"]
    await box.apply(plan)
    assert box.stats["requests"] - before == 2


async def test_a_dry_run_reads_prints_the_exact_calls_and_writes_nothing(box: Box) -> None:
    two(box)
    box.write(MOVE)
    before = box.lines
    outcome = await box.apply(dry_run=True)
    assert results(outcome) == {"acme.a": "planned", "acme.b": "planned"}
    assert [dict(call.params) for call in outcome.calls] == [
        {"CONFIG_ID": 101, "TYPE": "cloud", "SERVER": "new.example"},
        {"CONFIG_ID": 102, "TYPE": "cloud", "SERVER": "new.example"},
    ]
    assert box.lines == before
    assert outcome.exit is Exit.OK


async def test_a_finished_plan_sends_nothing_and_is_done(box: Box) -> None:
    two(box)
    box.write(SWAP)
    plan = await box.plan()
    await box.apply(plan)
    calls = box.stats["calls"]["voximplant.sip.update"]
    outcome = await box.apply(plan)
    assert set(results(outcome).values()) == {"done"}
    assert outcome.exit is Exit.OK
    assert box.stats["calls"]["voximplant.sip.update"] == calls


async def test_a_line_that_moved_since_the_plan_is_stale_and_the_others_go_on(box: Box) -> None:
    two(box)
    box.write(MOVE)
    plan = await box.plan()
    box.seed({"config_id": 101, "title": "Moved", "login": "a"}, {"config_id": 102, "title": "B", "login": "b"})
    outcome = await box.apply(plan)
    assert results(outcome) == {"acme.a": "stale", "acme.b": "applied"}
    assert outcome.exit is Exit.STALE
    assert box.lines[101]["server"] == "old.example"
    assert outcome.diagnostics[0].summary.endswith('after this plan was made: title -> "Moved"')


async def test_a_stale_line_says_which_fields_moved_from_what_to_what(box: Box) -> None:
    two(box)
    box.write("lines:\n  a: {config_id: 101, title: New, server: old.example}\n")
    plan = await box.plan()
    box.seed({"config_id": 101, "title": "C", "server": "x.example", "login": "z", "password": "p"})
    outcome = await box.apply(plan)
    said = outcome.diagnostics[0].summary.partition("made: ")[2]
    assert said == 'title "A" -> "C", server "old.example" -> "x.example", login -> "z", password'


async def test_strict_touches_nothing_where_one_line_is_stale(box: Box) -> None:
    two(box)
    box.write(MOVE)
    plan = await box.plan()
    box.seed({"config_id": 101, "title": "Moved", "login": "a"}, {"config_id": 102, "title": "B", "login": "b"})
    outcome = await box.apply(plan, strict=True)
    assert outcome.exit is Exit.STALE
    assert "voximplant.sip.update" not in box.stats["calls"]


async def test_strict_touches_no_portal_where_another_one_is_stale(box: Box) -> None:
    two(box)
    box.write(MOVE)
    (box.folder / "other.yaml").write_text(
        "sipsync: 1\nportal: {webhook: 'env:OTHER'}\nlines:\n  x: {config_id: 201, title: New}\n", encoding="utf-8"
    )
    other = Box(box.url, box.folder)
    other.seed({"config_id": 201, "title": "Old"})
    box.environ |= {"OTHER": other.webhook}
    plan = await box.plan()
    other.seed({"config_id": 201, "title": "Moved"})
    outcome = await box.apply(plan, strict=True)
    assert results(outcome) == {"acme.a": "skipped", "acme.b": "skipped", "other.x": "stale"}
    assert outcome.exit is Exit.STALE
    assert {line["server"] for line in box.lines.values()} == {"old.example"}


async def test_waiting_says_that_office_lines_can_not_be_checked(box: Box) -> None:
    box.seed({"type": "office", "config_id": 101, "title": "A"})
    box.write("lines:\n  a: {config_id: 101, server: new.example}\n")
    outcome = await box.apply(wait=0.001)
    assert "office line can't be checked" in outcome.diagnostics[0].summary
    assert outcome.exit is Exit.OK


async def test_what_waits_for_a_stale_line_is_not_attempted(box: Box) -> None:
    two(box)
    box.write("lines:\n  a: {config_id: 101, title: B}\n  b: {config_id: 102, title: C}\n")
    plan = await box.plan()
    box.seed({"config_id": 101, "title": "A", "login": "a"}, {"config_id": 102, "title": "B", "login": "other"})
    outcome = await box.apply(plan)
    assert results(outcome) == {"acme.a": "skipped", "acme.b": "stale"}
    assert outcome.exit is Exit.STALE


async def test_an_interrupted_swap_is_finished_by_the_same_plan(box: Box) -> None:
    two(box)
    box.write(SWAP)
    plan = await box.plan()
    box.seed({"config_id": 101, "title": "~sipsync-101", "login": "a"}, {"config_id": 102, "title": "B", "login": "b"})
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.OK
    assert box.titles == {101: "B", 102: "A"}


async def test_an_interrupted_swap_is_finished_by_a_new_plan(box: Box) -> None:
    box.seed({"config_id": 101, "title": "~sipsync-101", "login": "a"}, {"config_id": 102, "title": "A", "login": "b"})
    box.write(SWAP)
    plan = await box.plan()
    assert plan.summary.calls == 1
    await box.apply(plan)
    assert box.titles == {101: "B", 102: "A"}


async def test_another_file_state_makes_the_plan_stale(box: Box) -> None:
    two(box)
    box.write(SWAP)
    plan = await box.plan()
    box.write(MOVE)
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.STALE
    assert [found.code for found in outcome.diagnostics] == [Code.STALE_FILE]


async def test_another_secret_makes_its_line_stale(box: Box) -> None:
    two(box)
    box.environ |= {"PW": "one"}
    box.write("lines:\n  a: {config_id: 101, password: 'env:PW'}\n")
    plan = await box.plan()
    box.environ |= {"PW": "two"}
    outcome = await box.apply(plan)
    assert [found.code for found in outcome.diagnostics][:1] == [Code.STALE_SECRET]
    assert outcome.exit is Exit.STALE
    assert box.lines[101]["password"] == "pw"


async def test_an_edited_plan_is_refused(box: Box) -> None:
    two(box)
    box.write(MOVE)
    document = (await box.plan()).to_dict()
    document["calls"][0]["params"]["SERVER"] = "evil.example"
    outcome = await box.apply(Plan.from_dict(document))
    assert [found.code for found in outcome.diagnostics] == [Code.PLAN_SEAL]
    assert outcome.exit is Exit.STALE


async def test_a_plan_can_not_be_made_younger(box: Box) -> None:
    two(box)
    box.write(MOVE)
    document = (await box.plan()).to_dict()
    document["parts"][0]["created"] = "2030-01-01T00:00:00+00:00"
    outcome = await box.apply(Plan.from_dict(document))
    assert [found.code for found in outcome.diagnostics] == [Code.PLAN_SEAL]


async def test_a_plan_of_another_credential_is_refused(box: Box, sandbox_url: str) -> None:
    two(box)
    box.write(MOVE)
    plan = await box.plan()
    box.environ["HOOK"] = f"{sandbox_url}/other/rest/1/sandbox/"
    outcome = await box.apply(plan)
    assert [found.code for found in outcome.diagnostics] == [Code.PLAN_SEAL]


async def test_a_plan_that_is_too_old_is_refused(box: Box) -> None:
    two(box)
    box.write(MOVE)
    outcome = await box.apply(await box.plan(), max_plan_age=timedelta(seconds=-1))
    assert [found.code for found in outcome.diagnostics] == [Code.PLAN_TOO_OLD]
    assert outcome.exit is Exit.STALE


async def test_a_plan_that_was_not_approved_is_refused(box: Box) -> None:
    two(box)
    box.write(MOVE)
    plan = await box.plan()
    with pytest.raises(StalePlan):
        await box.apply(plan, expect="0" * 64)
    assert (await box.apply(plan, expect=plan.plan_id)).exit is Exit.OK


async def test_two_jobs_with_different_credentials_share_a_plan_by_the_plan_key(box: Box) -> None:
    two(box)
    box.environ["SIPSYNC_PLAN_KEY"] = KEY
    box.write(MOVE)
    plan = await box.plan()
    assert (await box.apply(plan)).exit is Exit.OK


async def test_a_refused_line_fails_alone(box: Box) -> None:
    two(box)
    box.write(MOVE)
    box.faults({"match": {"method": "voximplant.sip.update", "nth": 1}, "do": {"error": "CHECK_FIELDS_ERROR"}})
    outcome = await box.apply()
    assert results(outcome) == {"acme.a": "failed", "acme.b": "applied"}
    assert outcome.exit is Exit.PARTIAL
    assert outcome.lines[0].error == "CHECK_FIELDS_ERROR"
    assert outcome.lines[0].advice


async def test_all_writes_refused_means_nothing_was_changed(box: Box) -> None:
    two(box)
    box.write(MOVE)
    box.faults({"match": {"method": "voximplant.sip.update", "times": 9}, "do": {"error": "CHECK_FIELDS_ERROR"}})
    outcome = await box.apply()
    assert set(results(outcome).values()) == {"failed"}
    assert outcome.exit is Exit.ERROR


async def test_a_failed_swap_gets_its_old_title_back(box: Box) -> None:
    two(box)
    box.write(SWAP)
    box.faults({"match": {"method": "voximplant.sip.update", "nth": 2}, "do": {"error": "CHECK_FIELDS_ERROR"}})
    outcome = await box.apply()
    assert box.titles == {101: "A", 102: "B"}
    assert results(outcome) == {"acme.a": "skipped", "acme.b": "failed"}
    assert "old title" in outcome.lines[0].message


@pytest.mark.parametrize("fault", ["reset-before", "reset-after", "truncate"])
async def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(box: Box, fault: str) -> None:
    two(box)
    box.write(MOVE)
    plan = await box.plan()
    box.faults({"match": {"method": "batch", "nth": 2}, "do": fault})
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.OK, outcome.diagnostics
    assert {line["server"] for line in box.lines.values()} == {"new.example"}
    assert box.stats["registrations"] == 2


@pytest.mark.parametrize("fault", ["reset-before", "reset-after"])
async def test_an_add_is_never_made_twice(box: Box, fault: str) -> None:
    box.seed({"config_id": 101, "title": "A", "login": "a"})
    box.write("policy: {create: true}\nlines:\n  n: {title: New, server: s.example, login: n}\n")
    plan = await box.plan()
    box.faults({"match": {"method": "voximplant.sip.add", "times": 1}, "do": fault})
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.OK
    assert list(box.titles.values()).count("New") == 1
    assert outcome.lines[0].config_id in box.lines
    assert not (await box.plan()).has_changes


async def test_an_add_whose_registration_fails_is_a_failure_and_nothing_is_deleted(box: Box) -> None:
    box.seed({"config_id": 101, "title": "A", "login": "a"})
    box.write("policy: {create: true}\nlines:\n  n: {title: New, server: s.example, login: n}\n")
    box.faults({"match": {"method": "voximplant.sip.add"}, "do": "registration-fails"})
    outcome = await box.apply()
    assert results(outcome) == {"acme.n": "failed"}
    assert "REG_ID 0" in outcome.lines[0].message
    assert "New" in box.titles.values()


async def test_a_removed_line_is_deleted_and_the_next_plan_is_empty(box: Box) -> None:
    two(box)
    box.write("policy: {delete: true}\nlines: {}\nremoved:\n  old: {config_id: 102, title: B}\n")
    outcome = await box.apply()
    assert results(outcome) == {"acme.old": "applied"}
    assert list(box.lines) == [101]
    assert not (await box.plan()).has_changes


async def test_an_update_that_is_accepted_and_not_carried_out_is_a_failure(box: Box) -> None:
    two(box)
    box.write("lines:\n  a: {config_id: 101, server: new.example}\n  b: {config_id: 102, server: new.example}\n")
    plan = await box.plan()
    box.faults(
        {
            "match": {"method": "voximplant.sip.get", "nth": 2},
            "do": {"mutate": {"config_id": 101, "server": "back.example"}},
        }
    )
    outcome = await box.apply(plan)
    assert results(outcome) == {"acme.a": "failed", "acme.b": "applied"}
    assert outcome.exit is Exit.PARTIAL


async def test_waiting_tells_whether_the_registration_came_back(box: Box) -> None:
    two(box)
    box.write("lines:\n  a: {config_id: 101, server: new.example}\n")
    outcome = await box.apply(wait=0.001)
    registration = outcome.lines[0].registration
    assert registration is not None
    assert registration.result == "success"
    assert outcome.exit is Exit.OK


@pytest.mark.parametrize(
    ("code", "asked", "exit_", "severity"),
    [
        (403, True, Exit.UNHEALTHY, "error"),
        (403, False, Exit.UNHEALTHY, "error"),
        (0, True, Exit.UNHEALTHY, "error"),
        (0, False, Exit.OK, "warning"),
    ],
)
async def test_a_wait_that_nobody_asked_for_fails_only_where_the_registration_did(
    box: Box, code: int, asked: bool, exit_: Exit, severity: str
) -> None:
    line = {"config_id": 101, "title": "A", "server": "old.example", "login": "a"}
    box.seed({**line, "registration": {"code": code, "message": ""}})
    box.write("lines:\n  a: {config_id: 101, server: new.example}\n")
    outcome = await box.apply(wait=0.001, must_register=asked)
    assert outcome.exit is exit_
    assert [(told.code, told.severity) for told in outcome.diagnostics] == [(Code.UNHEALTHY, severity)]


async def test_a_canary_that_does_not_register_is_restored_and_nothing_else_is_sent(box: Box) -> None:
    two(box)
    box.write(MOVE)
    plan = await box.plan()
    box.faults({"match": {"method": "voximplant.sip.status", "times": 99}, "do": "registration-fails"})
    outcome = await box.apply(plan, canary=True, wait=0.001)
    assert outcome.exit is Exit.UNHEALTHY, outcome.diagnostics
    assert results(outcome) == {"acme.a": "restored", "acme.b": "skipped"}
    assert {line["server"] for line in box.lines.values()} == {"old.example"}


async def test_a_canary_that_registers_lets_the_rest_follow(box: Box) -> None:
    two(box)
    box.write(MOVE)
    outcome = await box.apply(canary=True, wait=0.001)
    assert outcome.exit is Exit.OK
    assert set(results(outcome).values()) == {"applied"}


async def test_too_many_failures_stop_a_portal(box: Box) -> None:
    box.seed(*({"type": "office", "config_id": i, "title": f"T{i}", "login": f"u{i}"} for i in range(1, 81)))
    box.write(
        "defaults: {server: new.example}\nlines:\n" + "".join(f"  l{i}: {{config_id: {i}}}\n" for i in range(1, 81))
    )
    box.faults({"match": {"method": "voximplant.sip.update", "times": 3}, "do": {"error": "CHECK_FIELDS_ERROR"}})
    outcome = await box.apply(max_failures=2)
    assert outcome.exit is Exit.PARTIAL
    assert "stopped after" in outcome.diagnostics[0].summary
    assert "skipped" in results(outcome).values()


async def test_two_portals_of_which_one_is_down_are_half_applied(box: Box) -> None:
    two(box)
    box.write(MOVE)
    (box.folder / "down.yaml").write_text(
        "sipsync: 1\nportal: {webhook: 'env:DOWN'}\nlines:\n  x: {config_id: 1, title: X}\n", encoding="utf-8"
    )
    box.environ["DOWN"] = "http://127.0.0.1:9/rest/1/secret/"
    plan = await box.plan()
    assert (plan.exit, plan.complete, plan.applyable) == (Exit.ERROR, False, True)
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.PARTIAL
    assert {line["server"] for line in box.lines.values()} == {"new.example"}


async def test_one_portal_in_two_files_is_an_error(box: Box) -> None:
    two(box)
    box.write(MOVE)
    box.write(MOVE, "again.yaml")
    plan = await box.plan()
    assert [found.code for found in plan.diagnostics if found.severity == "error"] == [Code.HOST_TWICE] * 2
    plan = await box.plan(exclude=("again",))
    assert [(part.portal, part.exit) for part in plan.parts] == [("acme", Exit.OK)]


async def test_a_portal_can_be_left_out_by_its_name(box: Box) -> None:
    two(box)
    box.write(MOVE)
    (box.folder / "down.yaml").write_text(
        "sipsync: 1\nportal: {webhook: 'env:DOWN'}\nlines:\n  x: {config_id: 1, title: X}\n", encoding="utf-8"
    )
    plan = await box.plan(exclude=("do*", "acme.a"))
    assert [part.portal for part in plan.parts] == ["acme"]
    assert [change.address for change in plan.resource_changes] == ["acme.b"]


async def test_the_operators_check_is_given_no_secret_of_sipsync_and_its_words_are_not_shown(
    box: Box, capfd: pytest.CaptureFixture[str]
) -> None:
    box.seed({"config_id": 101, "type": "office", "title": "A"})
    box.write("lines:\n  a: {config_id: 101, server: new.example}\n")
    own = {name: f"c4n4ry-{number}-0123456789abcdefghijklmnopqrstuvwxyz" for number, name in enumerate(OWN_SECRETS)}
    box.environ |= {**own, "TRUNK": "main"}
    script = (
        "import json, os, sys; print(dict(os.environ), file=sys.stderr); json.dump(dict(os.environ), open('e', 'w'))"
    )
    check = (sys.executable, "-c", f"import os; os.chdir({str(box.folder)!r}); {script}")
    outcome = await box.apply(check_command=check)
    assert outcome.exit is Exit.OK, outcome
    given = json.loads((box.folder / "e").read_text())
    assert (given["TRUNK"], own.keys() & given.keys()) == ("main", set())
    assert "c4n4ry" not in "".join(capfd.readouterr())


async def test_a_difference_that_the_eye_can_not_see_is_said_in_words(box: Box) -> None:
    box.seed({"config_id": 101, "title": "Sales"}, {"config_id": 102, "title": "Shop"})
    box.write('lines:\n  a: {config_id: 101, title: S\u0430les}\n  b: {config_id: 102, title: "Shop\\u200b"}\n')
    shown = sipsync.render(await box.plan(), "text")
    assert "(looks the same: latin small letter a (U+0061) becomes cyrillic small letter a (U+0430))" in shown
    assert "(looks the same, and is not)" in shown
