"""Plans a whole fleet: every portal side by side, or all of them against a saved state."""

from __future__ import annotations

from collections.abc import Sequence

from sipsync.disk.planfile import read_state
from sipsync.fleet.host import Job, chosen, prepare
from sipsync.fleet.options import PlanOptions
from sipsync.fleet.parallel import each
from sipsync.fleet.snapshot import plan_against
from sipsync.fleet.work import PlanWork, plan_portal
from sipsync.model.events import OnEvent
from sipsync.model.lines import DesiredPortal, Fleet
from sipsync.model.looks import SavedPortal
from sipsync.model.plan import Plan, PortalPlan
from sipsync.model.problems import Diagnostic, Exit, SipsyncError


async def plan_fleet(fleet: Fleet, options: PlanOptions, on_event: OnEvent) -> Plan:
    """One part for each chosen portal, in the order of the files; one that can't be planned says why."""
    portals = chosen(fleet, options.portals, options.selection)
    timestamp = options.clock.now().isoformat(timespec="seconds")
    if options.against is not None:
        saved = {one.portal: one for one in read_state(options.against).portals}
        parts = tuple(_part_against(portal, saved.get(portal.name), fleet, options) for portal in portals)
        return Plan(timestamp=timestamp, parts=parts, problems=fleet.warnings)
    prepared = await prepare(portals, fleet.operator, {portal.name: options.selection for portal in portals})
    work = PlanWork(options.clock, options.timeout, options.no_ops, on_event)

    async def one(job: Job) -> tuple[PortalPlan, ...]:
        return await plan_portal(job, work)

    results = await each(prepared.jobs, one, parallel=options.parallel, kind="plan", on_event=on_event)
    by_name = {name: _failed(name, found) for name, found in prepared.failed.items()}
    for job, result in zip(prepared.jobs, results, strict=True):
        if isinstance(result, SipsyncError):
            by_name |= {portal.name: _failed(portal.name, result.diagnostics) for portal in job.portals}
        else:
            by_name |= {part.portal: part for part in result}
    return Plan(timestamp=timestamp, parts=tuple(by_name[portal.name] for portal in portals), problems=fleet.warnings)


def _failed(portal: str, found: Sequence[Diagnostic]) -> PortalPlan:
    return PortalPlan(portal=portal, diagnostics=tuple(found), exit=Exit.ERROR)


def _part_against(portal: DesiredPortal, saved: SavedPortal | None, fleet: Fleet, options: PlanOptions) -> PortalPlan:
    try:
        return plan_against(portal, saved, fleet.operator, options)
    except SipsyncError as error:
        return _failed(portal.name, error.diagnostics)
