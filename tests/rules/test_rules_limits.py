"""What shares a request, what a batch would rewrite, and the leaky bucket on given times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.rules.limits import LONGEST_PAUSE, LeakyBucket, Turns, expected_seconds, in_requests, is_rewritten


def test_a_burst_passes_at_once_and_the_next_request_waits_for_one_place() -> None:
    bucket = LeakyBucket(50, 2)
    for _ in range(50):
        assert bucket.wait(10.0) == 0
        bucket = bucket.take(10.0)
    assert bucket.wait(10.0) == pytest.approx(0.5)
    assert bucket.level(10.0) == 50
    assert bucket.level(35.0) == 0


@given(
    st.integers(1, 20),
    st.floats(0.1, 100, allow_nan=False),
    st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=60),
)
def test_after_the_wait_there_is_always_room(burst: int, rate: float, gaps: list[float]) -> None:
    bucket, now = LeakyBucket(burst, rate), 1000.0
    for gap in gaps:
        now += gap
        now += bucket.wait(now)
        assert bucket.wait(now) == 0
        bucket = bucket.take(now)
        assert bucket.level(now) <= burst + 1e-6


def test_time_that_runs_backwards_drains_nothing() -> None:
    bucket = LeakyBucket(2, 1).take(10.0)
    assert bucket.level(5.0) == 1
    assert bucket.take(5.0).at == 10.0


@pytest.mark.parametrize(("requests", "seconds"), [(0, 0), (50, 0), (51, 0.5), (150, 50)])
def test_the_least_time_is_what_does_not_fit_into_the_burst(requests: int, seconds: float) -> None:
    assert expected_seconds(requests, 50, 2.0) == seconds


@pytest.mark.parametrize(
    "value", ["$result[c0]", "pw$time[0]", "a$TOTAL[x]b", "$error_x[y]", "$result\u00a0\u3000[c0]"]
)
def test_a_reference_to_an_earlier_answer_would_be_rewritten(value: str) -> None:
    assert is_rewritten(["harmless", value])


@pytest.mark.parametrize("value", ["", "$money", "$b[c]", "$result", "$result [c0]", "result[c0]"])
def test_another_dollar_is_harmless(value: str) -> None:
    assert not is_rewritten([value])


@given(st.lists(st.booleans()), st.integers(1, 5))
def test_requests_keep_the_order_and_their_size(alone: list[bool], size: int) -> None:
    requests = in_requests(alone, size)
    assert [place for request in requests for place in request] == list(range(len(alone)))
    for request in requests:
        assert len(request) == 1 or (len(request) <= size and not any(alone[place] for place in request))


STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "refused", "answered", "blocked"]), st.floats(0, 30, allow_nan=False)),
    max_size=40,
)


@given(STEPS)
def test_after_the_wait_it_is_the_request_s_turn_whatever_the_host_said_before(steps: list[tuple[str, float]]) -> None:
    turns, now = Turns(LeakyBucket(3, 1.0)), 1000.0
    for what, seconds in steps:
        now += seconds
        now += turns.wait(["a", "b"], now)[0]
        assert turns.wait(["a", "b"], now)[0] == pytest.approx(0, abs=1e-6)
        match what:
            case "take":
                turns = turns.take(now)
            case "refused":
                turns = turns.refused(now, 2.0, 1.0)
                assert turns.wait(["b"], now)[0] >= min(2.0 * 2 ** (turns.refusals - 1), LONGEST_PAUSE) - 1e-6
            case "answered":
                turns = turns.answered()
            case "blocked":
                turns = turns.blocked("a", now + 300)
                assert turns.wait(["a"], now)[1] == "operating time"
        assert turns.wait(["c"], now)[0] <= LONGEST_PAUSE + 1e-6


def test_others_may_go_on_while_a_method_is_out_of_operating_time() -> None:
    turns = Turns(LeakyBucket(3, 1.0)).blocked("a", 300.0)
    assert turns.wait(["b"], 0.0) == (0.0, "rate limit")
    assert turns.wait(["a", "b"], 10.0) == (290.0, "operating time")
