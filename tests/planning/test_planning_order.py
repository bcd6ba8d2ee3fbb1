"""Titles are unique on a portal: the order of renames, and as few of them as there can be."""

from __future__ import annotations

from collections import deque
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from sipsync.model.policy import Limits, Policy
from sipsync.model.problems import Exit
from sipsync.rules.values import title_key
from support.lines import codes, current, desired, params, plan, view


def test_a_swap_of_two_titles_takes_exactly_one_extra_call() -> None:
    part = plan(view([desired("a", 1, title="B"), desired("b", 2, title="A")], [current(1, "A"), current(2, "B")]))
    assert [(call["CONFIG_ID"], call["TITLE"]) for call in params(part)] == [(1, "~sipsync-1"), (2, "A"), (1, "B")]
    assert part.calls[1].depends_on == ("acme:1",)
    assert set(part.calls[2].depends_on) == {"acme:1", "acme:2"}


def test_a_swap_that_also_changes_servers_registers_each_line_once() -> None:
    lines = [desired("a", 1, title="B", server="n.example"), desired("b", 2, title="A", server="n.example")]
    part = plan(view(lines, [current(1, "A"), current(2, "B")]))
    assert ["SERVER" in call for call in params(part)] == [False, True, True]
    assert part.summary.reregistrations == 2


def test_a_chain_runs_from_its_free_end() -> None:
    lines = [desired("a", 1, title="B"), desired("b", 2, title="C"), desired("c", 3, title="D")]
    part = plan(view(lines, [current(1, "A"), current(2, "B"), current(3, "C")]))
    assert [call["CONFIG_ID"] for call in params(part)] == [3, 2, 1]


def test_a_very_long_chain_needs_no_recursion() -> None:
    count = 3000
    lines = [desired(f"l{i}", i, title=f"T{i + 1}") for i in range(1, count)]
    part = plan(view(lines, [current(i, f"T{i}") for i in range(1, count)], limits=Limits(cloud_lines=5000)))
    assert [call["CONFIG_ID"] for call in params(part)] == list(range(count - 1, 0, -1))


def test_a_stranded_temporary_title_is_finished() -> None:
    lines = [desired("a", 1, title="B"), desired("b", 2, title="A")]
    part = plan(view(lines, [current(1, "~sipsync-1"), current(2, "B")]))
    assert [(call["CONFIG_ID"], call["TITLE"]) for call in params(part)] == [(2, "A"), (1, "B")]


def test_a_temporary_title_that_is_taken_gets_a_suffix() -> None:
    lines = [desired("a", 1, title="B"), desired("b", 2, title="A")]
    part = plan(view(lines, [current(1, "A"), current(2, "B"), current(3, "~SIPSYNC-1")]))
    assert params(part)[0]["TITLE"] == "~sipsync-1-2"


def test_a_title_that_a_line_outside_the_file_holds_is_an_error_that_can_be_allowed() -> None:
    lines = [desired("a", 1, title="Taken")]
    part = plan(view(lines, [current(1, "A")], names={"reg99": "TAKEN"}))
    assert codes(part) == ["title-held"]
    assert part.exit is Exit.ERROR
    part = plan(view(lines, [current(1, "A")], names={"reg99": "TAKEN"}, allow=("title-held:acme.a",)))
    assert codes(part, "error") == []
    assert codes(part, "warning") == ["title-held"]
    assert len(part.calls) == 1


def test_a_title_that_two_lines_want_is_left_to_the_server_whichever_of_them_comes_first() -> None:
    lines = [desired("first", 1, title="Ёлка"), desired("waits", 2, title="C"), desired("second", 3, title="елка")]
    there = [current(1, "A"), current(2, "B"), current(3, "C")]
    assert codes(plan(view(lines, there))) == ["title-held"]
    part = plan(view(lines, there, allow=("title-held:acme.second",)))
    assert part.exit is Exit.OK
    assert [call["CONFIG_ID"] for call in params(part)] == [1, 3, 2]
    lines[0], lines[1] = lines[1], lines[0]  # now `second` is renamed before `first`, since `waits` wants its title
    part = plan(view(lines, there, allow=("title-held:acme.second",)))
    assert part.exit is Exit.OK
    assert [call["CONFIG_ID"] for call in params(part)] == [3, 2, 1]


def test_half_of_a_swap_selected_is_an_error_that_names_the_other_half() -> None:
    lines = [desired("a", 1, title="B"), desired("b", 2, title="A")]
    part = plan(view(lines, [current(1, "A"), current(2, "B")], lines=("acme.a",)))
    assert codes(part) == ["half-swap"]
    assert "acme.b" in part.diagnostics[0].summary


def test_duplicates_that_exist_already_do_not_stop_a_plan_that_need_not_rename_them() -> None:
    lines = [desired("a", 1, title="😀", server="new.example"), desired("b", 2, title="😎")]
    part = plan(view(lines, [current(1, "😀"), current(2, "😎")]))
    assert part.exit is Exit.OK
    assert len(part.calls) == 1


def test_two_lines_that_want_titles_which_the_database_takes_for_equal_are_an_error() -> None:
    lines = [desired("a", 1, title="Ёлка"), desired("b", 2, title="елка")]
    part = plan(view(lines, [current(1, "A"), current(2, "B")]))
    assert codes(part) == ["title-held"]


