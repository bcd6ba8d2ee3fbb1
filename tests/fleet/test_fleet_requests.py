"""How many requests and connections a plan and its apply take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

import sipsync
from sipsync.disk.clock import SystemClock
from sipsync.disk.locks import lock
from sipsync.model.events import Event, Waiting
from sipsync.model.outcome import Outcome
from sipsync.model.problems import Code, Exit
from sipsync.planning.proof import prove
from sipsync.portal import wire
from support.box import Box
from support.clock import Clock


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were connected to."""
    opened: list[str] = []
    open_: Callable[..., Awaitable[Any]] = wire.Wire._open

    async def noted(self: wire.Wire, address: str, *more: Any) -> Any:
        opened.append(address)
        return await open_(self, address, *more)

    monkeypatch.setattr(wire.Wire, "_open", noted)
    return opened


async def carried_out(box: Box, pause: float = 0.0, **options: Any) -> Outcome:
    """Plan and apply where nobody is asked in between, so many seconds apart."""
    fleet, opened, clock = box.fleet(), sipsync.open_hosts(), Clock()
    try:
        plan = await sipsync.aplan(fleet, clock=clock, opened=opened)
        clock.time += pause
        return await sipsync.aapply(plan, fleet, sipsync.ApplyOptions(**options), clock=clock, opened=opened)
    finally:
        await opened.aclose()


def by_hand(box: Box, **fields: str) -> None:
    """A person changes a line."""
    params = {"CONFIG_ID": 1, "TYPE": "cloud", **fields}
    httpx.post(f"{box.webhook}voximplant.sip.update", json=params, trust_env=False).raise_for_status()


def written(box: Box, lines: int, changes: int) -> None:
    """A portal of so many lines, and a file that moves some to another server."""
    box.seed(*({"title": f"Line {number}", "config_id": number} for number in range(1, lines + 1)))
    text = "".join(f"  l{number}: {{config_id: {number}, server: new.example}}\n" for number in range(1, changes + 1))
    box.write(f"policy: {{max_changes: 100%}}\nlines:\n{text}")


@pytest.mark.parametrize(
    ("lines", "changes", "reading", "writing"),
    [
        (1, 1, 1, 1),
        (50, 1, 1, 1),
        (51, 1, 2, 1),
        (1000, 1, 2, 1),
        (2500, 1, 2, 1),
        (10, 10, 1, 1),
        (50, 50, 1, 2),
        (500, 500, 2, 11),
    ],
)
async def test_nothing_is_read_twice_and_nothing_opened_twice(
    box: Box, connections: list[str], lines: int, changes: int, reading: int, writing: int
) -> None:
    written(box, lines, changes)
    before = box.stats["requests"]
    outcome = await carried_out(box)
    assert (outcome.exit, outcome.summary.changed) == (Exit.OK, changes)
    assert box.stats["requests"] - before == reading + writing == outcome.summary.requests
    assert len(connections) == 1


async def test_what_was_read_a_minute_ago_is_read_again(box: Box, connections: list[str]) -> None:
    written(box, 1, 1)
    before = box.stats["requests"]
    assert (await carried_out(box, pause=60.0)).exit is Exit.OK
    assert box.stats["requests"] - before == 3
    assert len(connections) == 2  # the first one stood idle


async def test_after_a_wait_for_another_run_it_is_read_again(box: Box) -> None:
    written(box, 1, 1)
    host = f"127.0.0.1:{box.url.rpartition(':')[2]}/{box.name}"
    waiting: list[str] = []

    async def ours() -> Outcome:
        fleet, opened = box.fleet(), sipsync.open_hosts()
        plan = await sipsync.aplan(fleet, opened=opened)

        def on_event(event: Event) -> None:
            if isinstance(event, Waiting):
                waiting.append(event.reason)
                theirs.set()

        try:
            return await sipsync.aapply(plan, fleet, on_event=on_event, opened=opened)
        finally:
            await opened.aclose()

    theirs = asyncio.Event()
    async with lock(host, box.operator, SystemClock(), 0.0):
        asked = asyncio.create_task(ours())
        await theirs.wait()
        assert waiting == ["lock"]
        by_hand(box, SERVER="new.example")
    outcome = await asked
    assert (outcome.lines[0].result, outcome.lines[0].calls) == ("done", 0)


