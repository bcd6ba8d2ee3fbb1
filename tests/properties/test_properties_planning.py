"""Whatever the portal and the file: a plan that is fine, carried out, leaves nothing to change, and nothing else moved.

Portals and files are made at random: two owners, titles that only the database takes for equal,
duplicates, leftovers of broken swaps, lines that never registered; renames, moves, adds and deletes.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from sipsync.model.plan import PortalPlan
from sipsync.model.policy import Limits
from sipsync.model.problems import Exit
from sipsync.rules.state import PortalState, Row
from sipsync.rules.values import title_key
from support.lines import desired, file
from support.rulebook import row
from support.stage import Stage

TITLES = ["A", "a", "B", "C", "D", "Ёлка", "елка", "й", "и", "😀", "😎", "Straße", "strasse", "Склад", "~sipsync-1"]
APPS = (None, None, None, "app:other")
MANY = settings(max_examples=150, deadline=None)


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Up to seven lines of two owners; the cloud's own swaps may have left temporary titles."""
    made = []
    for config_id in range(1, draw(st.integers(1, 7)) + 1):
        kind, app = draw(st.sampled_from(["cloud", "cloud", "office"])), draw(st.sampled_from(APPS))
        # Other owners' lines without a registration share one name in the portal's list, and can't be foreseen.
        reg_id = draw(st.sampled_from([1000 + config_id, 1000 + config_id, 0 if app is None else 1000 + config_id]))
        made.append(
            row(
                config_id,
                draw(st.sampled_from([*TITLES, "", f"~sipsync-{config_id}"])),
                type=kind,
                app=app,
                server=draw(st.sampled_from(["old.example", "new.example"])),
                password=draw(st.sampled_from(["pw", "other", None])),
                reg_id=reg_id if kind == "cloud" else None,
            )
        )
    return made


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    """A portal and a file about it."""
    there = draw(rows())
    lines, removed = [], {}
    for one in there:
        what = "nothing" if one.app else draw(st.sampled_from(["change"] * 4 + ["nothing", "remove"]))
        if what == "remove":
            removed[f"gone{one.config_id}"] = (one.config_id, one.title or "")
        elif what == "change":
            titles = st.sampled_from([*TITLES[:-1], *(each.title for each in there if each.title)])
            values = draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "title": titles,
                        "server": st.sampled_from(["old.example", "new.example"]),
                        "password": st.sampled_from(["PW", "OTHER"]),
                    },
                )
            )
            lines.append(desired(f"l{one.config_id}", one.config_id, **values))
    for number in range(draw(st.integers(0, 2))):
        given = {"title": draw(st.sampled_from(TITLES[:-1])), "server": "add.example", "login": f"add{number}"}
        if draw(st.booleans()):
            given["password"] = "PW"
        lines.append(desired(f"new{number}", type=draw(st.sampled_from([None, "office"])), **given))
    state = PortalState.of(there, cloud_limit=draw(st.integers(2, 10)))
    portal_file = file(*lines, removed=removed, limits=Limits(cloud_lines=state.cloud_limit))
    return Stage(state, portal_file, {"PW": "pw", "OTHER": "other"})


def run(stage: Stage, plan: PortalPlan, count: int | None = None) -> None:
    """Send the plan's first calls; each must be accepted at its moment."""
    for call in stage.bound(plan).calls[:count]:
        assert stage.run(call), call


def fine(stage: Stage) -> PortalPlan:
    """The plan, of a portal and a file that allow one."""
    plan = stage.plan()
    assert "plan-is-wrong" not in [found.code for found in plan.diagnostics], plan.diagnostics
    event(f"{plan.exit.name}, {min(len(plan.calls), 3)} calls")
    assume(plan.exit is Exit.OK)
    return plan


def rings(stage: Stage, plan: PortalPlan) -> int:
    """How many lines step aside."""
    return sum(one.temporary is not None for one in plan.evidence.values())


@given(stages())
@MANY
def test_a_plan_carried_out_leaves_nothing_to_change_and_touches_nothing_else(stage: Stage) -> None:
    plan = fine(stage)
    before = dict(stage.state.rows)
    run(stage, plan)
    after = stage.plan()
    assert not after.changes, after.changes
    assert after.exit is Exit.OK
    named = {change.config_id for change in plan.changes}
    assert all(stage.state.rows[one] == before[one] for one in before.keys() - named)
    assert len(stage.state.rows) == len(before) + plan.summary.add - plan.summary.destroy


@given(stages())
@MANY
def test_there_is_one_call_for_each_change_and_one_for_each_ring_and_one_registration_at_most(stage: Stage) -> None:
    plan = fine(stage)
    known = set(stage.state.rows)
    run(stage, plan)
    assert len(plan.calls) == len(plan.changes) + rings(stage, plan)
    updates = Counter({one: n for one, n in stage.registered.items() if one in known and n})
    assert sum(updates.values()) == plan.summary.reregistrations
    assert set(updates.values()) <= {1}
    assert len(_cycles(stage, plan)) == rings(stage, plan)


