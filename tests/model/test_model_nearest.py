"""The name that somebody meant."""

from __future__ import annotations

import pytest

from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean, nearest

OTHERWISE = Message("There are two.")


@pytest.mark.parametrize(("typed", "meant"), [("titel", "title"), ("Sever", "server"), ("zzz", None)])
def test_the_name_that_is_most_like_what_was_typed_is_meant(typed: str, meant: str | None) -> None:
    assert nearest(typed, ["title", "server"]) == meant


def test_letter_case_does_not_count_and_is_given_back_as_it_is() -> None:
    assert nearest("acme_webhok", ["ACME_WEBHOOK"]) == "ACME_WEBHOOK"


def test_a_long_word_is_no_slip_and_is_not_compared() -> None:
    assert nearest("a" * 101, ["a" * 101]) is None
    assert nearest("a" * 100, ["a" * 101, "a" * 99]) == "a" * 99


def test_the_hint_names_what_was_meant_or_says_what_there_is() -> None:
    assert did_you_mean("titel", ["title", "server"], OTHERWISE) == 'Did you mean "title"?'
    assert did_you_mean("zzz", ["title", "server"], OTHERWISE) is OTHERWISE
