"""What comes after the writes: registrations, the canary, titles set back, checks of office lines."""

from __future__ import annotations

import sys

import pytest

from sipsync.model.events import LineDone, Waiting
from sipsync.model.problems import Code, Exit
from support.emulated import Asked
from support.lines import codes, desired
from support.rulebook import row
from support.stage import Stage, move, results, stage, swap

SUCCESS, ERROR, IN_PROGRESS = 200, 403, 0
OLD, NEW = "2026-01-01 00:00:00", "2026-01-01 00:00:09"
REFUSED = {"error": "CHECK_FIELDS_ERROR"}
BROKEN = {"error": "INTERNAL_SERVER_ERROR"}


def says(one: Stage, code: int, updated: str) -> None:
    """Whenever it is asked, the telephony provider says this of line 1."""
    one.portal.before = lambda asked: one.portal.says(1, code, updated) if "sip.status" in asked else None


def when_written(one: Stage, code: int) -> None:
    """From the first write on the telephony provider says this of line 1."""
    one.portal.before = lambda asked: one.portal.says(1, code) if "sip.update" in asked else None


# --- waiting ---


async def test_without_wait_nothing_is_asked() -> None:
    one = move()
    await one.apply()
    assert not any("sip.status" in asked for asked in one.portal.asked)


async def test_a_success_that_moved_ends_the_wait() -> None:
    one = move()
    outcome = await one.apply(wait=30.0)
    assert outcome.exit is Exit.OK
    assert [line.registration.result for line in outcome.lines if line.registration] == ["success"] * 2
    assert one.clock.time == 0.0


async def test_a_success_that_did_not_move_counts_at_the_end_of_the_wait() -> None:
    one = move(1)
    says(one, SUCCESS, OLD)
    outcome = await one.apply(wait=10.0)
    assert outcome.exit is Exit.OK
    assert one.clock.time == 10.0
    assert any(isinstance(event, Waiting) and event.reason == "registration" for event in one.events)


async def test_a_failure_from_before_the_write_is_not_taken_for_the_answer() -> None:
    one = move(1)
    says(one, ERROR, OLD)
    one.clock.on_sleep = lambda: says(one, SUCCESS, NEW)
    outcome = await one.apply(wait=10.0)
    assert outcome.exit is Exit.OK
    assert one.clock.time == 3.0


@pytest.mark.parametrize("code", [ERROR, IN_PROGRESS])
async def test_a_line_that_does_not_come_back_is_unhealthy(code: int) -> None:
    one = move(2)
    when_written(one, code)
    outcome = await one.apply(wait=7.0)
    assert outcome.exit is Exit.UNHEALTHY
    assert set(results(outcome).values()) == {"applied"}
    assert codes(outcome) == ["unhealthy"]
    assert one.clock.time == (0.0 if code == ERROR else 7.0)


async def test_a_registration_that_can_not_be_asked_is_unhealthy() -> None:
    one = move(1)
    one.portal.goes_wrong({"error": "REG_ID_NOT_FOUND"}, method="sip.status")
    outcome = await one.apply(wait=1.0)
    assert outcome.exit is Exit.UNHEALTHY
    assert "could not be asked" in outcome.diagnostics[0].summary


async def test_lines_that_were_not_registered_anew_are_not_asked_after() -> None:
    one = stage([row(1, "A"), row(2, "B", type="office")], desired("a", 1, title="X"), desired("b", 2, login="x"))
    await one.apply(wait=10.0)
    assert not any("sip.status" in asked for asked in one.portal.asked)


# --- canary ---


async def test_a_canary_goes_first_and_the_rest_follows() -> None:
    one = move(3)
    outcome = await one.apply(canary=True)
    assert outcome.exit is Exit.OK
    assert one.portal.writes == 2
    assert one.portal.registrations == 3


async def test_a_canary_that_does_not_register_gets_its_old_values_back_and_nothing_else_is_sent() -> None:
    one = move(3, password="PW")
    one.secrets = {"PW": "secret"}
    when_written(one, ERROR)
    outcome = await one.apply(canary=True)
    assert outcome.exit is Exit.UNHEALTHY
    assert results(outcome) == {"l1": "restored", "l2": "skipped", "l3": "skipped"}
    first = one.state.rows[1]
    assert (first.values["server"], first.values["password"]) == ("old.example", "pw")
    assert one.portal.registrations == 2


async def test_a_canary_whose_old_values_can_not_be_set_back_is_a_failure_that_says_so() -> None:
    one = move(2)
    when_written(one, ERROR)
    one.portal.goes_wrong(REFUSED, 2)
    outcome = await one.apply(canary=True)
    assert results(outcome)["l1"] == "failed"
    assert "could NOT be set back" in outcome.diagnostics[0].summary
    assert outcome.exit is Exit.UNHEALTHY


