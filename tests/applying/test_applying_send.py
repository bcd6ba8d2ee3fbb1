"""Sending: each reply in each position, lost answers, interruption, old readings."""

from __future__ import annotations

import pytest

from sipsync.model.problems import Code, Exit
from support.emulated import Asked
from support.lines import codes, desired
from support.rulebook import row
from support.stage import move, results, stage, swap

REFUSED = {"error": "CHECK_FIELDS_ERROR"}
BROKEN = {"error": "INTERNAL_SERVER_ERROR"}


async def test_a_swap_is_carried_out_and_read_back_in_one_request() -> None:
    one = swap()
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert results(outcome) == {"a": "applied", "b": "applied"}
    assert one.titles == {1: "B", 2: "A"}
    assert [len(asked.commands) for asked in one.portal.asked] == [3, 4]
    assert not one.plan().calls


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_swap_whose_whole_answer_was_lost_is_finished_and_not_begun_again(when: str) -> None:
    one = swap(server="new.example")
    one.portal.goes_wrong(f"reset-{when}", 1)
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert one.titles == {1: "B", 2: "A"}
    assert one.portal.registrations == 2
    assert one.portal.writes == (2 if when == "before" else 1)


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("fault", ["reset-before", "reset-after", "truncate"])
async def test_a_lost_answer_anywhere_in_a_swap_is_looked_up(place: int, fault: str) -> None:
    one = swap(server="new.example")
    one.portal.goes_wrong(fault, place)
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert one.titles == {1: "B", 2: "A"}
    assert one.portal.registrations == 2


@pytest.mark.parametrize("place", [1, 2, 3])
async def test_a_refusal_anywhere_in_a_swap_leaves_no_temporary_title(place: int) -> None:
    one = swap()
    one.portal.goes_wrong(REFUSED, place)
    outcome = await one.apply()
    assert not any((title or "").startswith("~sipsync") for title in one.titles.values()) or place == 3
    assert outcome.exit is (Exit.PARTIAL if place == 3 else Exit.ERROR)
    assert (Code.TEMPORARY_LEFT in codes(outcome)) is (place == 3)
    assert outcome.lines
    assert (await one.apply()).exit is Exit.OK
    assert one.titles == {1: "B", 2: "A"}


async def test_a_credential_that_expires_before_the_first_write_is_an_error_and_not_a_success() -> None:
    one = move()
    one.portal.goes_wrong({"error": "INVALID_CREDENTIALS"}, 1, 2)
    outcome = await one.apply()
    assert set(results(outcome).values()) == {"skipped"}
    assert outcome.exit is Exit.ERROR
    assert len(outcome.diagnostics) == 1


async def test_a_credential_that_expires_halfway_is_a_partial_apply() -> None:
    one = move(52)
    one.portal.goes_wrong({"error": "INVALID_CREDENTIALS"}, 51, 52)
    outcome = await one.apply()
    assert list(results(outcome).values()) == ["applied"] * 50 + ["skipped"] * 2
    assert outcome.exit is Exit.PARTIAL


async def test_calls_that_did_not_reach_the_server_are_sent_again() -> None:
    one = move(3)
    one.portal.goes_wrong(REFUSED, 1)
    one.portal.goes_wrong({"error": "QUERY_LIMIT_EXCEEDED"}, 2)
    outcome = await one.apply()
    assert results(outcome) == {"l1": "failed", "l2": "applied", "l3": "applied"}
    assert outcome.exit is Exit.PARTIAL


async def test_a_portal_that_runs_nothing_ends_the_run() -> None:
    one = move(1)
    one.portal.seconds = 60.0
    one.portal.goes_wrong({"error": "QUERY_LIMIT_EXCEEDED"})
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"l1": "skipped"}, Exit.ERROR)


async def test_an_answer_lost_twice_is_sent_twice_and_then_unconfirmed() -> None:
    one = move(1)
    one.portal.goes_wrong("reset-before")
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"l1": "unverified"}, Exit.PARTIAL)
    assert one.portal.writes == 2
    assert outcome.lines[0].calls == 2


async def test_an_answer_lost_twice_is_done_where_the_second_call_was_carried_out() -> None:
    one = move(1)
    one.portal.goes_wrong("reset-before", 1)
    one.portal.goes_wrong("reset-after", 2)
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"l1": "applied"}, Exit.OK)


async def test_a_lost_answer_that_can_not_be_looked_up_is_unconfirmed() -> None:
    one = move(1)
    one.portal.goes_wrong("reset-after", 1)
    one.portal.goes_wrong(BROKEN, *range(2, 20), method="sip.get")
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"l1": "unverified"}, Exit.PARTIAL)


async def test_a_written_line_that_can_not_be_read_back_is_unconfirmed() -> None:
    one = move(50)
    one.portal.goes_wrong(BROKEN, *range(2, 20), method="sip.get")
    outcome = await one.apply()
    assert set(results(outcome).values()) == {"unverified"}
    assert outcome.exit is Exit.PARTIAL


async def test_a_write_that_is_accepted_and_not_carried_out_is_a_failure() -> None:
    one = move(2)
    one.portal.goes_wrong({"mutate": {"config_id": 1, "server": "old.example"}}, 2, method="sip.get")
    outcome = await one.apply()
    assert results(outcome) == {"l1": "failed", "l2": "applied"}
    assert (outcome.lines[0].error, outcome.lines[0].code) == ("", Code.NOT_CARRIED_OUT)


