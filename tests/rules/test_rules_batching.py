"""What shares a request, and what a batch would rewrite."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.rules.batching import in_requests, is_rewritten


@pytest.mark.parametrize("value", ["$result[c0]", "pw$time[0]", "a$TOTAL[x]b", "$error_x[y]"])
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