@pytest.mark.parametrize("said", [ERROR, IN_PROGRESS])
async def test_a_canary_is_set_back_although_the_time_given_is_over(said: int) -> None:
    one = move(3)
    one.portal.seconds = 30.0

    def written(asked: Asked) -> None:
        if "sip.update" in asked:
            one.portal.says(1, said)
        if "sip.status" in asked and one.portal.writes:
            one.clock.time += 40.0

    one.portal.before = written
    outcome = await one.apply(canary=True, wait=60.0)
    assert (results(outcome)["l1"], outcome.exit) == ("restored", Exit.UNHEALTHY)
    assert {config_id: line.values["server"] for config_id, line in one.state.rows.items()} == dict.fromkeys(
        (1, 2, 3), "old.example"
    )


async def test_a_title_is_set_back_although_the_time_given_is_over() -> None:
    one = swap()
    one.portal.seconds = 30.0
    one.portal.goes_wrong(REFUSED, 2)

    def written(asked: Asked) -> None:
        one.clock.time += 40.0 if "sip.update" in asked else 0.0

    one.portal.before = written
    assert (await one.apply()).exit is Exit.ERROR
    assert one.titles == {1: "A", 2: "B"}


async def test_a_canary_whose_set_back_is_not_answered_is_looked_up() -> None:
    one = move(2)
    when_written(one, ERROR)
    one.portal.goes_wrong("reset-after", 2)
    outcome = await one.apply(canary=True)
    assert results(outcome)["l1"] == "restored"


async def test_a_portal_that_breaks_while_a_canary_is_set_back_is_told_with_all_that_was_done() -> None:
    one = move(2)
    when_written(one, ERROR)
    one.portal.goes_wrong(BROKEN, *range(2, 20), method="sip.get")
    outcome = await one.apply(canary=True)
    assert outcome.exit is not Exit.OK
    assert set(results(outcome)) == {"l1", "l2"}


async def test_a_canary_whose_old_password_is_not_known_is_not_called_restored() -> None:
    one = stage([row(1, "A"), row(2, "B")], desired("a", 1, password="PW"), secrets={"PW": "new"})
    one.portal.passwords = False
    plan = one.plan(reregister=("acme.a",))
    when_written(one, ERROR)
    outcome = await one.apply(plan, canary=True)
    assert results(outcome) == {"a": "failed"}


async def test_a_canary_that_is_refused_stops_the_run() -> None:
    one = move(2)
    one.portal.goes_wrong(REFUSED, 1)
    outcome = await one.apply(canary=True)
    assert results(outcome) == {"l1": "failed", "l2": "skipped"}
    assert outcome.exit is Exit.ERROR


async def test_a_run_stopped_before_its_canary_is_interrupted() -> None:
    one = move(2)
    one.stop.set()
    outcome = await one.apply(canary=True)
    assert outcome.exit is Exit.INTERRUPTED
    assert one.portal.writes == 0


async def test_a_run_stopped_while_its_canary_registers_leaves_it_and_says_so() -> None:
    one = move(2)
    when_written(one, IN_PROGRESS)
    one.clock.on_sleep = one.stop.set
    outcome = await one.apply(canary=True)
    assert outcome.exit is Exit.INTERRUPTED
    assert results(outcome) == {"l1": "applied", "l2": "skipped"}
    assert one.state.rows[1].values["server"] == "new.example"


async def test_without_a_line_that_can_be_a_canary_the_plan_is_carried_out_and_that_is_said() -> None:
    one = swap(server="new.example")
    outcome = await one.apply(canary=True)
    assert set(results(outcome).values()) == {"applied"}
    assert "no canary" in outcome.diagnostics[0].summary
    assert outcome.exit is Exit.OK
    only_titles = swap()
    assert not (await only_titles.apply(canary=True)).diagnostics


# --- titles set back ---


async def test_a_title_that_can_not_be_set_back_is_told_first_and_the_run_was_partial() -> None:
    one = swap()
    one.portal.goes_wrong(REFUSED, 2, 3)
    outcome = await one.apply()
    assert codes(outcome)[0] == Code.TEMPORARY_LEFT
    assert outcome.exit is Exit.PARTIAL
    assert one.titles[1] == "~sipsync-1"


@pytest.mark.parametrize("broken", [2, 3])
async def test_a_portal_that_breaks_while_a_title_is_set_back_is_told(broken: int) -> None:
    one = swap()
    one.portal.goes_wrong(REFUSED, 2)
    one.portal.goes_wrong(BROKEN, *range(broken, 20), method="sip.get")
    outcome = await one.apply()
    assert codes(outcome)[0] == Code.TEMPORARY_LEFT
    assert outcome.exit is Exit.PARTIAL


