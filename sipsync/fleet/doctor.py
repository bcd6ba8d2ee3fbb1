"""What `doctor` looks at on one portal, in the order in which a beginner has to mend it."""

from __future__ import annotations

from typing import TypeAlias

from sipsync.fleet.host import HostJob, connected
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent
from sipsync.model.lines import DesiredPortal
from sipsync.model.message import Message
from sipsync.model.problems import Code, PortalError
from sipsync.model.status import Check, Result
from sipsync.portal.client import RestPortal

CLOCK_SKEW_SECONDS = 300.0
NOTHING = Message("")

Finding: TypeAlias = tuple[Result, Message, Message]
"""How it is, what was seen, and what to do."""

_SCOPE_ADVICE = Message(
    "In Bitrix24 open Developer resources → Other → Inbound webhook (Разработчикам → Другое → Входящий вебхук), "
    'edit the webhook and tick "Telephony (telephony)" («Телефония (telephony)»).'
)
_RIGHT_ADVICE = Message(
    "The webhook acts for the user who made it. In Bitrix24 open Telephony → Configure telephony → Access permissions "
    'and give that user\'s role "Manage numbers: modify: any" («Управление номерами - изменение - любые»).'
)
_PASSWORD_ADVICE = Message("Passwords can't be compared on this portal; everything else works.")
_CLOCK_ADVICE = Message("Set the clock: a plan's age is told by it.")
_CONNECTOR_ADVICE = Message("Telephone calls over SIP lines will not work until it is paid for in Bitrix24.")


async def check_up(job: HostJob, seconds: float, clock: Clock, on_event: OnEvent) -> dict[str, list[Check]]:
    """The checks of all owners on this host; one that can't be made for want of an earlier one is left out."""
    async with connected(job, clock, seconds, on_event) as portals:
        return {
            portal.name: await _portal_checks(portal, portals[portal.name], job.host, clock) for portal in job.portals
        }


async def _portal_checks(desired: DesiredPortal, portal: RestPortal, host: str, clock: Clock) -> list[Check]:
    def check(name: str, result: Result, detail: Message, advice: Message = NOTHING) -> Check:
        return Check(portal=desired.name, name=name, result=result, detail=detail, advice=advice)

    try:
        scope = await portal.scope()
    except PortalError as error:
        return [check("credential", "failed", error.diagnostics[0].summary, error.diagnostics[0].hint)]
    checks = [check("credential", "ok", Message("accepted by {host}", host=host))]
    if "telephony" not in scope:
        detail = Message("telephony is missing (there is: {scopes})", scopes=", ".join(sorted(scope)))
        if not scope:
            detail = Message("telephony is missing (there is nothing)")
        return [*checks, check("scope", "failed", detail, _SCOPE_ADVICE)]
    checks += [check("scope", "ok", Message("telephony")), check("rights", *await _rights(portal))]
    if not desired.access.embedded:
        checks += [check("clock", *await _clock(portal, clock)), check("connector", *await _connector(portal))]
    return checks


async def _rights(portal: RestPortal) -> Finding:
    try:
        lines = (await portal.snapshot()).lines
    except PortalError as error:
        reason = error.diagnostics[0]
        return "failed", reason.summary, _RIGHT_ADVICE if reason.code is Code.NO_RIGHT else reason.hint
    if lines and not any("password" in line.values for line in lines):
        detail = Message("sees {count} of the portal's lines, but no passwords", count=len(lines))
        return "warning", detail, _PASSWORD_ADVICE
    return "ok", Message("sees {count} of the portal's lines", count=len(lines)), NOTHING


async def _clock(portal: RestPortal, clock: Clock) -> Finding:
    try:
        there = await portal.server_time()
    except PortalError as error:
        return "skipped", error.diagnostics[0].summary, NOTHING
    skew = abs((clock.now() - there).total_seconds())
    if skew <= CLOCK_SKEW_SECONDS:
        return "ok", Message("differs by {seconds:.0f} s", seconds=skew), NOTHING
    return "warning", Message("this machine's clock differs by {seconds:.0f} s", seconds=skew), _CLOCK_ADVICE


async def _connector(portal: RestPortal) -> Finding:
    try:
        status = await portal.connector_status()
    except PortalError as error:
        return "skipped", error.diagnostics[0].summary, NOTHING
    minutes = status.get("FREE_MINUTES")
    if status.get("PAID"):
        return "ok", Message("paid"), NOTHING
    if isinstance(minutes, int) and minutes > 0:
        return "ok", Message("{minutes} free minutes left", minutes=minutes), NOTHING
    return "warning", Message("the SIP connector is not paid for and has no free minutes"), _CONNECTOR_ADVICE
