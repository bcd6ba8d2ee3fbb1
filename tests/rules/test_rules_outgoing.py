"""The default outgoing line, alone and within one request that remembers."""

from __future__ import annotations

from typing import Any

import pytest

from sipsync.rules import outgoing
from sipsync.rules.errors import Refusal
from sipsync.rules.lines import add, delete
from sipsync.rules.outgoing import NO_LINE, Memory, choose, choose_config, default_line, listed
from sipsync.rules.php import Crash
from sipsync.rules.state import EMPTY, OtherConfig, PortalState, Row

NEW = {"SERVER": "sip.example", "LOGIN": "u"}


def row(config_id: int, title: str | None = "", reg_id: int | None = None) -> Row:
    return Row(config_id, "cloud", {**EMPTY, "title": title}, reg_id=1000 + config_id if reg_id is None else reg_id)


def after(state: PortalState, effect: Any) -> str:
    state.commit(effect)
    return default_line(state)


def test_the_first_line_becomes_the_default_and_the_second_does_not() -> None:
    state = PortalState()
    assert default_line(state) == NO_LINE
    first = after(state, add(state, None, NEW))
    assert first == state.rows[1].line_id
    assert after(state, add(state, None, NEW)) == first


def test_within_one_request_the_second_ends_as_the_default() -> None:
    state, memory = PortalState(), Memory()
    state.commit(add(state, None, NEW, memory=memory))
    state.commit(add(state, None, NEW, memory=memory))
    assert default_line(state) == state.rows[2].line_id


def test_a_request_that_knew_no_lines_sets_no_default() -> None:
    state, memory = PortalState(), Memory()
    assert default_line(state, memory) == NO_LINE
    assert after(state, add(state, None, NEW, memory=memory)) == NO_LINE


def test_the_default_of_a_failed_line_moves_to_the_next_that_registers() -> None:
    state = PortalState()
    assert after(state, add(state, None, NEW, provider_answers=False)) == "reg0"
    assert after(state, add(state, None, NEW)) == state.rows[2].line_id


def test_nothing_takes_over_from_a_deleted_default() -> None:
    state = PortalState.of([row(1), row(2)], default_line="reg1002")
    assert after(state, delete(state, None, 2)) == NO_LINE


@pytest.mark.parametrize(("others", "heir"), [([], "reg1001"), ([OtherConfig(9, "+7", "RENT", "7")], NO_LINE)])
def test_a_request_that_remembers_lets_the_first_line_take_over(others: list[OtherConfig], heir: str) -> None:
    state, memory = PortalState.of([row(1), row(2)], others, default_line="reg1002"), Memory()
    assert default_line(state, memory) == "reg1002"
    assert after(state, delete(state, None, 2, memory=memory)) == heir


def test_a_fresh_request_does_not_remember_what_it_deletes() -> None:
    state, memory = PortalState.of([row(1), row(2)], default_line="reg1002"), Memory()
    assert after(state, delete(state, None, 2, memory=memory)) == NO_LINE
    assert memory.known == frozenset({"reg1001"})


def test_of_two_failed_lines_the_other_stays_the_default() -> None:
    state = PortalState.of([row(1, reg_id=0), row(2, reg_id=0)], default_line="reg0")
    assert after(state, delete(state, None, 2)) == "reg0"
    memory = Memory()
    state = PortalState.of([row(1, reg_id=0), row(2, reg_id=0)], default_line="reg0")
    assert after(state, delete(state, None, 2, memory=memory)) == "reg0"


def test_the_last_line_leaves_no_default_even_if_it_is_remembered() -> None:
    state, memory = PortalState.of([row(2)], default_line="reg1002"), Memory()
    default_line(state, memory)
    assert after(state, delete(state, None, 2, memory=memory)) == NO_LINE


@pytest.mark.parametrize(
    ("line_id", "expected"),
    [
        ("reg1001", "reg1001"),
        ("reg9", "reg1002"),
        ("", "reg1002"),
        (None, "reg1002"),
        (NO_LINE, NO_LINE),
        (True, NO_LINE),
        (False, "reg1002"),
        (74951234567, "74951234567"),
        (74951234567.0, "74951234567"),
    ],
)
def test_a_default_is_set_by_line_id_if_there_is_such_a_line(line_id: object, expected: str) -> None:
    state = PortalState.of([row(1), row(2)], [OtherConfig(9, "+7", "RENT", "74951234567")], default_line="reg1002")
    effect = choose(state, line_id)
    assert effect.reply == 1
    assert after(state, effect) == expected


def test_an_array_as_a_line_id_ends_the_server() -> None:
    with pytest.raises(Crash):
        choose(PortalState(), {0: "reg1"})


def test_a_default_is_set_by_config_id_whatever_it_is() -> None:
    state = PortalState.of([row(1)], [OtherConfig(9, "+7", "RENT", "7")])
    assert after(state, choose_config(state, "1")) == "reg1001"
    assert after(state, choose_config(state, 9)) == NO_LINE
    effect = choose_config(state, 5)
    assert isinstance(effect.reply, Refusal)
    assert effect.reply.code == "ERROR_ARGUMENT"


def test_the_list_has_names_escaped_and_numbers_formatted() -> None:
    state = PortalState.of(
        [row(1, "<b> & \"c\" 'd'"), row(2, "0"), row(3, None), Row(4, "office", EMPTY, incoming=True)],
        [
            OtherConfig(5, "x", "RENT", "74951234567"),
            OtherConfig(6, "y", "GROUP", "1"),
            OtherConfig(7, None, "LINK", "12025550123"),
            OtherConfig(8, "z", "RENT"),
            OtherConfig(9, None, "LINK", "49301234"),
        ],
    )
    assert listed(state) == {
        "74951234567": "+7 495 123-45-67",
        "reg1001": "&lt;b&gt; &amp; &quot;c&quot; 'd'",
        "reg1002": "Cloud hosted PBX (2)",
        "reg1003": "Cloud hosted PBX (3)",
        "sip4": "Office PBX (4)",
        "12025550123": "+1 202-555-0123",
        "49301234": "+49301234",
    }


def test_the_list_is_remembered_within_a_request() -> None:
    state, memory = PortalState.of([row(1, "Old")]), Memory()
    assert listed(state, memory) == {"reg1001": "Old"}
    state.commit(delete(state, None, 1))
    assert listed(state, memory) == {"reg1001": "Old"}
    assert listed(state) == {}


def test_a_caller_id_without_a_number_has_no_name() -> None:
    assert outgoing.listed(PortalState.of(others=[OtherConfig(1, None, "LINK")])) == {"": ""}
