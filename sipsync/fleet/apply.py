"""Applies a plan to a whole fleet, portals side by side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from sipsync.applying.check import check_plan
from sipsync.applying.control import Control
from sipsync.config.target import with_target_policy
from sipsync.fleet.approved import check_approved
from sipsync.fleet.host import HostJob, prepare
from sipsync.fleet.opened import OpenHosts
from sipsync.fleet.parallel import Work, located, run_all, tell
from sipsync.fleet.selection import check_allow
from sipsync.fleet.work import apply_host
from sipsync.model.clock import Clock
from sipsync.model.events import Stopping
from sipsync.model.lines import Address, DesiredPortal, Fleet, Snapshot
from sipsync.model.message import Message
from sipsync.model.options import ApplyOptions, Selection
from sipsync.model.outcome import Outcome, PortalOutcome
from sipsync.model.plan import Plan, PortalPlan
from sipsync.model.problems import Code, Diagnostic, Exit, Span, StalePlan
from sipsync.secrets.known import KnownSchemes


async def apply_fleet(
    plan: Plan, fleet: Fleet, options: ApplyOptions, control: Control, opened: OpenHosts | None = None
) -> Outcome:
    """What became of each part of the plan, which may have left hosts `opened`.

    Raises StalePlan where it is not the expected one.
    """
    check_approved(plan, fleet, options)
    _once_each(plan)
    check_allow(fleet, options.allow)
    if options.strict and not options.dry_run:
        looked = await apply_fleet(plan, fleet, replace(options, dry_run=True), control)
        if looked.exit is not Exit.OK:
            return _untouched(looked)
    by_name = {portal.name: portal for portal in fleet.portals}
    done = {part.portal: reason for part in plan.parts if (reason := _in_the_way(part, by_name, fleet)) is not None}
    parts = {part.portal: part for part in plan.parts if part.portal not in done}
    selections = {
        name: replace(part.selection, allow=(*part.selection.allow, *options.allow)) for name, part in parts.items()
    }

    work = partial(apply_host, by_portal=parts, options=options, control=control)
    portals = with_target_policy([by_name[name] for name in parts], fleet.operator, KnownSchemes())
    ready: list[tuple[HostJob, Work[PortalOutcome]]] = []
    if opened:
        opened.on_event = control.on_event
        for job, host in opened.take(portals, fleet.operator, selections):
            ready.append((job, partial(work, host=host)))

    async with _telling(control):
        outcomes, failed = await run_all(
            portals,
            fleet.operator,
            selections,
            work,
            control.clock,
            parallel=options.parallel,
            kind="apply",
            on_event=control.on_event,
            writes=not options.dry_run,
            ready=ready,
        )
    done |= outcomes
    done |= {name: _failed(name, error.diagnostics, error.exit) for name, error in failed.items()}
    return Outcome(
        timestamp=control.clock.now().isoformat(timespec="seconds"),
        plan_id=plan.plan_id,
        dry_run=options.dry_run,
        parts=tuple(_located(done[part.portal], by_name.get(part.portal)) for part in plan.parts),
        problems=tuple(found for found in plan.problems if found.severity == "error"),
    )


def _located(part: PortalOutcome, portal: DesiredPortal | None) -> PortalOutcome:
    """The same, where each finding names its portal and its place in the file."""
    places = {line.address: Span(line.source.file, line.source.line) for line in part.lines if line.source}
    whole = portal.at if portal else None
    found = tuple(each.about(part.portal, places.get(Address(each.address or ""), whole)) for each in part.diagnostics)
    return part.model_copy(update={"diagnostics": found})


def _untouched(looked: Outcome) -> Outcome:
    """Of a strict run: one line or file that is not as planned anywhere, and nothing at all is sent."""
    parts = []
    for part in looked.parts:
        lines = tuple(
            line.model_copy(
                update={
                    "result": "skipped",
                    "message": Message("not attempted: something else can't be applied (--strict)"),
                }
            )
            if line.result == "planned"
            else line
            for line in part.lines
        )
        parts.append(part.model_copy(update={"lines": lines, "calls": ()}))
    return looked.model_copy(update={"parts": tuple(parts), "dry_run": False})


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


def _in_the_way(part: PortalPlan, by_name: Collection[str], fleet: Fleet) -> PortalOutcome | None:
    """Why nothing of this part is sent: nothing to do, not planned, stopped by a limit, or no such file."""
    if part.exit is not Exit.OK:
        errors = tuple(found for found in part.diagnostics if found.severity == "error")
        return _failed(part.portal, errors, part.exit)
    if part.portal in fleet.broken:
        return _failed(part.portal, _of_file(part, fleet), Exit.ERROR)
    if part.portal not in by_name:
        return _failed(part.portal, (_no_file(part),), Exit.STALE)
    return None if part.changes else PortalOutcome(portal=part.portal)


def _of_file(part: PortalPlan, fleet: Fleet) -> list[Diagnostic]:
    """The errors of the portal's file, and those that are of no one portal's."""
    return [found for found in fleet.diagnostics if found.severity == "error" and found.portal in ("", part.portal)]


def _no_file(part: PortalPlan) -> Diagnostic:
    summary = Message("the plan has this portal, the files have not")
    hint = Message("Apply with the files that were planned.")
    return Diagnostic(Code.STALE_FILE, summary, hint=hint, address=part.portal)


def _failed(portal: str, diagnostics: Sequence[Diagnostic], exit_: Exit) -> PortalOutcome:
    return PortalOutcome(portal=portal, diagnostics=tuple(diagnostics), exit=exit_)


@asynccontextmanager
async def _telling(control: Control) -> AsyncIterator[None]:
    """Tell what was sent and not answered at the moment when the run is stopped."""

    async def wait() -> None:
        await control.stop.wait()
        tell(control.on_event, Stopping(tuple(sorted(control.in_flight))))

    task = asyncio.create_task(wait())
    try:
        yield
    finally:
        if not control.stop.is_set():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def verify_plan(plan: Plan, fleet: Fleet, options: ApplyOptions, clock: Clock) -> tuple[Diagnostic, ...]:
    """What can be said of a saved plan without asking a portal."""
    _once_each(plan)
    by_name = {portal.name: portal for portal in fleet.portals}
    parts = {part.portal: part for part in plan.parts}
    portals = [by_name[name] for name in parts if name in by_name]
    jobs, failed = await prepare(portals, fleet.operator, Selection(secrets=False), clock)
    diagnostics = []
    for name, part in parts.items():
        if name not in by_name:
            diagnostics += _of_file(part, fleet) if name in fleet.broken else [_no_file(part)]
    if plan.edited:
        summary = Message("the plan's file was edited: it says something else than its sealed parts")
        hint = Message("Make a new plan. `sipsync apply` would go by the parts alone.")
        diagnostics.append(Diagnostic(Code.PLAN_SEAL, summary, hint=hint))
    diagnostics += [diagnostic for error in located(failed, portals).values() for diagnostic in error.diagnostics]
    for job in jobs:
        for portal in job.portals:
            given = job.given(portal, Snapshot((), {}))
            if reason := check_plan(parts[portal.name], given, clock.now(), options.max_plan_age):
                diagnostics.append(reason)
    return tuple(diagnostics)
