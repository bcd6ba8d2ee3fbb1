"""The whole of one host, start to end: read it, plan it, or apply a plan to it; each gives results by portal.

Small and self-contained, so that a task of the event loop, a process or another machine can be given exactly this.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext

from sipsync.applying import outcome
from sipsync.applying.bind import bind, stops
from sipsync.applying.check import check_plan
from sipsync.applying.control import Control
from sipsync.applying.execute import execute
from sipsync.disk.locks import lock
from sipsync.fleet.host import HostJob, connected
from sipsync.fleet.opened import OpenHost, OpenHosts
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent, Waiting
from sipsync.model.frames import forgetful
from sipsync.model.lines import DesiredPortal
from sipsync.model.options import ApplyOptions, PlanOptions
from sipsync.model.outcome import PortalOutcome
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Exit, SipsyncError, internal
from sipsync.planning.inputs import PlanInput
from sipsync.planning.plan import build
from sipsync.portal.client import RestPortal
from sipsync.portal.protocol import PortalReader


@forgetful
async def read_host(
    job: HostJob, seconds: float, clock: Clock, on_event: OnEvent
) -> dict[str, PlanInput | SipsyncError]:
    """What planning needs of each owner on this host. Only reading methods are sent."""
    async with connected(job, clock, seconds, on_event) as portals:
        inputs, failed = await inputs_of(job, portals)
        return {**inputs, **failed}


@forgetful
async def plan_host(
    job: HostJob, options: PlanOptions, clock: Clock, on_event: OnEvent, opened: OpenHosts | None = None
) -> dict[str, PortalPlan | SipsyncError]:
    """One part for each owner on this host, left open where there is something to apply. Only reads."""
    async with AsyncExitStack() as closing:
        listener = opened.tell if opened else on_event
        portals = await closing.enter_async_context(connected(job, clock, options.timeout, listener))
        inputs, failed = await inputs_of(job, portals)
        built = build(list(inputs.values()), clock.now(), no_ops=options.no_ops) if inputs else ()
        lasting = {name: credential.lasting for name, credential in job.credentials.items()}
        parts = {part.portal: part.model_copy(update={"lasting": lasting[part.portal]}) for part in built}
        if opened and _is_to_apply(job, parts):
            snapshots = {name: given.current for name, given in inputs.items()}
            await opened.keep(OpenHost(job, portals, snapshots, parts, closing.pop_all()))
    return {**parts, **failed}


def _is_to_apply(job: HostJob, parts: Mapping[str, PortalPlan]) -> bool:
    """Whether an apply may go on from here; an embedded portal keeps nothing of what is done while it is planned."""
    whole = len(parts) == len(job.portals) and not any(portal.access.embedded for portal in job.portals)
    return whole and any(part.changes and part.exit is Exit.OK for part in parts.values())


async def inputs_of(
    job: HostJob, portals: Mapping[str, PortalReader]
) -> tuple[dict[str, PlanInput], dict[str, SipsyncError]]:
    """What planning needs of each owner, read side by side, and why one can't be read: that is its own error."""

    async def one(portal: DesiredPortal) -> PlanInput | SipsyncError:
        outgoing = portal.policy.create or bool(portal.removed)
        try:
            return job.given(portal, await portals[portal.name].snapshot(outgoing=outgoing))
        except SipsyncError as error:
            return error

    read = dict(zip((portal.name for portal in job.portals), await asyncio.gather(*map(one, job.portals)), strict=True))
    return (
        {name: given for name, given in read.items() if isinstance(given, PlanInput)},
        {name: error for name, error in read.items() if isinstance(error, SipsyncError)},
    )


@asynccontextmanager
async def _asked(
    job: HostJob, options: ApplyOptions, control: Control, host: OpenHost | None
) -> AsyncIterator[Mapping[str, RestPortal]]:
    """The job's portals: those that were left open, with all of the time again, or over new connections."""
    if host is None:
        async with connected(job, control.clock, options.timeout, control.on_event) as portals:
            yield portals
    else:
        for portal in host.portals.values():
            portal.grant(options.timeout)
        yield {portal.name: host.portals[portal.name] for portal in job.portals}


@forgetful
async def apply_host(
    job: HostJob,
    by_portal: Mapping[str, PortalPlan],
    options: ApplyOptions,
    control: Control,
    host: OpenHost | None = None,
) -> dict[str, PortalOutcome | SipsyncError]:
    """What became of the plan on this host, which it may have left open; one outcome for each owner."""
    waited = False

    def on_wait(seconds: float) -> None:
        nonlocal waited
        waited = True  # for somebody who may have changed what was read
        control.on_event(Waiting(job.portals[0].name, seconds, "lock"))

    outcomes: tuple[PortalOutcome, ...] = ()
    failed: dict[str, SipsyncError] = {}
    try:
        async with (
            host.closing if host else nullcontext(),
            lock(job.host, job.operator, control.clock, options.lock_timeout, on_wait),
            _asked(job, options, control, host) as portals,
        ):
            proved = host is not None and not waited and host.serves(by_portal, control.clock.monotonic())
            if host and proved:
                inputs = {one.name: job.given(one, host.snapshots[one.name]) for one in job.portals}
            else:
                inputs, failed = await inputs_of(job, portals)
            outcomes = await _apply(inputs, portals, by_portal, options, control, proved=proved)
    except Exception as error:
        if not outcomes:
            raise
        outcomes = outcome.with_fault(outcomes, internal(error))  # closing what was open must not cost the report
    return {**{one.portal: one for one in outcomes}, **failed}


async def _apply(
    inputs: Mapping[str, PlanInput],
    portals: Mapping[str, RestPortal],
    by_portal: Mapping[str, PortalPlan],
    options: ApplyOptions,
    control: Control,
    *,
    proved: bool,
) -> tuple[PortalOutcome, ...]:
    """What became of the owners that were read. What waits for one that is refused here is not attempted."""
    now = control.clock.now()
    reasons = {
        name: [reason]
        for name, given in inputs.items()
        if not proved and (reason := check_plan(by_portal[name], given, now, options.max_plan_age))
    }
    refused = outcome.refused(reasons, portals, Exit.STALE)
    left = [name for name in inputs if name not in reasons]
    while left:
        parts, given = [by_portal[name] for name in left], [inputs[name] for name in left]
        bound = bind(parts, given, strict=options.strict, proved=proved and len(left) == len(inputs))
        stopped = {name: why for name in left if (why := stops(bound, by_portal[name], inputs[name]))}
        if not stopped:
            break
        refused += outcome.refused(stopped, portals, Exit.GUARD)
        left = [name for name in left if name not in stopped]
    else:
        return refused
    own = {name: portals[name] for name in left}
    if options.dry_run or bound.exit is not Exit.OK:
        return (*refused, *outcome.dry_run(bound, own))
    read_at = min(portal.read_at for portal in own.values())
    return (*refused, *outcome.applied(bound, own, await execute(bound, own, options, control, read_at)))
