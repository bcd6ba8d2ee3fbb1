"""The whole of one host, start to end: read it, plan it, or apply a plan to it; each gives results by portal.

Small and self-contained, so that a task of the event loop, a process or another machine can be given exactly this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sipsync.applying import outcome
from sipsync.applying.bind import bind, check_plan
from sipsync.applying.control import Control
from sipsync.applying.execute import execute
from sipsync.disk.locks import lock
from sipsync.fleet.host import HostJob, connected
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent, Waiting
from sipsync.model.lines import DesiredPortal
from sipsync.model.options import ApplyOptions, PlanOptions
from sipsync.model.outcome import PortalOutcome
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Exit, internal
from sipsync.planning.inputs import PlanInput
from sipsync.planning.plan import build
from sipsync.portal.client import RestPortal
from sipsync.portal.protocol import PortalReader


async def read_host(job: HostJob, seconds: float, clock: Clock, on_event: OnEvent) -> dict[str, PlanInput]:
    """What planning needs of each owner on this host. Only reading methods are sent."""
    async with connected(job, clock, seconds, on_event) as portals:
        return await inputs_of(job, portals)


async def plan_host(job: HostJob, options: PlanOptions, clock: Clock, on_event: OnEvent) -> dict[str, PortalPlan]:
    """One part for each owner on this host. Only reading methods are sent."""
    inputs = await read_host(job, options.timeout, clock, on_event)
    parts = build(list(inputs.values()), clock.now(), no_ops=options.no_ops)
    lasting = {name: credential.lasting for name, credential in job.credentials.items()}
    return {part.portal: part.model_copy(update={"lasting": lasting[part.portal]}) for part in parts}


async def inputs_of(job: HostJob, portals: Mapping[str, PortalReader]) -> dict[str, PlanInput]:
    """What planning needs of each owner, read side by side."""

    async def one(portal: DesiredPortal) -> PlanInput:
        outgoing = portal.policy.create or bool(portal.removed)
        return job.given(portal, await portals[portal.name].snapshot(outgoing=outgoing))

    inputs = await asyncio.gather(*map(one, job.portals))
    return {given.desired.name: given for given in inputs}


async def apply_host(
    job: HostJob, by_portal: Mapping[str, PortalPlan], options: ApplyOptions, control: Control
) -> dict[str, PortalOutcome]:
    """What became of the plan on this host, one outcome for each owner."""

    def on_wait(seconds: float) -> None:
        control.on_event(Waiting(job.portals[0].name, seconds, "lock"))

    outcomes: tuple[PortalOutcome, ...] = ()
    try:
        async with (
            lock(job.host, job.operator, options.lock_timeout, on_wait),
            connected(job, control.clock, options.timeout, control.on_event) as portals,
        ):
            outcomes = await _apply(job, portals, by_portal, options, control)
    except Exception as error:
        if not outcomes:
            raise
        outcomes = outcome.with_fault(outcomes, internal(error))  # closing what was open must not cost the report
    return {one.portal: one for one in outcomes}


async def _apply(
    job: HostJob,
    portals: Mapping[str, RestPortal],
    by_portal: Mapping[str, PortalPlan],
    options: ApplyOptions,
    control: Control,
) -> tuple[PortalOutcome, ...]:
    read_at = control.clock.monotonic()
    inputs = list((await inputs_of(job, portals)).values())
    parts = [by_portal[given.desired.name] for given in inputs]
    reasons = {
        part.portal: reason
        for part, given in zip(parts, inputs, strict=True)
        if (reason := check_plan(part, given, control.clock.now(), options.max_plan_age))
    }
    if reasons:
        return outcome.refused(reasons, portals)
    bound = bind(parts, inputs, strict=options.strict)
    if options.dry_run or bound.exit is not Exit.OK:
        return outcome.dry_run(bound, portals)
    return outcome.applied(bound, portals, await execute(bound, portals, options, control, read_at))
