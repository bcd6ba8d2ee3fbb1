"""Applies a plan to a whole fleet, portals side by side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from sipsync.applying.execute import Orders
from sipsync.fleet.host import Job, prepare
from sipsync.fleet.options import ApplyOptions
from sipsync.fleet.parallel import each
from sipsync.fleet.work import ApplyWork, apply_portal
from sipsync.model.events import OnEvent, Stopping
from sipsync.model.lines import Address, Fleet
from sipsync.model.message import Message
from sipsync.model.outcome import Outcome, PortalOutcome
from sipsync.model.plan import Plan, PortalPlan
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, StalePlan


async def apply_fleet(
    plan: Plan, fleet: Fleet, options: ApplyOptions, on_event: OnEvent, stop: asyncio.Event
) -> Outcome:
    """What became of each part of the plan. Raises StalePlan where it is not the expected one."""
    _expect(plan, options.expect)
    _once_each(plan)
    if options.strict and not options.dry_run:
        looked = await apply_fleet(plan, fleet, replace(options, dry_run=True), on_event, stop)
        if any(part.exit is Exit.STALE for part in looked.parts):
            return _untouched(looked)
    by_name = {portal.name: portal for portal in fleet.portals}
    done = {part.portal: reason for part in plan.parts if (reason := _in_the_way(part, by_name)) is not None}
    parts = {part.portal: part for part in plan.parts if part.portal not in done}
    selections = {name: part.selection for name, part in parts.items()}
    prepared = await prepare([by_name[name] for name in parts], fleet.operator, selections)
    done |= {name: _failed(name, found) for name, found in prepared.failed.items()}
    in_flight: set[Address] = set()
    orders = Orders(
        options.clock,
        stop,
        in_flight,
        options.max_failures,
        options.wait,
        options.canary,
        options.check_command,
        on_event,
    )
    work = ApplyWork(parts, orders, options)

    async def one(job: Job) -> tuple[PortalOutcome, ...]:
        return await apply_portal(job, work)

    async with _telling(stop, in_flight, on_event):
        results = await each(prepared.jobs, one, parallel=options.parallel, kind="apply", on_event=on_event)
    for job, result in zip(prepared.jobs, results, strict=True):
        if isinstance(result, SipsyncError):
            done |= {portal.name: _failed(portal.name, result.diagnostics, result.exit) for portal in job.portals}
        else:
            done |= {part.portal: part for part in result}
    return Outcome(
        timestamp=options.clock.now().isoformat(timespec="seconds"),
        plan_id=plan.plan_id,
        dry_run=options.dry_run,
        parts=tuple(done[part.portal] for part in plan.parts),
    )


def _untouched(looked: Outcome) -> Outcome:
    """Of a strict run: one stale line anywhere, and nothing at all is sent."""
    parts = []
    for part in looked.parts:
        lines = tuple(
            line.model_copy(
                update={"result": "skipped", "message": "not attempted: something else is stale (--strict)"}
            )
            if line.result == "planned"
            else line
            for line in part.lines
        )
        parts.append(part.model_copy(update={"lines": lines, "calls": ()}))
    return looked.model_copy(update={"parts": tuple(parts), "dry_run": False})


def _expect(plan: Plan, digest: str | None) -> None:
    if digest is not None and digest not in (plan.digest, plan.plan_id):
        raise StalePlan(
            Diagnostic(
                Code.PLAN_UNEXPECTED,
                Message("the plan's digest is {digest}, expected was {digest2}", digest=plan.digest, digest2=digest),
                hint=Message("What was approved is not what would be applied. Make a new plan and have it approved."),
            )
        )


def _once_each(plan: Plan) -> None:
    """Plans are merged by putting their parts together, so one portal may be in there twice."""
    names = Counter(part.portal for part in plan.parts)
    twice = [name for name, times in names.items() if times > 1]
    if twice:
        raise StalePlan(
            *(
                Diagnostic(
                    Code.PLAN_UNEXPECTED,
                    Message("the plan has this portal more than once"),
                    hint=Message("Merge plans of different portals, or make one plan of all."),
                    address=name,
                )
                for name in twice
            )
        )


def _in_the_way(part: PortalPlan, by_name: Collection[str]) -> PortalOutcome | None:
    """Why nothing of this part is sent: nothing to do, not planned, stopped by a limit, or no such file."""
    if part.exit is not Exit.OK:
        errors = tuple(found for found in part.diagnostics if found.severity == "error")
        return _failed(part.portal, errors, part.exit)
    if part.portal not in by_name:
        return _failed(part.portal, (no_file(part),), Exit.STALE)
    return None if part.changes else PortalOutcome(portal=part.portal)


def no_file(part: PortalPlan) -> Diagnostic:
    """What is said of a planned portal that the files do not have."""
    return Diagnostic(
        Code.STALE_FILE,
        Message("the plan has this portal, the files have not"),
        hint=Message("Apply with the files that were planned."),
        address=part.portal,
    )


def _failed(portal: str, found: Sequence[Diagnostic], exit_: Exit = Exit.ERROR) -> PortalOutcome:
    return PortalOutcome(portal=portal, diagnostics=tuple(found), exit=exit_)


@asynccontextmanager
async def _telling(stop: asyncio.Event, in_flight: set[Address], on_event: OnEvent) -> AsyncIterator[None]:
    """Tell what was sent and not answered at the moment when the run is stopped."""

    async def tell() -> None:
        await stop.wait()
        on_event(Stopping(tuple(sorted(in_flight))))

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        if not stop.is_set():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
