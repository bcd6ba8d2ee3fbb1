"""What a write waits for, and what happens meanwhile: a full bucket, operating time, repetitions, other people."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipsync.model.problems import Code, Exit
from sipsync.rules.state import Effect
from support.lines import codes
from support.rulebook import altered
from support.stage import Stage, move, results

OUT_OF_TIME = {"error": "OPERATION_TIME_LIMIT"}
FULL = {"error": "QUERY_LIMIT_EXCEEDED"}


def somebody_moves(one: Stage, config_id: int) -> None:
    """While sipsync waits for the first time, a person gives a line another server."""

    def change() -> None:
        effect = Effect(None, rows=(altered(one.state.rows[config_id], server="by-hand.example"),))
        one.state.commit(effect)
        one.clock.on_sleep = lambda: None

    one.clock.on_sleep = change


def longest_wait(one: Stage) -> float:
    """The longest time between the last comparison of a line and its write."""
    compared: dict[str, float] = {}
    waits = [0.0]
    for asked in one.portal.asked:
        for name, params in asked.commands:
            if name.endswith("sip.get") and "FILTER" in params:
                ids = params["FILTER"]["CONFIG_ID"]
                compared |= dict.fromkeys(map(str, ids.values() if isinstance(ids, dict) else ids), asked.time)
            elif name.endswith("sip.get"):
                compared |= dict.fromkeys(map(str, one.state.rows), asked.time)
            elif name.endswith("sip.update"):
                waits.append(asked.time - compared[str(params["CONFIG_ID"])])
    return max(waits)


@pytest.mark.parametrize("count", [1, 2])
async def test_a_line_that_a_person_changes_while_its_write_waits_for_operating_time_is_left_alone(count: int) -> None:
    one = move(count)
    one.portal.goes_wrong(OUT_OF_TIME, *range(1, count + 1))
    somebody_moves(one, 1)
    outcome = await one.apply()
    assert results(outcome) == {"l1": "stale"} | {f"l{i}": "applied" for i in range(2, count + 1)}
    assert outcome.exit is Exit.STALE
    assert one.state.rows[1].values["server"] == "by-hand.example"


async def test_a_line_that_waits_for_operating_time_in_a_batch_is_compared_again() -> None:
    one = move(3)
    one.portal.goes_wrong(OUT_OF_TIME, 2)
    somebody_moves(one, 2)
    assert results(await one.apply()) == {"l1": "applied", "l2": "stale", "l3": "applied"}


@pytest.mark.parametrize("seconds", [15, 70, 600])
async def test_another_client_that_keeps_the_bucket_full_is_waited_for(seconds: int) -> None:
    one = move(3)
    one.portal.seconds, one.portal.crowded_until = 900.0, float(seconds)
    outcome = await one.apply()
    assert (outcome.exit, set(results(outcome).values())) == (Exit.OK, {"applied"})
    assert seconds <= one.clock.time <= seconds + 15
    assert longest_wait(one) <= 60


async def test_a_line_that_a_person_changes_while_the_bucket_is_full_is_left_alone() -> None:
    one = move(1)
    one.portal.seconds = 900.0
    one.portal.before = lambda asked: somebody_comes(one) if "sip.update" in asked else None

    def somebody_comes(one: Stage) -> None:
        one.portal.before = lambda _asked: None
        one.portal.crowded_until = one.clock.time + 100
        somebody_moves(one, 1)

    one.portal.crowded_until = 0.001  # so that there is a bucket
    assert results(await one.apply()) == {"l1": "stale"}


async def test_a_bucket_that_is_full_for_longer_than_the_time_given_ends_the_run_with_nothing_sent() -> None:
    one = move(1)
    one.portal.seconds = 899.0
    one.portal.goes_wrong(FULL)
    outcome = await one.apply()
    assert (results(outcome), outcome.exit, codes(outcome)) == ({"l1": "skipped"}, Exit.ERROR, [Code.RATE_LIMIT])
    assert "--timeout" in str(outcome.diagnostics[0].hint)
    assert 880 <= one.clock.time <= 900


def lame(one: Stage) -> None:
    """From its write on, the provider refuses line 1."""
    one.portal.before = lambda asked: one.portal.says(1, 403) if "sip.update" in asked else None


async def test_a_canary_that_a_person_changes_before_it_is_set_back_is_left_alone() -> None:
    one = move(2)
    lame(one)
    one.portal.goes_wrong({"mutate": {"config_id": 1, "server": "by-hand.example"}}, 3, method="sip.status")
    outcome = await one.apply(canary=True, wait=30.0)
    assert results(outcome) == {"l1": "failed", "l2": "skipped"}
    assert "could NOT be set back" in outcome.diagnostics[0].summary
    assert one.state.rows[1].values["server"] == "by-hand.example"


@pytest.mark.parametrize("moves", [True, False])
async def test_a_canary_whose_setting_back_waits_is_compared_again(moves: bool) -> None:
    one = move(2)
    lame(one)
    one.portal.goes_wrong(OUT_OF_TIME, 2)

    def waited() -> None:
        if moves and one.clock.slept[-1] > 100:
            effect = Effect(None, rows=(altered(one.state.rows[1], server="by-hand.example"),))
            one.state.commit(effect)

    one.clock.on_sleep = waited
    outcome = await one.apply(canary=True)
    assert results(outcome)["l1"] == ("failed" if moves else "restored")
    assert one.state.rows[1].values["server"] == ("by-hand.example" if moves else "old.example")


TROUBLE = st.sampled_from([OUT_OF_TIME, FULL, {"delay": 20}, {"delay": 80}, "reset-before", "reset-after"])


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 70), TROUBLE), max_size=6), st.sampled_from([0.0, 40.0, 130.0]))
async def test_whatever_it_waited_for_no_write_is_sent_more_than_a_minute_after_its_comparison(
    troubles: list[tuple[int, object]], crowded: float
) -> None:
    one = move(55)
    one.portal.seconds, one.portal.crowded_until = 3000.0, crowded
    for place, trouble in troubles:
        one.portal.goes_wrong(trouble, place)
    outcome = await one.apply()
    assert longest_wait(one) <= 60
    assert outcome.exit in (Exit.OK, Exit.PARTIAL)