async def test_max_failures_stop_the_portal() -> None:
    one = move(60)
    one.portal.goes_wrong(REFUSED, 1, 2)
    outcome = await one.apply(max_failures=2)
    assert list(results(outcome).values()).count("skipped") == 10
    assert outcome.exit is Exit.PARTIAL
    assert codes(outcome) == ["write-failed"]


async def test_a_stop_before_the_first_write_sends_nothing() -> None:
    one = move()
    one.stop.set()
    outcome = await one.apply()
    assert outcome.exit is Exit.INTERRUPTED
    assert one.portal.writes == 0
    assert set(results(outcome).values()) == {"skipped"}


async def test_a_stop_lets_the_calls_in_flight_end_and_sends_no_more() -> None:
    one = move(60)
    one.portal.before = lambda asked: one.stop.set() if "sip.update" in asked else None
    outcome = await one.apply()
    assert outcome.exit is Exit.INTERRUPTED
    assert list(results(outcome).values()).count("applied") == 50
    assert one.portal.writes == 1


# --- old readings ---


async def test_a_reading_older_than_a_minute_is_repeated_before_anything_is_written() -> None:
    one = move(3)
    one.clock.time = 100.0
    outcome = await one.apply(read_at=30.0)
    assert outcome.exit is Exit.OK
    assert ["sip.update" in asked for asked in one.portal.asked] == [False, False, True]


async def test_every_line_is_compared_at_most_a_minute_before_its_write() -> None:
    one = move(150)
    one.portal.goes_wrong({"delay": 65}, 50)
    one.portal.goes_wrong({"delay": 45}, 100)
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    compared, checked = dict.fromkeys(map(str, range(1, 151)), 0.0), 0
    for asked in one.portal.asked:
        for name, params in asked.commands:
            if name.endswith("sip.get") and "FILTER" in params:
                ids = params["FILTER"]["CONFIG_ID"]
                compared |= dict.fromkeys(map(str, ids.values() if isinstance(ids, dict) else ids), asked.time)
            elif name.endswith("sip.update"):
                assert asked.time - compared[params["CONFIG_ID"]] <= 60.0
                checked += 1
    assert checked == 150


async def test_a_line_that_moved_before_it_is_written_is_left_alone_with_those_that_wait_for_it() -> None:
    one = stage([row(1, "A"), row(2, "B"), row(3, "C")], desired("a", 1, title="B"), desired("b", 2, title="X"))
    plan = one.plan()
    one.clock.time = 100.0
    one.portal.goes_wrong({"mutate": {"config_id": 2, "login": "moved"}}, 2, method="sip.get")
    outcome = await one.apply(plan, read_at=0.0)
    assert results(outcome) == {"a": "skipped", "b": "stale"}
    assert one.portal.writes == 0
    assert outcome.exit is Exit.STALE


async def test_an_old_reading_that_can_not_be_repeated_ends_the_run() -> None:
    one = move(2)
    one.clock.time = 100.0
    one.portal.goes_wrong(BROKEN, *range(2, 20), method="sip.get")
    outcome = await one.apply(read_at=0.0)
    assert (set(results(outcome).values()), outcome.exit) == ({"skipped"}, Exit.ERROR)
    assert one.portal.writes == 0


async def test_a_call_that_is_carried_out_late_is_done_when_the_line_is_read_again() -> None:
    one = move(2)
    plan = one.plan()
    late = one.bound(plan).calls[0]
    one.portal.goes_wrong("reset-before", 1)

    def reading(asked: Asked) -> None:
        one.clock.time += 100.0 if "sip.update" in asked else 0.0
        if len(one.portal.asked) == 4:  # the plan's reading, the lost write, what became of it, and the next reading
            one.run(late)

    one.portal.before = reading
    outcome = await one.apply(plan)
    assert outcome.exit is Exit.OK
    assert (one.registered[1], one.portal.registrations) == (1, 1)


async def test_a_status_that_asking_brought_up_to_date_does_not_keep_a_line_from_being_registered_again() -> None:
    one = stage([row(1, "A", status_code=0)], desired("a", 1, server="old.example"))
    plan = one.plan(reregister=("acme.a",))
    one.portal.goes_wrong({"mutate": {"config_id": 1, "status_code": 200}}, 2, method="sip.get")
    one.clock.time = 100.0
    outcome = await one.apply(plan, read_at=0.0)
    assert (results(outcome), one.portal.registrations) == ({"a": "applied"}, 1)


async def test_an_answer_of_an_add_without_an_id_is_unconfirmed() -> None:
    one = stage([], desired("n", title="New", server="s.example", login="x"))
    one.portal.goes_wrong({"status": 200, "body": '{"result": 1}'}, 1, method="sip.add")
    outcome = await one.apply()
    assert results(outcome) == {"n": "unverified"}


async def test_fifty_lost_answers_are_looked_up_in_one_request() -> None:
    one = move(50)
    one.portal.goes_wrong("reset-after", 1)
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert len(one.portal.asked) == 4  # and the plan's reading, the write, and one reading back
    assert one.portal.registrations == 50


async def test_a_line_that_is_gone_when_its_lost_answer_is_looked_up_is_unconfirmed() -> None:
    one = move(1)
    one.portal.goes_wrong("reset-before", 1)
    one.portal.goes_wrong({"mutate": {"config_id": 1, "delete": True}}, 2, method="sip.get")
    assert results(await one.apply()) == {"l1": "unverified"}
