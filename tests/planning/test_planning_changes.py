"""What differs, what it costs, and what is said besides."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from sipsync.model.lines import DesiredLine
from sipsync.model.options import Selection
from sipsync.model.policy import NO_BOUNDS, IgnoredField, Policy
from sipsync.model.problems import Code, Exit
from sipsync.planning.guards import allowed_changes
from sipsync.planning.order import Write, order
from support.lines import codes, current, desired, params, plan, view


def test_a_line_that_does_not_differ_gets_no_call() -> None:
    part = plan(view([desired("a", 1, title="A", server="sip.example", login="u1")], [current(1, "A")]))
    assert not part.calls
    assert part.summary.unchanged == 1
    assert not part.resource_changes


def test_lines_that_do_not_differ_are_listed_on_request_and_do_not_change_the_digest() -> None:
    lines, now = [desired("a", 1, title="A")], [current(1, "A")]
    assert [c.action for c in plan(view(lines, now), no_ops=True).resource_changes] == ["no-op"]
    assert plan(view(lines, now), no_ops=True).digest == plan(view(lines, now)).digest


def test_a_field_that_the_file_does_not_give_is_left_alone() -> None:
    part = plan(view([desired("a", 1, login="new")], [current(1, "A", server="x", password="p")]))
    assert params(part) == [{"CONFIG_ID": 1, "TYPE": "cloud", "LOGIN": "new"}]


def test_only_the_differing_fields_are_sent_with_the_type_as_the_portal_gave_it() -> None:
    lines = [desired("a", 1, title="A", server="new.example", login="u1", password="PW")]
    part = plan(view(lines, [current(1, "A", type="office")], secrets={"PW": "pw"}))
    assert params(part) == [{"CONFIG_ID": 1, "TYPE": "office", "SERVER": "new.example"}]
    change = part.resource_changes[0]
    assert (change.reregisters, change.stored_only, change.unchanged_fields) == (False, True, 3)


def test_a_password_that_differs_is_sent_and_shown_as_null() -> None:
    part = plan(view([desired("a", 1, password="PW")], [current(1, "A")], secrets={"PW": "hunter2"}))
    assert params(part) == [{"CONFIG_ID": 1, "TYPE": "cloud", "PASSWORD": None}]
    assert part.calls[0].sensitive == ("PASSWORD",)
    change = part.resource_changes[0].change
    assert (change.before, change.after) == ({"password": None}, {"password": None})
    assert change.before_sensitive == change.after_sensitive == {"password": True}
    assert "hunter2" not in json.dumps(part.model_dump(mode="json"))


def test_an_empty_password_in_the_portal_differs_from_any_secret() -> None:
    part = plan(view([desired("a", 1, password="PW")], [current(1, "A", password="")], secrets={"PW": "x"}))
    assert len(part.calls) == 1


def test_passwords_are_not_compared_where_the_portal_returns_none() -> None:
    part = plan(view([desired("a", 1, password="PW")], [current(1, "A", password=None)], secrets={"PW": "x"}))
    assert not part.calls
    assert codes(part) == ["passwords-not-compared"]


def test_passwords_are_not_compared_where_secrets_are_not_read() -> None:
    lines = [desired("a", 1, password="PW"), desired("b", 2, password="PW")]
    one = view(lines, [current(1), current(2)])
    part = plan(replace(one, selection=Selection(secrets=False)))
    assert "2 passwords were not compared, since secrets are not read" in part.diagnostics[0].summary


def test_against_a_saved_state_passwords_are_compared_by_reference() -> None:
    now = [current(1, "A", password=None), current(2, "B", password=None)]
    lines = [desired("a", 1, password="SAME"), desired("b", 2, password="NEW")]
    part = plan(view(lines, now, known_refs={1: {"password": "env:SAME"}, 2: {"password": "env:OLD"}}))
    assert params(part) == [{"CONFIG_ID": 2, "TYPE": "cloud", "PASSWORD": None}]
    assert codes(part) == []


@pytest.mark.parametrize(
    ("now", "reregisters", "stored_only"),
    [
        (current(1, "A"), True, False),
        (current(1, "A", reg_id=0), False, True),
        (current(1, "A", type="office"), False, True),
    ],
)
def test_what_a_new_server_does_depends_on_the_line(now: object, reregisters: bool, stored_only: bool) -> None:
    part = plan(view([desired("a", 1, server="new.example")], [now]))  # type: ignore[list-item]
    change = part.resource_changes[0]
    assert (change.reregisters, change.stored_only) == (reregisters, stored_only)
    assert part.summary.reregistrations == reregisters


def test_a_rename_registers_nothing_and_is_not_stored_only() -> None:
    change = plan(view([desired("a", 1, title="B")], [current(1, "A")])).resource_changes[0]
    assert (change.reregisters, change.stored_only) == (False, False)


def test_reregister_plans_the_connection_data_again() -> None:
    lines = [desired("a", 1, title="A", server="sip.example")]
    part = plan(view(lines, [current(1, "A")], reregister=("acme.a",)))
    assert params(part) == [{"CONFIG_ID": 1, "TYPE": "cloud", "SERVER": "sip.example", "LOGIN": "u1", "PASSWORD": None}]
    assert part.exit is Exit.OK
    part = plan(view(lines, [current(1, "A", type="office")], reregister=("acme.a",)))
    assert codes(part) == ["never-registered"]


def test_registrations_that_were_not_seen_are_told_once_for_all_lines() -> None:
    lines = [desired(key, number, title=key) for number, key in enumerate("abc", 1)]
    now = [current(number, key, status_code=0 if number < 3 else 200) for number, key in enumerate("abc", 1)]
    part = plan(view(lines, now))
    assert codes(part) == ["never-registered"]
    assert part.diagnostics[0].summary.startswith("2 lines are as desired")
    assert part.diagnostics[0].summary.endswith('changed: 1 "a", 2 "b"')


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (current(1, "A", status_code=0), "never confirmed"),
        (current(1, "A", status_code=403, status_message="Forbidden"), "status 403: Forbidden"),
        (current(1, "A", reg_id=0), "REG_ID 0"),
    ],
)
def test_a_line_that_matches_and_does_not_work_is_a_warning(now: object, said: str) -> None:
    part = plan(view([desired("a", 1, title="A")], [now]))  # type: ignore[list-item]
    assert codes(part) == ["never-registered"]
    assert said in part.diagnostics[0].summary
    assert part.exit is Exit.OK


def test_an_office_line_and_a_line_without_status_are_no_warning() -> None:
    now = [current(1, "A", type="office", status_code=0), current(2, "B", status_code=None)]
    assert codes(plan(view([desired("a", 1, title="A"), desired("b", 2, title="B")], now))) == []


def test_an_ignored_field_is_left_alone_until_its_day_and_counts_again_after_it() -> None:
    def with_end(until: date) -> Policy:
        return Policy(ignore_fields=(IgnoredField("a*", "server", "trial", until),))

    lines, now = [desired("a", 1, server="new.example", title="A")], [current(1, "A")]
    part = plan(view(lines, now, policy=with_end(date(2026, 11, 24))))
    assert not part.calls
    part = plan(view(lines, now, policy=with_end(date(2026, 11, 23))))
    assert len(part.calls) == 1
    assert codes(part) == ["ignored-field"]


def test_a_delete_says_what_is_lost_and_whether_outgoing_calls_lose_their_line() -> None:
    part = plan(
        view([], [current(1, "A")], policy=Policy(delete=True), removed={"old": (1, "A")}, default_line="reg1001")
    )
    assert codes(part) == ["default-line", "lost-for-good"]
    assert params(part) == [{"CONFIG_ID": 1}]
    assert part.resource_changes[0].change.after is None


def test_a_delete_needs_the_policy_as_well() -> None:
    part = plan(view([], [current(1, "A")], removed={"old": (1, "A")}))
    assert codes(part, "error") == ["delete-off"]
    assert part.exit is Exit.GUARD


def test_a_removed_line_whose_title_differs_is_not_deleted() -> None:
    part = plan(view([], [current(1, "A")], policy=Policy(delete=True), removed={"old": (1, "B")}))
    assert codes(part) == ["removed-differs"]


def test_a_removed_line_that_is_gone_is_done() -> None:
    part = plan(view([], [], policy=Policy(delete=True), removed={"old": (1, "B")}))
    assert (part.exit, part.calls) == (Exit.OK, ())


@pytest.mark.parametrize(
    ("limit", "total", "allowed"),
    [("3", 100, 3), ("0", 9, 0), ("30%", 3, 1), ("30%", 10, 3), ("50%", 5, 2), ("1%", 9, 1)],
)
def test_a_percentage_rounds_in_favour_of_one_change(limit: str, total: int, allowed: int) -> None:
    assert allowed_changes(limit, total) == allowed


def test_too_many_changes_stop_the_plan_and_still_show_it() -> None:
    lines = [desired(f"l{i}", i, server="new.example") for i in range(1, 9)]
    now = [current(i, f"T{i}") for i in range(1, 9)]
    policy = replace(NO_BOUNDS, max_changes="90%").bound(Policy(max_changes="3"))
    part = plan(view(lines, now, policy=policy))
    assert part.exit is Exit.GUARD
    assert len(part.changes) == 8
    assert "max_changes is 3, the plan changes 8" in part.diagnostics[0].summary or "90%" in part.diagnostics[0].summary
    part = plan(view(lines, now, policy=policy, allow=("max-changes:acme",)))
    assert part.exit is Exit.OK
    assert codes(part, "warning") == ["max-changes"]


def test_a_protected_line_is_not_changed_by_key_or_title() -> None:
    now = [current(1, "Reception"), current(2, "B")]
    lines = [desired("a", 1, server="n.example"), desired("boss", 2, server="n.example")]
    part = plan(view(lines, now, policy=Policy(protected=("Recep*", "boss"))))
    assert codes(part) == ["protected", "protected"]
    assert part.exit is Exit.GUARD
    part = plan(view(lines, now, policy=Policy(protected=("boss",)), allow=("protected:acme.boss",)))
    assert part.exit is Exit.OK


@pytest.mark.parametrize(
    ("policy", "title", "block"),
    [
        (Policy(), "Fax", '`removed: {line-70: {config_id: 70, title: "Fax"}}`, and `delete: true` under `policy:`.'),
        (Policy(delete=True), 'Склад "2"', '`removed: {line-70: {config_id: 70, title: "Склад \\"2\\""}}`.'),
        (Policy(), "two\nlines", None),
        (Policy(), "a `b`", None),
        (Policy(), "", None),
    ],
)
def test_a_line_that_is_not_in_the_file_comes_with_what_deletes_it(
    policy: Policy, title: str, block: str | None
) -> None:
    (told,) = plan(view([], [current(70, title)], policy=policy)).diagnostics
    assert told.hint.endswith(f"To delete one in Bitrix24, write {block}" if block else "silences this.")


def test_lines_that_are_not_in_the_file_come_with_how_many_the_block_deletes() -> None:
    (told,) = plan(view([], [current(70, "Fax"), current(71, "Test")], policy=Policy(delete=True))).diagnostics
    entries = 'line-70: {config_id: 70, title: "Fax"}, line-71: {config_id: 71, title: "Test"}'
    assert told.hint.endswith(
        f"To delete lines in Bitrix24, write `removed: {{{entries}}}`. This block deletes all 2 (70, 71); "
        "leave out what stays."
    )
    (told,) = plan(view([], [current(number, f"T{number}") for number in range(70, 75)])).diagnostics
    assert "5 lines in Bitrix24" in told.summary
    assert "This block deletes all 3 (70, 71, 72); leave out what stays." in told.hint


def test_a_removal_goes_below_those_that_are_there() -> None:
    part = plan(view([], [current(1, "A"), current(2, "B")], policy=Policy(delete=True), removed={"a": (1, "A")}))
    told = next(found for found in part.diagnostics if found.code is Code.UNMANAGED)
    assert told.hint.endswith('write under `removed:` `line-2: {config_id: 2, title: "B"}`.')


def test_unmanaged_lines_are_an_error_silence_or_a_report() -> None:
    now = [current(i, f"T{i}") for i in range(1, 8)]
    assert plan(view([], now, policy=Policy(unmanaged="error"))).exit is Exit.GUARD
    assert codes(plan(view([], now, policy=Policy(unmanaged="ignore")))) == []
    assert "and 2 more" in plan(view([], now)).diagnostics[0].summary


def test_equal_plans_have_equal_digests_and_other_ones_have_not() -> None:
    lines, now = [desired("a", 1, title="B")], [current(1, "A")]
    one, same = plan(view(lines, now)), plan(view(lines, now))
    other = plan(view([desired("a", 1, title="C")], now))
    assert one.digest == same.digest != other.digest
    assert one.seal == same.seal != ""
    assert plan(view(lines, now, policy=Policy(create=True))).digest != one.digest


def test_requests_and_time_are_told() -> None:
    lines = [desired(f"l{i}", i, title=f"N{i}") for i in range(1, 121)]
    part = plan(view(lines, [current(i, f"T{i}", type="office") for i in range(1, 121)]))
    assert (part.summary.calls, part.summary.requests) == (120, 3)


def test_a_password_that_a_batch_would_rewrite_takes_a_request_of_its_own() -> None:
    lines = [desired(f"l{i}", i, password=f"P{i}") for i in range(1, 4)]
    secrets = {"P1": "a", "P2": "x$time[0]y", "P3": "b"}
    part = plan(view(lines, [current(i, f"T{i}") for i in range(1, 4)], secrets=secrets))
    assert (part.summary.calls, part.summary.requests) == (3, 3)


def test_a_wrong_order_is_refused_by_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(*given: Any) -> tuple[Write, ...]:
        return tuple(replace(write, after=()) for write in reversed(order(*given)))

    monkeypatch.setattr("sipsync.planning.plan.order", spoiled)
    lines = [desired("a", 1, title="B"), desired("b", 2, title="C")]
    part = plan(view(lines, [current(1, "A"), current(2, "B")]))
    assert Code.PLAN_IS_WRONG in codes(part)
    assert part.exit is Exit.ERROR


@pytest.mark.parametrize("line", [desired("b", 2, title="X"), desired("b", title="B"), desired("b", 2, type="cloud")])
def test_a_line_that_is_neither_cloud_nor_office_is_an_error_of_that_line_and_never_written(line: DesiredLine) -> None:
    now = [current(1, "A"), current(2, "B", type="other", reg_id=None)]
    part = plan(view([desired("a", 1, title="A2"), line], now))
    assert [(found.code, found.address) for found in part.diagnostics] == [(Code.TYPE_DIFFERS, "acme.b")]
    assert (part.exit, part.calls) == (Exit.ERROR, ())
    left_out = plan(view([desired("a", 1, title="A2"), line], now, exclude=("acme.b",)))
    assert (left_out.exit, len(left_out.calls)) == (Exit.OK, 1)


def test_a_line_that_is_neither_cloud_nor_office_is_not_deleted_and_left_alone_where_no_file_names_it() -> None:
    now = [current(1, "A"), current(2, "B", type="other", reg_id=None)]
    wanted = [desired("a", 1, title="A2")]
    part = plan(view(wanted, now, removed={"gone": (2, "B")}, policy=Policy(delete=True)))
    assert (codes(part, "error"), part.calls) == (["type-differs"], ())
    part = plan(view(wanted, now))
    assert (codes(part), len(part.calls)) == (["unmanaged"], 1)
    part = plan(view([desired("a", 1, title="B")], now))
    assert codes(part, "error") == ["title-held"]
