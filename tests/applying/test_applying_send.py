"""Sending: each reply in each position, lost answers, interruption, old readings."""

from __future__ import annotations

import pytest

from sipsync.model.problems import Code, Exit
from support.lines import codes, desired
from support.stage import move, portal, results, row, stage, swap


async def test_a_swap_is_carried_out_and_read_back_in_one_request() -> None:
    one = swap()
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert results(outcome) == {"a": "applied", "b": "applied"}
    assert one.titles == {1: "B", 2: "A"}
    assert (one.portal.writes, one.portal.reads) == (1, 0)
    assert not one.plan().calls


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_swap_whose_whole_answer_was_lost_is_finished_and_not_begun_again(when: str) -> None:
    one = swap(server="new.example")
    one.portal.lost_requests = {1: when}
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert one.titles == {1: "B", 2: "A"}
    assert one.portal.registered == {1: 1, 2: 1}
    assert len(one.portal.log) == 3


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("fault", ["lost before", "lost after"])
async def test_a_lost_answer_anywhere_in_a_swap_is_looked_up(place: int, fault: str) -> None:
    one = swap(server="new.example")
    one.portal.faults = {place: fault}
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert one.titles == {1: "B", 2: "A"}
    assert one.portal.registered == {1: 1, 2: 1}


@pytest.mark.parametrize("place", [1, 2, 3])
async def test_a_refusal_anywhere_in_a_swap_leaves_no_temporary_title(place: int) -> None:
    one = swap()
    one.portal.faults = {place: "refused:CHECK_FIELDS_ERROR"}
    outcome = await one.apply()
    assert not any((title or "").startswith("~sipsync") for title in one.titles.values()) or place == 3
    assert outcome.exit is (Exit.PARTIAL if place == 3 else Exit.ERROR)
    assert (Code.TEMPORARY_LEFT in codes(outcome)) is (place == 3)
    assert outcome.lines
    one.portal.faults = {}
    assert (await one.apply()).exit is Exit.OK
    assert one.titles == {1: "B", 2: "A"}


async def test_a_credential_that_expires_before_the_first_write_is_an_error_and_not_a_success() -> None:
    one = move()
    one.portal.faults = {1: "unsent:INVALID_CREDENTIALS", 2: "unsent"}
    outcome = await one.apply()
    assert set(results(outcome).values()) == {"skipped"}
    assert outcome.exit is Exit.ERROR
    assert len(outcome.diagnostics) == 1


async def test_a_credential_that_expires_halfway_is_a_partial_apply() -> None:
    one = move(3)
    one.portal.faults = {2: "unsent:INVALID_CREDENTIALS", 3: "unsent"}
    outcome = await one.apply()
    assert results(outcome) == {"l1": "applied", "l2": "skipped", "l3": "skipped"}
    assert outcome.exit is Exit.PARTIAL


async def test_calls_that_did_not_reach_the_server_are_sent_again() -> None:
    one = move(3)
    one.portal.faults = {1: "refused:CHECK_FIELDS_ERROR", 2: "unsent"}
    outcome = await one.apply()
    assert results(outcome) == {"l1": "failed", "l2": "applied", "l3": "applied"}
    assert outcome.exit is Exit.PARTIAL


async def test_a_portal_that_runs_nothing_and_says_nothing_ends_the_run() -> None:
    one = move(1)
    one.portal.faults = dict.fromkeys(range(1, 9), "unsent")
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"l1": "skipped"}, Exit.ERROR)


async def test_an_answer_lost_twice_is_sent_twice_and_then_unconfirmed() -> None:
    one = move(1)
    one.portal.faults = dict.fromkeys(range(1, 9), "lost before")
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"l1": "unverified"}, Exit.PARTIAL)
    assert one.portal.calls == 2
    assert outcome.lines[0].calls == 2


async def test_an_answer_lost_twice_is_done_where_the_second_call_was_carried_out() -> None:
    one = move(1)
    one.portal.faults = {1: "lost before", 2: "lost after"}
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"l1": "applied"}, Exit.OK)


async def test_a_lost_answer_that_can_not_be_looked_up_is_unconfirmed() -> None:
    one = move(1)
    one.portal.faults = {1: "lost after"}
    one.portal.broken_reads = set(range(1, 9))
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"l1": "unverified"}, Exit.PARTIAL)


async def test_a_written_line_that_can_not_be_read_back_is_unconfirmed() -> None:
    one = move(50)
    one.portal.broken_reads = {1}
    outcome = await one.apply()
    assert set(results(outcome).values()) == {"unverified"}
    assert outcome.exit is Exit.PARTIAL


async def test_a_write_that_is_accepted_and_not_carried_out_is_a_failure() -> None:
    one = move(2)
    one.portal.faults = {1: "ignored"}
    outcome = await one.apply()
    assert results(outcome) == {"l1": "failed", "l2": "applied"}
    assert (outcome.lines[0].error, outcome.lines[0].code) == ("", Code.NOT_CARRIED_OUT)


@pytest.mark.parametrize("answer", ["success", "error"])
async def test_after_a_lost_answer_the_registration_decides_whether_a_call_is_repeated(answer: str) -> None:
    from sipsync.model.lines import Registration

    one = move(1)
    one.portal.faults = {1: "lost after"}
    one.portal.told = {1001: Registration(1001, answer, 200 if answer == "success" else 403)}  # type: ignore[arg-type]
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert one.portal.registered == {1: 1 if answer == "success" else 2}


