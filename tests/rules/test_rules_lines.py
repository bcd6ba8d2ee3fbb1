"""The server's rules for lines, values in and effects out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.model.fields import FieldName
from sipsync.rules.errors import Refusal
from sipsync.rules.lines import add, delete, reregisters, update
from sipsync.rules.php import Crash
from sipsync.rules.state import OtherConfig, PortalState, Row

USUAL: Mapping[FieldName, str | None] = {"title": "", "server": "sip.example", "login": "u", "password": "p"}


def cloud(config_id: int, title: str | None = "", **more: Any) -> Row:
    given: dict[str, Any] = {"reg_id": 1000 + config_id, "status_code": 200, **more}
    return Row(config_id, "cloud", {**USUAL, "title": title}, row_id=config_id, **given)


def office(config_id: int) -> Row:
    return Row(config_id, "office", USUAL, status_code=200, incoming=True, row_id=config_id)


def code(effect: Any) -> str:
    assert isinstance(effect.reply, Refusal)
    return effect.reply.code


def test_owners_change_their_own_lines() -> None:
    state = PortalState.of([cloud(1), cloud(2, app="appa"), cloud(3, app="appb")])
    assert update(state, "appa", {"CONFIG_ID": 2, "TITLE": "x"}).reply == 1
    assert code(update(state, "appa", {"CONFIG_ID": 1, "TITLE": "x"})) == "ERROR_NOT_FOUND"


@pytest.mark.parametrize("claimed", [69, "69", " 69x", 69.9, {0: 5, 1: 69}])
def test_a_config_id_is_read_as_a_whole_number(claimed: object) -> None:
    effect = update(PortalState.of([cloud(69)]), None, {"config_id": claimed})
    assert effect.reply == 1
    assert not effect.rows


def test_an_update_without_fields_does_nothing() -> None:
    assert update(PortalState.of([cloud(69)]), None, {"CONFIG_ID": 69, "AUTH_USER": "x", "TITLE": None}).reply == 1


def test_a_title_alone_does_not_register_anew() -> None:
    state = PortalState.of([cloud(69, "Old")])
    effect = update(state, None, {"CONFIG_ID": 69, "title": " New "})
    assert (effect.rows[0].title, effect.rows[0].status_code, effect.registrations) == ("New", 200, 0)
    state.commit(effect)
    assert state.rows[69].title == "New"
    assert not state.title_taken("Old")


def test_unchanged_connection_data_registers_anew_and_clears_the_status() -> None:
    effect = update(PortalState.of([cloud(69)]), None, {"CONFIG_ID": 69, "SERVER": "sip.example"})
    assert (effect.registrations, effect.rows[0].status_code) == (1, 0)


@pytest.mark.parametrize("row", [office(69), cloud(69, reg_id=0)])
def test_without_a_registration_there_is_nothing_to_renew(row: Row) -> None:
    effect = update(PortalState.of([row]), None, {"CONFIG_ID": 69, "LOGIN": "x", "TYPE": row.type})
    assert (effect.reply, effect.registrations, effect.rows[0].status_code) == (1, 0, 0)


def test_a_short_server_is_stored_and_not_registered() -> None:
    effect = update(PortalState.of([cloud(69)]), None, {"CONFIG_ID": 69, "SERVER": "abc"})
    assert (effect.rows[0].values["server"], effect.registrations) == ("abc", 0)


@pytest.mark.parametrize("name", ["SALES", "sales ", "sàles"])
def test_a_title_in_use_is_refused_whoever_uses_it(name: str) -> None:
    for holder in (cloud(2, "Sales", app="appb"), OtherConfig(2, "Sales", "RENT")):
        rows, others = ([holder], []) if isinstance(holder, Row) else ([], [holder])
        state = PortalState.of([cloud(1), *rows], others)
        assert code(update(state, None, {"CONFIG_ID": 1, "TITLE": name})) == "TITLE_EXISTS"
        assert code(add(state, None, {"SERVER": "s", "LOGIN": "l", "TITLE": name})) == "TITLE_EXISTS"


def test_a_line_may_take_another_spelling_of_its_own_title() -> None:
    assert update(PortalState.of([cloud(1, "Sales")]), None, {"CONFIG_ID": 1, "TITLE": "SALES"}).reply == 1


@pytest.mark.parametrize("other", [cloud(2, None), cloud(2, ""), cloud(2, "\u200b")])
def test_a_title_cannot_be_cleared_while_another_is_empty(other: Row) -> None:
    state = PortalState.of([cloud(1, "Sales"), other])
    assert code(update(state, None, {"CONFIG_ID": 1, "TITLE": ""})) == "TITLE_EXISTS"
    assert not isinstance(add(state, None, {"SERVER": "s", "LOGIN": "l", "TITLE": ""}).reply, Refusal)


def test_a_nameless_caller_id_is_not_taken_for_an_invisible_title() -> None:
    state = PortalState.of([cloud(1, "Sales")], [OtherConfig(2, None, "LINK", "7")])
    assert update(state, None, {"CONFIG_ID": 1, "TITLE": "\u200b"}).reply == 1


def test_a_title_too_long_is_dropped_silently_by_an_update_and_refused_by_an_add() -> None:
    state = PortalState.of([cloud(1, "Sales")])
    effect = update(state, None, {"CONFIG_ID": 1, "TITLE": "x" * 256, "LOGIN": "new"})
    assert (effect.reply, effect.rows[0].title, effect.rows[0].values["login"]) == (1, "Sales", "new")
    assert code(add(state, None, {"SERVER": "s", "LOGIN": "l", "TITLE": "x" * 256})) == "TITLE_EXISTS"


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"SERVER": ""}, "Server address is not specified."),
        ({"SERVER": "x" * 101}, "Server address must not exceed 100 characters."),
        ({"LOGIN": "  "}, "Server login is not specified."),
        ({"LOGIN": "x" * 101}, "Server login must not exceed 100 characters."),
        ({"PASSWORD": " " * 101}, "Server password must not exceed 100 characters."),
        ({"TYPE": "Cloud", "LOGIN": "x"}, "PBX type is not specified."),
        ({"TYPE": "", "SERVER": ""}, "PBX type is not specified.<br> Server address is not specified."),
    ],
)
def test_values_out_of_bounds_are_refused_and_nothing_is_written(params: dict[str, object], problem: str) -> None:
    effect = update(PortalState.of([cloud(1)]), None, {"CONFIG_ID": 1, **params})
    assert effect.reply == Refusal("CHECK_FIELDS_ERROR", 400, problem)
    assert not effect.rows


def test_what_is_missing_is_refused_by_an_add() -> None:
    effect = add(PortalState(), None, {"type": "PBX"})
    assert effect.reply == Refusal(
        "CHECK_FIELDS_ERROR",
        400,
        "PBX type is not specified.<br> Server address is not specified.<br> Server login is not specified.",
    )


@pytest.mark.parametrize("field", ["TITLE", "SERVER", "LOGIN", "PASSWORD"])
def test_an_array_in_a_text_field_ends_the_server(field: str) -> None:
    with pytest.raises(Crash):
        update(PortalState.of([cloud(1)]), None, {"CONFIG_ID": 1, field: {0: "x"}})


def test_true_passes_for_any_type_of_an_update() -> None:
    assert update(PortalState.of([cloud(1)]), None, {"CONFIG_ID": 1, "TYPE": True, "TITLE": "x"}).reply == 1
    assert code(add(PortalState(), None, {"SERVER": "s", "LOGIN": "l", "TYPE": True})) == "CHECK_FIELDS_ERROR"


def test_an_array_of_ids_is_checked_by_its_content_and_then_counts_as_one() -> None:
    state = PortalState.of([cloud(69)], [OtherConfig(1, "+7", "RENT")])
    renamed = update(state, None, {"CONFIG_ID": {0: 69}, "TITLE": "x"})
    assert (renamed.reply, renamed.others) == (1, (OtherConfig(1, "x", "RENT"),))
    state.commit(renamed)
    assert state.title_taken("x")
    assert not state.title_taken("+7")
    assert code(update(state, None, {"CONFIG_ID": {0: 69}, "LOGIN": "x"})) == "CONFIG_NOT_FOUND"
    assert update(state, None, {"CONFIG_ID": {0: 69}, "TITLE": "y" * 256}).reply == 1
    assert delete(state, None, {0: 69}).reply == Refusal("", 400)


def test_an_add_registers_and_answers_the_new_row() -> None:
    state = PortalState.of([cloud(69)])
    effect = add(state, "appa", {"server": "sip.example", "login": " u ", "Title": "New"})
    row = effect.reply
    assert isinstance(row, Row)
    assert (row.config_id, row.app, row.status_code) == (70, "appa", None)
    assert (row.values["login"], row.values["password"]) == ("u", None)
    assert (row.reg_id, effect.registrations) == (state.next_registration, 1)


def test_a_registration_that_fails_is_swallowed() -> None:
    effect = add(PortalState(), None, {"SERVER": "sip.example", "LOGIN": "u"}, provider_answers=False)
    assert (effect.rows[0].reg_id, effect.registrations) == (0, 1)
    assert add(PortalState(), None, {"SERVER": "abc", "LOGIN": "u"}).registrations == 0


@pytest.mark.parametrize(("answers", "line_id", "status"), [(True, "sip1", 0), (False, "sip0", None)])
def test_an_office_line_has_its_parameters_if_the_provider_gives_them(
    answers: bool, line_id: str, status: int | None
) -> None:
    effect = add(PortalState(), None, {"TYPE": "Office", "SERVER": "s", "LOGIN": "u"}, provider_answers=answers)
    assert (effect.rows[0].line_id, effect.rows[0].status_code, effect.registrations) == (line_id, status, 0)


def test_the_limit_counts_cloud_lines_of_all_owners_and_comes_before_the_title() -> None:
    state = PortalState.of([*(cloud(place, f"t{place}", app="appa") for place in range(1, 11)), office(11)])
    params = {"SERVER": "s", "LOGIN": "l", "TITLE": "t1"}
    assert code(add(state, None, params)) == "MAX_CLOUD_PBX"
    assert code(add(state, None, {**params, "TYPE": "office"})) == "TITLE_EXISTS"
    state.commit(delete(state, "appa", 1))
    assert not isinstance(add(state, None, params).reply, Refusal)
    assert code(add(PortalState.of([cloud(1)], cloud_limit=1), None, params)) == "MAX_CLOUD_PBX"


def test_a_delete_needs_the_provider_where_there_is_a_registration() -> None:
    state = PortalState.of([cloud(1), cloud(2, reg_id=0)])
    assert code(delete(state, None, 1, provider_answers=False)) == "REG_ID_NOT_FOUND"
    assert delete(state, None, 2, provider_answers=False).dropped == (2,)
    assert code(delete(state, None, None)) == "ERROR_NOT_FOUND"


def test_ids_are_never_used_again() -> None:
    state = PortalState.of([cloud(69)])
    before = state.next_registration
    state.commit(delete(state, None, 69))
    row = add(state, None, {"SERVER": "sip.example", "LOGIN": "u"}).rows[0]
    assert (row.config_id, row.reg_id, row.row_id) == (70, before, 70)


@pytest.mark.parametrize(
    ("line_type", "reg_id", "fields", "expected"),
    [
        ("cloud", 5, ["server"], True),
        ("cloud", 5, ["password", "title"], True),
        ("cloud", 5, ["title"], False),
        ("cloud", 0, ["login"], False),
        ("cloud", None, ["login"], False),
        ("office", None, ["login"], False),
    ],
)
def test_only_connection_data_of_a_registered_cloud_line_registers(
    line_type: Any, reg_id: int | None, fields: list[Any], expected: bool
) -> None:
    assert reregisters(line_type, reg_id, fields) is expected


VALUES = st.sampled_from(["", "a", "A", "b", "ё", "е", "x" * 256, None])


@given(
    st.lists(st.tuples(st.sampled_from(["add", "update", "delete"]), st.integers(1, 6), VALUES, VALUES), max_size=25)
)
def test_the_indexes_always_say_what_a_search_would(steps: list[tuple[str, int, str | None, str | None]]) -> None:
    state = PortalState.of(others=[OtherConfig(3, None, "LINK", "7916")])
    for verb, config_id, title, login in steps:
        params = {"CONFIG_ID": config_id, "TITLE": title, "LOGIN": login, "SERVER": "sip.example", "TYPE": "cloud"}
        effect = (
            delete(state, None, config_id)
            if verb == "delete"
            else {"add": add, "update": update}[verb](state, None, params)
        )
        state.commit(effect)
        again = PortalState.of(state.rows.values(), state.others.values())
        assert again.cloud_lines == state.cloud_lines
        assert +again.line_ids == +state.line_ids
        for name in ("", "a", "b", "ё", "c"):
            assert again.title_taken(name) == state.title_taken(name)
