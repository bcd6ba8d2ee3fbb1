"""What `doctor` looks at on one portal, in the order in which a beginner has to mend it."""

from __future__ import annotations

from sipsync.fleet.host import HostJob, connected
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent
from sipsync.model.lines import DesiredPortal
from sipsync.model.problems import PortalError
from sipsync.model.status import Check
from sipsync.portal.client import RestPortal

CLOCK_SKEW_SECONDS = 300.0

_SCOPE_ADVICE = (
    "In Bitrix24 open Developer resources → Other → Inbound webhook (Разработчикам → Другое → Входящий вебхук), "
    'edit the webhook and tick "Telephony (telephony)" («Телефония (telephony)»).'
)
_RIGHT_ADVICE = (
    "The webhook acts for the user who made it. In Bitrix24 open Telephony → Configure telephony → Access permissions "
    'and give that user\'s role "Manage numbers: modify: any" («Управление номерами - изменение - любые»).'
)


async def check_up(job: HostJob, seconds: float, clock: Clock, on_event: OnEvent) -> dict[str, list[Check]]:
    """The checks of all owners on this host; one that can't be made for want of an earlier one is left out."""
    async with connected(job, clock, seconds, on_event) as portals:
        return {
            portal.name: await _portal_checks(portal, portals[portal.name], job.host, clock) for portal in job.portals
        }


async def _portal_checks(desired: DesiredPortal, portal: RestPortal, host: str, clock: Clock) -> list[Check]:
    name = desired.name
    try:
        scope = await portal.scope()
    except PortalError as error:
        found = error.diagnostics[0]
        return [Check(portal=name, name="credential", result="failed", detail=found.summary, advice=found.hint)]
    checks = [Check(portal=name, name="credential", result="ok", detail=f"accepted by {host}")]
    if "telephony" in scope:
        checks.append(Check(portal=name, name="scope", result="ok", detail="telephony"))
    else:
        detail = f"telephony is missing (there is: {', '.join(sorted(scope)) or 'nothing'})"
        return [*checks, Check(portal=name, name="scope", result="failed", detail=detail, advice=_SCOPE_ADVICE)]
    checks.append(await _rights(name, portal))
    if not desired.access.embedded:
        checks.append(await _clock(name, portal, clock))
        checks.append(await _connector(name, portal))
    return checks


async def _rights(name: str, portal: RestPortal) -> Check:
    try:
        snapshot = await portal.snapshot()
    except PortalError as error:
        found = error.diagnostics[0]
        advice = _RIGHT_ADVICE if error.error == "ACCESS_DENIED" else found.hint
        return Check(portal=name, name="rights", result="failed", detail=found.summary, advice=advice)
    seen = f"sees {len(snapshot.lines)} of the portal's lines"
    if snapshot.lines and not any("password" in line.values for line in snapshot.lines):
        return Check(
            portal=name,
            name="rights",
            result="warning",
            detail=f"{seen}, but no passwords",
            advice="Passwords can't be compared on this portal; everything else works.",
        )
    return Check(portal=name, name="rights", result="ok", detail=seen)


async def _clock(name: str, portal: RestPortal, clock: Clock) -> Check:
    try:
        there = await portal.server_time()
    except PortalError as error:
        return Check(portal=name, name="clock", result="skipped", detail=error.diagnostics[0].summary)
    skew = abs((clock.now() - there).total_seconds())
    if skew <= CLOCK_SKEW_SECONDS:
        return Check(portal=name, name="clock", result="ok", detail=f"differs by {skew:.0f} s")
    return Check(
        portal=name,
        name="clock",
        result="warning",
        detail=f"this machine's clock differs by {skew:.0f} s",
        advice="Set the clock: a plan's age is told by it.",
    )


async def _connector(name: str, portal: RestPortal) -> Check:
    try:
        status = await portal.connector_status()
    except PortalError as error:
        return Check(portal=name, name="connector", result="skipped", detail=error.diagnostics[0].summary)
    minutes = status.get("FREE_MINUTES")
    paid = bool(status.get("PAID"))
    if paid or (isinstance(minutes, int) and minutes > 0):
        detail = "paid" if paid else f"{minutes} free minutes left"
        return Check(portal=name, name="connector", result="ok", detail=detail)
    return Check(
        portal=name,
        name="connector",
        result="warning",
        detail="the SIP connector is not paid for and has no free minutes",
        advice="Telephone calls over SIP lines will not work until it is paid for in Bitrix24.",
    )