def test_a_title_that_a_delete_frees_is_taken_after_it() -> None:
    part = plan(
        view(
            [desired("a", 1, title="B")],
            [current(1, "A"), current(2, "B")],
            policy=Policy(delete=True),
            removed={"old": (2, "B")},
        )
    )
    assert [call.method for call in part.calls] == ["voximplant.sip.delete", "voximplant.sip.update"]
    assert "lost-for-good" in codes(part)


def test_deletes_come_last_unless_an_add_needs_their_place() -> None:
    full = [current(i, f"T{i}") for i in range(1, 11)]
    new = desired("new", title="New", server="s.example", login="x")
    policy = Policy(create=True, delete=True)
    part = plan(view([new], full, policy=policy, removed={"old": (3, "T3"), "older": (4, "T4")}))
    assert [call.method.rpartition(".")[2] for call in part.calls] == ["delete", "add", "delete"]
    assert part.calls[1].depends_on == ("acme:1",)
    part = plan(view([new], full[:8], policy=policy, removed={"old": (3, "T3")}))
    assert [call.method.rpartition(".")[2] for call in part.calls] == ["add", "delete"]


def test_an_add_without_room_is_an_error() -> None:
    new = desired("new", title="New", server="s.example", login="x")
    others = {f"reg{i}": f"Other {i}" for i in range(1, 10)}
    part = plan(view([new], [current(50, "T")], policy=Policy(create=True), names=others))
    assert codes(part, "error") == ["cloud-limit"]


def test_two_owners_of_one_portal_are_ordered_together() -> None:
    mine = view([desired("a", 1, title="B")], [current(1, "A")], names={"reg1002": "B"})
    theirs = view(
        [desired("b", 2, title="C", portal="app")], [current(2, "B")], name="app", owner="app:x", names={"reg1001": "A"}
    )
    from sipsync.planning.plan import build
    from support.clock import NOW

    first, second = build([mine, theirs], NOW)
    assert first.exit is second.exit is Exit.OK
    assert first.calls[0].depends_on == ("app:1",)


def test_an_owner_with_errors_holds_back_the_owner_who_waits_for_its_title() -> None:
    mine = view([desired("a", 1, title="B")], [current(1, "A")], names={"reg1002": "B"})
    theirs = view(
        [desired("b", 2, title="C", portal="app"), desired("x", 9, portal="app")],
        [current(2, "B")],
        name="app",
        owner="app:x",
        names={"reg1001": "A"},
    )
    assert codes(plan(mine, theirs)) == ["half-swap"]


TITLES = st.sampled_from(["A", "a", "B", "Ё", "Е", "й", "и", "😀", "😎", "Склад", "~sipsync-1", "x", "ss", "ß"])


@st.composite
def renames(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Current and desired titles of up to six lines; no two desired titles are equal for the database."""
    count = draw(st.integers(1, 6))
    now = draw(st.lists(TITLES, min_size=count, max_size=count, unique_by=title_key))
    pool = [*now, "F1", "F2"]
    wanted = draw(st.permutations(pool))[:count]
    keep = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    wanted = [old if kept else new for old, new, kept in zip(now, wanted, keep, strict=True)]
    return now, wanted


@given(renames())
@settings(max_examples=150, deadline=None)
def test_the_number_of_calls_is_the_brute_force_optimum(case: tuple[list[str], list[str]]) -> None:
    now, wanted = case
    if len({title_key(title) for title in wanted}) < len(wanted):
        return
    lines = [desired(f"l{i}", i + 1, title=title) for i, title in enumerate(wanted)]
    part = plan(view(lines, [current(i + 1, title) for i, title in enumerate(now)]))
    assert part.exit is Exit.OK, part.diagnostics
    assert len(part.calls) == fewest_renames(tuple(now), tuple(wanted))


def fewest_renames(start: tuple[str, ...], goal: tuple[str, ...]) -> int:
    """Breadth-first search over all states: the least number of renames that the server would accept."""
    spare = "~spare"
    queue, seen = deque([(start, 0)]), {start}
    while queue:
        state, steps = queue.popleft()
        if state == goal:
            return steps
        for place in range(len(state)):
            for title in {goal[place], spare} - {state[place]}:
                others = {title_key(other) for i, other in enumerate(state) if i != place}
                if title_key(title) in others:
                    continue
                after = (*state[:place], title, *state[place + 1 :])
                if after not in seen:
                    seen.add(after)
                    queue.append((after, steps + 1))
    raise AssertionError("the goal can't be reached")


def test_every_ring_of_up_to_five_takes_one_call_more_than_it_has_lines() -> None:
    for size in range(2, 6):
        for order in permutations(range(size)):
            rings = _rings(order)
            moved = sum(i != j for i, j in enumerate(order))
            lines = [desired(f"l{i}", i + 1, title=f"T{j}") for i, j in enumerate(order)]
            part = plan(view(lines, [current(i + 1, f"T{i}") for i in range(size)]))
            assert len(part.calls) == moved + rings


def _rings(order: tuple[int, ...]) -> int:
    seen: set[int] = set()
    rings = 0
    for start in range(len(order)):
        place, length = start, 0
        while place not in seen:
            seen.add(place)
            place, length = order[place], length + 1
        rings += length > 1
    return rings