async def test_a_failure_on_an_open_host_is_that_portal_s_alone(box: Box) -> None:
    written(box, 1, 1)
    fleet, opened = box.fleet(), sipsync.open_hosts()
    plan = await sipsync.aplan(fleet, opened=opened)
    host = f"127.0.0.1:{box.url.rpartition(':')[2]}/{box.name}"
    async with lock(host, box.operator, SystemClock(), 0.0):
        outcome = await sipsync.aapply(plan, fleet, sipsync.ApplyOptions(lock_timeout=0.05), opened=opened)
    (found,) = outcome.diagnostics
    assert (outcome.exit, found.code, found.address) == (Exit.ERROR, Code.LOCKED, "acme")


async def test_a_plan_from_elsewhere_is_read_again_though_its_host_is_open(box: Box) -> None:
    written(box, 1, 1)
    fleet, opened = box.fleet(), sipsync.open_hosts()
    saved = await sipsync.aplan(fleet)
    await sipsync.aplan(fleet, opened=opened)
    before = box.stats["requests"]
    assert (await sipsync.aapply(saved, fleet, opened=opened)).exit is Exit.OK
    assert box.stats["requests"] - before == 2


async def test_a_file_that_says_something_else_by_now_is_not_applied_over_an_open_host(box: Box) -> None:
    written(box, 1, 1)
    opened = sipsync.open_hosts()
    plan = await sipsync.aplan(box.fleet(), opened=opened)
    box.write("lines:\n  l1: {config_id: 1, server: other.example}\n")
    outcome = await sipsync.aapply(plan, box.fleet(), opened=opened)
    await opened.aclose()
    assert (outcome.exit, outcome.diagnostics[0].code) == (Exit.STALE, Code.STALE_FILE)
    assert box.lines[1]["server"] == "old.example"


def test_what_a_plan_left_open_is_of_no_use_in_another_event_loop(box: Box) -> None:
    written(box, 1, 1)
    fleet, opened = box.fleet(), sipsync.open_hosts()
    plan = sipsync.plan(fleet, opened=opened)
    with pytest.raises(sipsync.UsageError, match="another event loop"):
        sipsync.apply(plan, fleet, opened=opened)
    assert box.lines[1]["server"] == "old.example"


async def test_a_host_that_is_planned_twice_is_open_once(box: Box, connections: list[str]) -> None:
    written(box, 1, 1)
    fleet, opened = box.fleet(), sipsync.open_hosts()
    await sipsync.aplan(fleet, opened=opened)
    plan = await sipsync.aplan(fleet, opened=opened)
    assert (await sipsync.aapply(plan, fleet, opened=opened)).exit is Exit.OK
    assert len(connections) == 2


async def test_what_was_just_proved_is_not_proved_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    written(box, 1, 1)
    proofs: list[object] = []

    def counted(*more: Any) -> Any:
        proofs.append(more)
        return prove(*more)

    monkeypatch.setattr("sipsync.applying.bind.prove", counted)
    assert (await carried_out(box)).exit is Exit.OK
    assert proofs == []
    assert (await box.apply()).exit is Exit.OK
    box.write("lines:\n  l1: {config_id: 1, server: third.example}\n")
    assert (await box.apply()).exit is Exit.OK
    assert len(proofs) == 1


async def test_what_nobody_applies_is_closed(box: Box, connections: list[str]) -> None:
    written(box, 1, 1)
    opened = sipsync.open_hosts()
    await sipsync.aplan(box.fleet(), opened=opened)
    await opened.aclose()
    assert (await box.apply()).exit is Exit.OK
    assert len(connections) == 3


async def test_a_person_s_change_in_between_is_not_taken_for_ours(box: Box) -> None:
    """Within the minute the lines are not looked at again: what the plan does not name is never written."""
    written(box, 1, 1)
    fleet, opened = box.fleet(), sipsync.open_hosts()
    plan = await sipsync.aplan(fleet, opened=opened)
    by_hand(box, TITLE="By hand")
    before = box.stats["requests"]
    outcome = await sipsync.aapply(plan, fleet, opened=opened)
    await opened.aclose()
    assert (outcome.exit, box.stats["requests"] - before) == (Exit.OK, 1)
    assert (box.lines[1]["title"], box.lines[1]["server"]) == ("By hand", "new.example")