async def test_an_interrupted_swap_names_the_line_at_its_temporary_title() -> None:
    rows = [row(i, f"T{i}") for i in range(1, 53)]
    ring = [desired(f"l{i}", i, title=f"T{i % 52 + 1}") for i in range(1, 53)]
    one = stage([*rows], *ring)
    one.portal.before = lambda asked: one.stop.set() if "sip.update" in asked else None
    outcome = await one.apply()
    assert codes(outcome)[:2] == [Code.TEMPORARY_LEFT, Code.INTERRUPTED]
    assert outcome.exit is Exit.INTERRUPTED
    one.stop.clear()
    assert (await one.apply()).exit is Exit.OK


async def test_a_title_left_by_another_run_is_told_where_it_can_not_be_finished() -> None:
    one = swap()
    plan = one.plan()
    one.run(one.bound(plan).calls[0])
    one.portal.goes_wrong(REFUSED, 2)
    outcome = await one.apply(plan)
    assert codes(outcome) == [Code.TEMPORARY_LEFT]


async def test_a_lost_rename_that_is_carried_out_late_is_not_called_set_back() -> None:
    one = swap()
    plan = one.plan()
    one.portal.goes_wrong("reset-before", 3, 4)
    late = one.bound(plan).calls[2]

    def late_reading(_asked: Asked) -> None:
        # The plan's reading, two for the lost answers, one of what was written; the fifth is for the title.
        if sum("sip.update" not in asked for asked in one.portal.asked) == 5:
            one.run(late)

    one.portal.before = late_reading
    outcome = await one.apply(plan)
    assert one.titles[1] == "B"
    assert not any("old title" in line.message for line in outcome.lines)
    assert Code.TEMPORARY_LEFT not in codes(outcome)


async def test_each_line_is_told_done_once() -> None:
    one = swap()
    await one.apply()
    done = [event.address for event in one.events if isinstance(event, LineDone)]
    assert sorted(done) == ["acme.a", "acme.b"]


# --- adds and office lines ---


async def test_a_new_line_that_does_not_register_is_a_failure_that_gives_its_id() -> None:
    one = stage([], desired("n", title="New", server="s.example", login="x"))
    one.portal.goes_wrong("registration-fails", 1, method="sip.add")
    outcome = await one.apply()
    assert results(outcome) == {"n": "failed"}
    assert outcome.lines[0].config_id == 1
    assert "REG_ID 0" in outcome.lines[0].message
    assert outcome.exit is Exit.PARTIAL


@pytest.mark.parametrize("fault", ["reset-before", "reset-after"])
async def test_a_new_line_whose_answer_was_lost_is_made_once(fault: str) -> None:
    one = stage([], desired("n", title="New", server="s.example", login="x"))
    one.portal.goes_wrong(fault, 1, method="sip.add")
    outcome = await one.apply()
    assert (results(outcome), outcome.lines[0].config_id) == ({"n": "applied"}, 1)
    assert len(one.titles) == 1


@pytest.mark.parametrize("fault", ["reset-before", "reset-after"])
async def test_a_delete_whose_answer_was_lost_is_looked_up(fault: str) -> None:
    one = stage([row(1, "A"), row(2, "B")], removed={"a": (1, "A")})
    one.portal.goes_wrong(fault, 1, method="sip.delete")
    assert results(await one.apply()) == {"a": "applied"}
    assert list(one.titles) == [2]


async def test_a_delete_that_is_accepted_and_not_carried_out_is_a_failure() -> None:
    one = stage([row(1, "A")], removed={"a": (1, "A")})
    again = {"config_id": 1, "title": "A", "server": "old.example", "login": "u1"}
    one.portal.goes_wrong({"mutate": again}, 2, method="sip.get")
    assert results(await one.apply()) == {"a": "failed"}


async def test_a_line_that_somebody_deletes_meanwhile_is_a_failure() -> None:
    one = move(50)
    one.portal.goes_wrong({"mutate": {"config_id": 1, "delete": True}}, 2, method="sip.get")
    outcome = await one.apply()
    assert outcome.lines[0].message == "the line is gone"


@pytest.mark.parametrize(
    ("command", "exit_"),
    [
        ((sys.executable, "-c", "import sys; sys.exit(sys.argv[1:] != ['acme.o', '1'])"), Exit.OK),
        ((sys.executable, "-c", "import sys; sys.exit(3)"), Exit.UNHEALTHY),
        (("/does/not/exist",), Exit.UNHEALTHY),
    ],
)
async def test_the_operators_command_checks_office_lines(command: tuple[str, ...], exit_: Exit) -> None:
    one = stage([row(1, "A", type="office"), row(2, "B")], desired("o", 1, login="x"), desired("c", 2, login="y"))
    assert (await one.apply(check_command=command)).exit is exit_
