"""Which line is which."""

from __future__ import annotations

import pytest

from sipsync.model.policy import Policy
from sipsync.model.problems import Exit
from support.lines import codes, current, desired, params, plan, view


def test_a_line_with_config_id_is_renamed_with_its_title_only() -> None:
    part = plan(view([desired("sales", 69, title="New")], [current(69, "Old")]))
    assert params(part) == [{"CONFIG_ID": 69, "TYPE": "cloud", "TITLE": "New"}]
    assert part.exit is Exit.OK


def test_a_line_without_config_id_is_found_by_its_identical_title() -> None:
    part = plan(view([desired("s", title="Sales", server="new.example")], [current(1, "SALES"), current(2, "Sales")]))
    assert params(part) == [{"CONFIG_ID": 2, "TYPE": "cloud", "SERVER": "new.example"}]


def test_a_title_that_the_database_takes_for_equal_is_found_where_no_identical_one_is() -> None:
    part = plan(view([desired("s", title="Отдел ёлок")], [current(1, "ОТДЕЛ ЕЛОК")]))
    assert params(part) == [{"CONFIG_ID": 1, "TYPE": "cloud", "TITLE": "Отдел ёлок"}]


def test_a_title_that_two_lines_share_is_an_error_that_lists_them() -> None:
    part = plan(view([desired("s", title="Sales")], [current(1, "Sales"), current(2, "Sales")]))
    assert codes(part) == ["line-ambiguous", "unmanaged"]
    assert "config_id 1, 2" in part.diagnostics[0].summary
    assert part.exit is Exit.ERROR
    assert not part.calls


def test_a_config_id_that_the_credential_does_not_see_is_an_error_among_others_that_it_sees() -> None:
    part = plan(view([desired("a", 1), desired("b", 7)], [current(1, "A")]))
    assert codes(part) == ["line-not-found"]
    assert part.exit is Exit.ERROR


def test_a_line_that_is_not_seen_is_let_pass_by_name_and_left_alone() -> None:
    lines, now = [desired("a", 1, title="B"), desired("b", 7, title="C"), desired("c", 8)], [current(1, "A")]
    part = plan(view(lines, now, allow=("line-not-found:acme.b", "line-not-found:acme.c")))
    assert (codes(part), codes(part, "error")) == (["line-not-found", "line-not-found"], [])
    assert (part.exit, params(part)) == (Exit.OK, [{"CONFIG_ID": 1, "TYPE": "cloud", "TITLE": "B"}])
    part = plan(view(lines, now, allow=("line-not-found:acme.b",)))
    assert [found.address for found in part.diagnostics if found.severity == "error"] == ["acme.c"]
    assert "--allow line-not-found:acme.c lets it pass" in part.diagnostics[0].hint
    assert codes(plan(view(lines[1:2], now, allow=("line-not-found:acme.b",))), "error") == ["vanished-lines"]


def test_a_credential_that_sees_none_of_the_config_ids_is_stopped_as_probably_the_wrong_one() -> None:
    part = plan(view([desired("a", 5), desired("b", 7)], [current(1, "A")]))
    assert codes(part, "error") == ["vanished-lines"]
    assert part.exit is Exit.GUARD
    part = plan(view([desired("a", 5)], [current(1, "A")], allow=("vanished-lines:acme",)))
    assert codes(part, "error") == ["line-not-found"]
    assert part.exit is Exit.ERROR


def test_a_missing_title_is_an_error_that_names_the_ways_out() -> None:
    part = plan(view([desired("s", title="New", server="a.example", login="x")], []))
    assert codes(part) == ["create-off"]
    assert "create: true" in part.diagnostics[0].hint


def test_a_missing_title_is_made_where_the_policy_allows_it() -> None:
    part = plan(
        view(
            [desired("s", title="New", server="a.example", login="x")], [], policy=Policy(create=True), default_line=""
        )
    )
    assert params(part) == [{"TYPE": "cloud", "TITLE": "New", "SERVER": "a.example", "LOGIN": "x"}]
    assert codes(part) == ["no-password", "default-line"]
    assert part.resource_changes[0].change.before is None


@pytest.mark.parametrize("missing", ["server", "login"])
def test_a_line_can_only_be_made_with_server_and_login(missing: str) -> None:
    values = {"title": "New", "server": "a.example", "login": "x"}
    del values[missing]
    part = plan(view([desired("s", **values)], [], policy=Policy(create=True)))
    assert codes(part) == ["missing-key"]
    assert missing in part.diagnostics[0].summary


def test_an_unclaimed_line_with_the_same_server_and_login_looks_like_a_rename_and_nothing_is_made() -> None:
    lines = [desired("s", title="New", server="sip.example", login="u70")]
    part = plan(view(lines, [current(70, "Old")], policy=Policy(create=True)))
    assert codes(part, "error") == ["looks-like-rename"]
    assert "config_id: 70" in part.diagnostics[0].hint


def test_a_type_that_differs_is_an_error_that_says_what_a_replacement_would_lose() -> None:
    part = plan(view([desired("s", 1, type="office", title="B")], [current(1, "A")]))
    assert codes(part) == ["type-differs"]
    assert "access rights" in part.diagnostics[0].hint


def test_a_line_that_the_file_does_not_name_is_left_alone_and_said() -> None:
    part = plan(view([desired("a", 1, title="A")], [current(1, "A"), current(70, "Other")]))
    assert not part.calls
    assert [found.summary for found in part.diagnostics] == [
        '1 line in Bitrix24 is not in your file (left alone): 70 "Other"'
    ]
    assert part.summary.unmanaged == 1


def test_an_unselected_line_with_a_problem_does_not_stand_in_the_way() -> None:
    lines = [desired("a", 1, title="B"), desired("gone", title="Gone")]
    part = plan(view(lines, [current(1, "A")], lines=("acme.a",)))
    assert part.exit is Exit.OK
    assert len(part.calls) == 1
