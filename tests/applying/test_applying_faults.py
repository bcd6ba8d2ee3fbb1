"""What nobody foresaw, at every point of a run: once something was sent, the report is whole and says what is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sipsync.applying.bind import bind
from sipsync.applying.control import Control
from sipsync.applying.execute import execute
from sipsync.applying.outcome import applied
from sipsync.model.lines import TEMPORARY_TITLE
from sipsync.model.options import ApplyOptions
from sipsync.model.outcome import PortalOutcome
from sipsync.model.problems import Code, Diagnostic, Exit
from sipsync.planning.plan import build
from sipsync.portal.protocol import Portal
from sipsync.rules.state import PortalState
from support.clock import NOW
from support.emulated import Asked
from support.lines import codes, desired, file
from support.rulebook import row
from support.stage import Stage, move, results, stage, swap

REFUSED = {"error": "CHECK_FIELDS_ERROR"}
NEW = desired("n", title="New", server="s.example", login="x")


class Nobody(Exception):
    """What nobody foresaw."""


@dataclass
class Seam:
    """Counts what applying asks of the world, and breaks one of these."""

    breaks: int
    after: bool
    """Whether the portal did what it was asked before it broke."""
    count: int = 0

    def step(self) -> None:
        """One more question."""
        self.count += 1
        if self.count == self.breaks:
            raise Nobody("secret text")

    def event(self, _event: object) -> None:
        """Somebody is told of something."""
        self.step()

    def portal(self, portal: Portal) -> Portal:
        """A portal whose methods are counted."""
        return _Counted(portal, self)


@dataclass
class _Counted:
    _portal: Portal
    _seam: Seam

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._portal, name)
        if name not in ("snapshot", "lines", "statuses", "send"):
            return real

        async def counted(*arguments: Any, **named: Any) -> Any:
            if not self._seam.after:
                self._seam.step()
            answer = await real(*arguments, **named)
            if self._seam.after:
                self._seam.step()
            return answer

        return counted


async def broken(one: Stage, seam: Seam, **options: Any) -> PortalOutcome:
    """Apply the plan with something broken."""
    plan = one.plan()
    async with one.portal.connected(one.file) as portal:
        bound = one.bound(plan)
        control = Control(one.clock, seam.event, one.stop)
        portals = {one.file.name: seam.portal(portal)}
        (outcome,) = applied(bound, portals, await execute(bound, portals, ApplyOptions(**options), control, 0.0))
    return outcome


def _swap() -> Stage:
    """A swap that the portal refuses to finish, and a line that moves."""
    lines = desired("a", 1, title="B", server="new.example"), desired("b", 2, title="A"), desired("c", 3, login="new")
    return stage([row(1, "A"), row(2, "B"), row(3, "C")], *lines)


def _refused_swap() -> Stage:
    one = _swap()
    one.portal.goes_wrong(REFUSED, 3)
    return one


def _lost_swap() -> Stage:
    one = _swap()
    one.portal.goes_wrong("reset-after", 2)
    return one


def _lame() -> Stage:
    one = move(3)
    one.portal.before = lambda asked: one.portal.says(1, 403) if "sip.update" in asked else None
    return one


STORIES: dict[str, tuple[Callable[[], Stage], dict[str, Any]]] = {
    "swap": (_swap, {}),
    "refused swap": (_refused_swap, {}),
    "lost swap": (_lost_swap, {}),
    "wait": (lambda: move(3), {"wait": 9.0}),
    "canary": (lambda: move(3), {"canary": True}),
    "lame canary": (_lame, {"canary": True}),
    "add": (lambda: stage([row(1, "A")], NEW, desired("a", 1, title="B")), {}),
    "many": (lambda: move(51), {}),
}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("story", STORIES)
async def test_whatever_breaks_once_something_was_sent_the_report_is_whole(story: str, after: bool) -> None:
    make, options = STORIES[story]
    told = 0
    for place in range(1, 400, 7 if story == "many" else 1):
        one, seam = make(), Seam(place, after)
        try:
            outcome = await broken(one, seam, **options)
        except Nobody:
            assert one.portal.writes == 0, "something was sent, and the report is lost"
            continue
        if seam.count < place:
            break
        told += 1
        assert {line.address.key for line in outcome.lines} == {line.address.key for line in one.file.lines}
        assert outcome.exit in (Exit.PARTIAL, Exit.UNHEALTHY)
        assert Code.INTERNAL in codes(outcome)
        assert "secret text" not in outcome.model_dump_json()
        aside = {f"acme.{line.address.key}" for line in one.file.lines if _is_aside(one, line.config_id)}
        first = [found.address for found in outcome.diagnostics[: len(aside)] if found.code is Code.TEMPORARY_LEFT]
        assert set(first) == aside
        await _finishes(one)
    assert told > 1


@pytest.mark.parametrize("after", [False, True])
async def test_whatever_breaks_between_two_owners_both_reports_are_whole(after: bool) -> None:
    for place in range(1, 40):
        state = PortalState.of([row(1, "A"), row(2, "B", app="app:x")])
        mine = Stage(state, file(desired("a", 1, title="B", server="new.example")))
        theirs = Stage(state, file(desired("b", 2, portal="app", title="A"), name="app"), app="app:x")
        plans, seam, portal = build([mine.view(), theirs.view()], NOW), Seam(place, after), mine.portal
        async with portal.connected(mine.file) as ours, portal.connected(theirs.file, theirs.app) as others:
            portals = {"acme": seam.portal(ours), "app": seam.portal(others)}
            bound = bind(plans, [mine.view(), theirs.view()])
            control = Control(portal.clock, seam.event)
            try:
                outcomes = applied(bound, portals, await execute(bound, portals, ApplyOptions(), control, 0.0))
            except Nobody:
                assert portal.writes == 0
                continue
        if seam.count < place:
            break
        assert [results(outcome).keys() for outcome in outcomes] == [{"a"}, {"b"}]
        assert {outcome.exit for outcome in outcomes} == {Exit.PARTIAL}
        aside = [found.address for outcome in outcomes for found in outcome.diagnostics[:1] if _names(found)]
        assert aside == ["acme.a" if number == 1 else "app.b" for number in (1, 2) if _is_aside(mine, number)]
    assert place > 3


def _names(found: Diagnostic) -> bool:
    return found.code is Code.TEMPORARY_LEFT and "still has" in found.summary


def _is_aside(one: Stage, config_id: int | None) -> bool:
    return config_id is not None and (one.titles[config_id] or "").startswith(TEMPORARY_TITLE)


async def _finishes(one: Stage) -> None:
    """The next run does the rest."""
    one.portal.faults.clear()
    one.portal.before = lambda _asked: None
    assert (await one.apply()).exit is Exit.OK
    assert not one.plan().calls


# --- hostile answers ---

HOSTILE = {
    "half a character": (b'"SERVER":"', b'"SERVER":"\\ud83d'),
    "half a character as bytes": (b'"SERVER":"', b'"SERVER":"\xed\xa0\xbd'),
    "a number of 5,000 digits": (b'"REG_ID":"', b'"X":' + b"9" * 5000 + b',"REG_ID":"'),
    "a text of 5,000 digits": (b'"REG_ID":"', b'"REG_ID":"' + b"9" * 5000),
    "a status of 5,000 digits": (
        b'"REGISTRATION_STATUS_CODE":',
        b'"REGISTRATION_STATUS_CODE":"' + b"9" * 5000 + b'","X":',
    ),
    "an id that looks like a digit": (b'"CONFIG_ID":"', '"CONFIG_ID":"²'.encode()),
    "NaN": (b'"REG_ID":"', b'"REG_ID":NaN,"X":"'),
    "Infinity": (b'"CONFIG_ID":"', b'"CONFIG_ID":Infinity,"X":"'),
    "a number without bounds": (b'"CONFIG_ID":"', b'"CONFIG_ID":1e400,"X":"'),
    "a list without end": (b'"LOGIN":', b'"LOGIN":' + b"[" * 900 + b"]" * 900 + b',"X":'),
    "a title with a number of 5,000 digits": (b'"reg', b'"x":"&#' + b"9" * 5000 + b';","reg'),
}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("make", [lambda: swap(server="new.example"), lambda: stage([], NEW), lambda: move(1)])
async def test_a_hostile_answer_after_any_request_costs_no_report(make: Callable[[], Stage], hostile: str) -> None:
    text, put = HOSTILE[hostile]
    for start in range(1, 9):
        one = make()

        def answer(_asked: Asked, body: bytes, one: Stage = one, start: int = start) -> bytes:
            return body.replace(text, put) if len(one.portal.asked) > start else body

        one.portal.instead = answer
        outcome = await one.apply(wait=5.0)
        assert Code.INTERNAL not in codes(outcome)
        assert len(outcome.lines) == len(one.file.lines)
        clean = one.titles == {line.config_id: line.title for line in one.file.lines}
        if outcome.exit is Exit.OK:
            assert set(results(outcome).values()) == {"applied"}
        elif one.portal.writes:
            assert outcome.exit in (Exit.PARTIAL, Exit.UNHEALTHY), clean
        aside = [config_id for config_id in one.titles if _is_aside(one, config_id)]
        assert [found.code for found in outcome.diagnostics[: len(aside)]] == [Code.TEMPORARY_LEFT] * len(aside)


@pytest.mark.parametrize("config_id", ["²", "9" * 5000, 10**400, "0x1", "", None, [1], {"a": 1}, True, 1.5])
async def test_an_add_that_is_answered_with_an_odd_id_is_unverified(config_id: object) -> None:
    import json

    one = stage([], NEW)

    def answer(asked: Asked, body: bytes) -> bytes:
        return json.dumps({"result": {"CONFIG_ID": config_id}}).encode() if "sip.add" in asked else body

    one.portal.instead = answer
    outcome = await one.apply()
    assert (results(outcome), outcome.exit) == ({"n": "unverified"}, Exit.PARTIAL)


async def test_a_line_that_is_of_no_known_type_when_it_is_to_be_written_is_not_touched() -> None:
    one = move(2)
    plan = one.plan()
    one.portal.instead = lambda _asked, body: body.replace(b'"TYPE":"cloud"', b'"TYPE":"fax"')
    outcome = await one.apply(plan)
    assert (set(results(outcome).values()), outcome.exit, one.portal.writes) == ({"stale"}, Exit.STALE, 0)


async def test_what_was_sent_and_not_answered_when_time_is_over_is_unverified() -> None:
    one = move(1)
    one.portal.seconds = 30.0
    one.portal.goes_wrong("reset-before", 1)

    def slow(asked: Asked) -> None:
        one.clock.time += 40.0 if one.portal.writes and "sip.update" not in asked else 0.0

    one.portal.before = slow
    outcome = await one.apply()
    assert (results(outcome), outcome.exit, one.portal.writes) == ({"l1": "unverified"}, Exit.PARTIAL, 1)