async def test_max_failures_stop_the_portal() -> None:
    one = move(60)
    one.portal.faults = dict.fromkeys((1, 2), "refused:CHECK_FIELDS_ERROR")
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
    one.portal.before_call = lambda number: one.stop.set() if number == 7 else None
    outcome = await one.apply()
    assert outcome.exit is Exit.INTERRUPTED
    assert list(results(outcome).values()).count("applied") == 50
    assert one.portal.writes == 1


# --- old readings ---


async def test_a_reading_older_than_a_minute_is_repeated_before_anything_is_written() -> None:
    one = move(3)
    one.clock.time = 100.0
    seen: list[int] = []
    one.portal.before_call = lambda _number: seen.append(one.portal.reads)
    outcome = await one.apply(read_at=30.0)
    assert outcome.exit is Exit.OK
    assert seen == [1, 1, 1]


async def test_every_line_is_compared_at_most_a_minute_before_its_write() -> None:
    one = move(150)
    compared: dict[int, float] = {}
    lines = one.portal.lines

    async def noting(config_ids: object) -> object:
        compared.update(dict.fromkeys(config_ids, one.clock.time))  # type: ignore[call-overload]
        return await lines(config_ids)  # type: ignore[arg-type]

    one.portal.lines = noting  # type: ignore[method-assign, assignment]

    def passing(number: int) -> None:
        assert one.clock.time - compared.get(number, 0.0) <= 60.0
        one.clock.time += {50: 65.0, 100: 45.0}.get(number, 0.0)

    one.portal.before_call = passing
    outcome = await one.apply(read_at=0.0)
    assert outcome.exit is Exit.OK
    assert compared


async def test_a_line_that_moved_before_it_is_written_is_left_alone_with_those_that_wait_for_it() -> None:
    one = stage(portal(row(1, "A"), row(2, "B"), row(3, "C")), desired("a", 1, title="B"), desired("b", 2, title="X"))
    plan = one.plan()
    one.clock.time = 100.0

    def moved(number: int) -> None:
        from sipsync.rules.state import Effect

        one.portal.state.commit(Effect(None, rows=(one.portal.state.rows[2].having({"login": "moved"}),)))

    one.portal.before_read = moved
    outcome = await one.apply(plan, read_at=0.0)
    assert results(outcome) == {"a": "skipped", "b": "stale"}
    assert one.portal.calls == 0
    assert outcome.exit is Exit.STALE


async def test_an_old_reading_that_can_not_be_repeated_ends_the_run() -> None:
    one = move(2)
    one.clock.time = 100.0
    one.portal.broken_reads = {1}
    outcome = await one.apply(read_at=0.0)
    assert (set(results(outcome).values()), outcome.exit) == ({"skipped"}, Exit.ERROR)
    assert one.portal.calls == 0


async def test_a_call_that_is_carried_out_late_is_done_when_the_line_is_read_again() -> None:
    one = move(2)
    plan = one.plan()
    late = one.bound(plan).calls[0]
    one.portal.faults = {1: "lost before"}

    def reading(number: int) -> None:
        one.clock.time += 100.0
        if number == 2:
            one.portal._carried_out(late)

    one.portal.before_read = reading
    outcome = await one.apply(plan)
    assert outcome.exit is Exit.OK
    assert one.portal.registered == {1: 1, 2: 1}


async def test_a_status_that_asking_brought_up_to_date_does_not_keep_a_line_from_being_registered_again() -> None:
    from dataclasses import replace

    from sipsync.rules.state import Effect

    one = stage(portal(row(1, "A", status_code=0)), desired("a", 1, server="old.example"))
    plan = one.plan(reregister=("acme.a",))
    fresh = replace(one.portal.state.rows[1], status_code=200)
    one.portal.before_read = lambda _number: one.portal.state.commit(Effect(None, rows=(fresh,)))
    one.clock.time = 100.0
    outcome = await one.apply(plan, read_at=0.0)
    assert (results(outcome), one.portal.registered) == ({"a": "applied"}, {1: 1})


async def test_an_answer_of_an_add_without_an_id_is_unconfirmed() -> None:
    one = stage(portal(), desired("n", title="New", server="s.example", login="x"))
    one.portal.faults = {1: "ignored"}
    outcome = await one.apply()
    assert results(outcome) == {"n": "unverified"}


async def test_fifty_lost_answers_are_looked_up_in_two_requests() -> None:
    one = move(50)
    one.portal.lost_requests = {1: "after"}
    outcome = await one.apply()
    assert outcome.exit is Exit.OK
    assert (one.portal.reads - 1, one.portal.asked) == (1, 1)  # and one reading back
    assert set(one.portal.registered.values()) == {1}


async def test_a_line_that_is_gone_when_its_lost_answer_is_looked_up_is_unconfirmed() -> None:
    from sipsync.rules.state import Effect

    one = move(1)
    one.portal.faults = {1: "lost before"}
    one.portal.before_read = lambda _number: one.portal.state.commit(Effect(None, dropped=tuple(one.portal.state.rows)))
    assert results(await one.apply()) == {"l1": "unverified"}
