"""The whole of one host, start to end: plan it, or apply a plan to it.

Small and self-contained, so that a task of the event loop, a process or another machine can be given exactly this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sipsync.applying import outcome
from sipsync.applying.bind import bind, check_plan
from sipsync.applying.execute import Orders, execute
from sipsync.disk.locks import lock
from sipsync.fleet.connect import connected
from sipsync.fleet.host import Job
from sipsync.fleet.options import ApplyOptions
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent, Waiting, ignore
from sipsync.model.lines import DesiredPortal, SandboxAccess
from sipsync.model.outcome import PortalOutcome
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Exit
from sipsync.planning.inputs import PlanInput
from sipsync.planning.plan import build
from sipsync.portal.protocol import Identity, PortalReader


@dataclass(frozen=True, slots=True)
class PlanWork:
    """How to plan."""

    clock: Clock
    timeout: float = 900.0
    no_ops: bool = False
    on_event: OnEvent = ignore


async def plan_portal(job: Job, work: PlanWork) -> tuple[PortalPlan, ...]:
    """One part for each owner on this host. Only reading methods are sent."""
    async with connected(job, work.clock, work.timeout, work.on_event) as portals:
        inputs = await inputs_of(job, portals)
    return build(inputs, work.clock.now(), no_ops=work.no_ops)


async def inputs_of(job: Job, portals: Mapping[str, PortalReader]) -> list[PlanInput]:
    """What planning needs of each owner, read side by side."""

    async def one(portal: DesiredPortal) -> PlanInput:
        reader = portals[portal.name]
        current = await reader.snapshot(outgoing=portal.policy.create or bool(portal.removed))
        host, owner = host_in_plan(portal, reader.identity), reader.identity.owner
        return PlanInput(portal, current, job.secrets, reader.seal, host, owner, job.selections[portal.name])

    return list(await asyncio.gather(*(one(portal) for portal in job.portals)))


def host_in_plan(portal: DesiredPortal, identity: Identity) -> str:
    """The host as a plan names it: an embedded portal's file differs from machine to machine."""
    return "sandbox" if isinstance(portal.access, SandboxAccess) else identity.host


@dataclass(frozen=True, slots=True)
class ApplyWork:
    """How to apply, and which parts."""

    parts: Mapping[str, PortalPlan]
    orders: Orders
    options: ApplyOptions


async def apply_portal(job: Job, work: ApplyWork) -> tuple[PortalOutcome, ...]:
    """What became of the plan on this host, one outcome for each owner."""
    clock, on_event = work.orders.clock, work.orders.on_event

    def on_wait(seconds: float) -> None:
        on_event(Waiting(job.portals[0].name, seconds, "lock"))

    async with (
        lock(job.host, job.operator, work.options.lock_timeout, on_wait),
        connected(job, clock, work.options.timeout, on_event) as portals,
    ):
        read_at = clock.monotonic()
        inputs = await inputs_of(job, portals)
        parts = [work.parts[given.desired.name] for given in inputs]
        found = {
            part.portal: reason
            for part, given in zip(parts, inputs, strict=True)
            if (reason := check_plan(part, given, clock.now(), work.options.max_plan_age))
        }
        if found:
            return outcome.refused(found, portals)
        bound = bind(parts, inputs, strict=work.options.strict)
        if work.options.dry_run or bound.exit is not Exit.OK:
            return outcome.dry_run(bound, portals)
        return outcome.applied(bound, portals, await execute(bound, portals, work.orders, read_at))