def _cycles(stage: Stage, plan: PortalPlan) -> set[frozenset[str]]:
    """The rings of titles among the changes: each waits for who holds what it wants, round and round."""
    holds: dict[str, list[str]] = {}
    wants: dict[str, str] = {}
    for change in plan.changes:
        new = (change.change.after or {}).get("title")
        if change.action == "update" and new and title_key(new) != title_key(change.title):
            wants[change.address] = title_key(new)
            holds.setdefault(title_key(change.title), []).append(change.address)
    found = set()
    for start in wants:
        paths: list[list[str]] = [[start]]
        while paths:
            path = paths.pop()
            for blocker in holds.get(wants[path[-1]], ()):
                if blocker == start:
                    found.add(frozenset(path))
                elif blocker not in path:
                    paths.append([*path, blocker])
    return found


@given(stages(), st.integers(0, 12))
@MANY
def test_the_same_plan_finishes_what_was_interrupted(stage: Stage, count: int) -> None:
    plan = fine(stage)
    known = set(stage.state.rows)
    count = min(count, len(plan.calls))
    run(stage, plan, count)
    bound = stage.bound(plan)
    assert bound.exit is Exit.OK, bound.diagnostics
    assert not any(line.state == "stale" for line in bound.lines.values()), bound.diagnostics
    assert len(bound.calls) == len(plan.calls) - count
    run(stage, plan)
    assert not stage.plan().changes
    assert not stage.bound(plan).calls
    assert all(times <= 1 for one, times in stage.registered.items() if one in known)


@given(stages(), st.integers(0, 12))
@MANY
def test_a_new_plan_finishes_what_was_interrupted(stage: Stage, count: int) -> None:
    plan = fine(stage)
    known = set(stage.state.rows)
    run(stage, plan, min(count, len(plan.calls)))
    again = stage.plan()
    assert again.exit is Exit.OK, again.diagnostics
    run(stage, again)
    assert not stage.plan().changes
    assert all(times <= 1 for one, times in stage.registered.items() if one in known)


@given(stages(), st.data())
@MANY
def test_a_selection_changes_selected_lines_only_and_never_halves_a_swap(stage: Stage, data: st.DataObject) -> None:
    addresses = [str(line.address) for line in stage.file.lines]
    assume(addresses)
    chosen = tuple(data.draw(st.lists(st.sampled_from(addresses), min_size=1, unique=True)))
    plan = stage.plan(lines=chosen)
    assert "plan-is-wrong" not in [found.code for found in plan.diagnostics], plan.diagnostics
    assume(plan.exit is Exit.OK)
    assert {change.address for change in plan.changes} <= set(chosen)
    run(stage, plan)
    assert not stage.plan(lines=chosen).changes


@given(stages(), st.data())
@MANY
def test_titles_that_are_left_to_the_server_never_make_a_plan_that_contradicts_itself(
    stage: Stage, data: st.DataObject
) -> None:
    addresses = [str(line.address) for line in stage.file.lines]
    assume(addresses)
    allowed = data.draw(st.lists(st.sampled_from(addresses), min_size=1, unique=True))
    plan = stage.plan(allow=tuple(f"title-held:{address}" for address in allowed))
    assert "plan-is-wrong" not in [found.code for found in plan.diagnostics], plan.diagnostics
    assume(plan.exit is Exit.OK)
    while True:  # as it stands, and wherever it is interrupted before the server refuses a title
        bound = stage.bound(plan)
        assert bound.exit is Exit.OK, bound.diagnostics
        if not bound.calls or not stage.run(bound.calls[0]):
            break


@pytest.mark.parametrize(
    "do", [{"error": "CHECK_FIELDS_ERROR"}, "reset-before", "reset-after", {"error": "ACCESS_DENIED"}]
)
@given(stage=stages(), place=st.integers(1, 4), verb=st.sampled_from(["add", "update", "update", "delete"]))
@settings(max_examples=50, deadline=None)
def test_an_apply_that_fails_somewhere_is_finished_by_the_next_one(
    stage: Stage, place: int, verb: str, do: object
) -> None:
    plan = fine(stage)
    stage.portal.goes_wrong(do, place, method=f"sip.{verb}")
    outcome = asyncio.run(stage.apply(plan))
    hit = any(fault.done for fault in stage.portal.faults)
    event(f"goes wrong: {hit}")
    assert (outcome.exit is Exit.OK) is (isinstance(do, str) or not hit), (outcome, stage.portal.asked)
    again = stage.plan()
    assert again.exit is Exit.OK
    last = asyncio.run(stage.apply(again))
    assert last.exit is Exit.OK, last
    assert not stage.plan().changes
    adds = sum(change.action == "create" and change.line_type == "cloud" for change in plan.changes)
    assert stage.portal.registrations == plan.summary.reregistrations + adds
