"""Two owners of one portal: their lines share titles, so their parts are planned, bound and sent together."""

from __future__ import annotations

from dataclasses import replace

from sipsync.applying.bind import bind
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Exit
from sipsync.planning.plan import build
from sipsync.rules.state import PortalState
from support.clock import NOW
from support.lines import desired, file
from support.rulebook import row
from support.stage import Stage, apply, results


def owners(**given: str) -> tuple[Stage, Stage]:
    """A webhook's line and an application's line that swap their titles."""
    state = PortalState.of([row(1, "A"), row(2, "B", app="app:x")])
    mine = Stage(state, file(desired("a", 1, title="B", **given)))
    return mine, Stage(state, file(desired("b", 2, portal="app", title="A", **given), name="app"), app="app:x")


def planned(*stages: Stage) -> tuple[PortalPlan, ...]:
    return build([one.view() for one in stages], NOW)


async def test_lines_of_two_owners_swap_their_titles() -> None:
    mine, theirs = owners(server="new.example")
    plans = planned(mine, theirs)
    assert [plan.exit for plan in plans] == [Exit.OK, Exit.OK]
    outcomes = await apply(plans, [mine, theirs])
    assert [outcome.exit for outcome in outcomes] == [Exit.OK, Exit.OK]
    assert mine.titles == {1: "B", 2: "A"}
    assert [len(outcome.lines) for outcome in outcomes] == [1, 1]
    assert [results(one) for one in await apply(plans, [mine, theirs])] == [{"a": "done"}, {"b": "done"}]


async def test_a_swap_of_two_owners_is_finished_from_every_step() -> None:
    for count in range(4):
        mine, theirs = owners()
        plans = planned(mine, theirs)
        for call in bind(plans, [mine.view(), theirs.view()]).calls[:count]:
            (mine if call.address.portal == "acme" else theirs).run(call)
        await apply(plans, [mine, theirs])
        assert mine.titles == {1: "B", 2: "A"}


async def test_what_waits_for_an_owner_that_is_left_out_is_not_attempted() -> None:
    mine, theirs = owners()
    first, _second = planned(mine, theirs)
    (outcome,) = await apply([first], [mine])
    assert results(outcome) == {"a": "skipped"}
    assert outcome.exit is Exit.PARTIAL or mine.titles == {1: "A", 2: "B"}


def test_an_owner_with_errors_stops_its_own_part_only() -> None:
    mine, theirs = owners()
    wrong = replace(theirs, file=file(desired("b", 9, portal="app", title="C"), name="app"))
    alone = replace(mine, file=file(desired("a", 1, title="D")))
    first, second = planned(alone, wrong)
    assert (first.exit, len(first.calls)) == (Exit.OK, 1)
    assert (second.exit, len(second.calls)) == (Exit.GUARD, 0)
