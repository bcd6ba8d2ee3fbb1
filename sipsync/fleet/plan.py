"""Plans a whole fleet: every portal side by side, or all of them against a saved state."""

from __future__ import annotations

from sipsync.config.target import with_target_policy
from sipsync.fleet.host import HostJob
from sipsync.fleet.opened import OpenHosts
from sipsync.fleet.parallel import located, run_all
from sipsync.fleet.selection import chosen
from sipsync.fleet.snapshot import plan_against
from sipsync.fleet.work import plan_host
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent
from sipsync.model.lines import Fleet
from sipsync.model.options import PlanOptions
from sipsync.model.plan import Plan, PortalPlan, Summary
from sipsync.model.problems import Exit, SipsyncError
from sipsync.secrets.known import KnownSchemes


async def plan_fleet(
    fleet: Fleet, options: PlanOptions, clock: Clock, on_event: OnEvent, opened: OpenHosts | None = None
) -> Plan:
    """One part for each chosen portal, those whose files are wrong first; one that can't be planned says why."""
    fleet = chosen(fleet, options.portals, options.selection)
    portals = with_target_policy(fleet.portals, fleet.operator, KnownSchemes())
    if opened:
        opened.on_event = on_event
    timestamp = clock.now().isoformat(timespec="seconds")

    async def work(job: HostJob) -> dict[str, PortalPlan | SipsyncError]:
        return await plan_host(job, options, clock, on_event, opened)

    if options.against is not None:
        parts, refused = plan_against(portals, fleet.operator, options, clock.now())
        failed = located(refused, portals)
    else:
        parts, failed = await run_all(
            portals,
            fleet.operator,
            options.selection,
            work,
            clock,
            parallel=options.parallel,
            kind="plan",
            on_event=on_event,
        )
    of_files = {name: [found for found in fleet.diagnostics if found.portal == name] for name in fleet.broken}
    not_planned = of_files | {name: error.diagnostics for name, error in failed.items()}
    parts |= {
        name: PortalPlan(portal=name, summary=Summary(failed=1), diagnostics=tuple(why), exit=Exit.ERROR)
        for name, why in not_planned.items()
    }
    return Plan(
        timestamp=timestamp,
        parts=tuple(parts[name] for name in (*of_files, *(portal.name for portal in portals))),
        problems=tuple(found for found in fleet.diagnostics if found.portal not in of_files),
    )
