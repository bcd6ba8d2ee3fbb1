"""The registrations of one host's lines, as stored or as their operators tell them."""

from __future__ import annotations

from collections.abc import Mapping

from sipsync.fleet.connect import connected
from sipsync.fleet.host import Job
from sipsync.fleet.work import inputs_of
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent
from sipsync.model.lines import Address, CurrentLine, Registration
from sipsync.model.looks import LineStatus
from sipsync.planning.match import match


async def statuses(job: Job, clock: Clock, seconds: float, on_event: OnEvent, *, live: bool) -> list[LineStatus]:
    """Every line that the job's credentials see. `live` asks its operator, which may notify users."""
    async with connected(job, clock, seconds, on_event) as portals:
        found = []
        for given in await inputs_of(job, portals):
            addresses = {current.config_id: line.address for line, current in match(given).pairs}
            asked: Mapping[int, Registration] = {}
            if live:
                reg_ids = [line.reg_id for line in given.current.lines if line.reg_id]
                asked = await portals[given.desired.name].statuses(reg_ids)
            for line in given.current.lines:
                told = asked.get(line.reg_id or 0)
                found.append(_status(given.desired.name, addresses.get(line.config_id), line, told))
        return found


def _status(portal: str, address: Address | None, line: CurrentLine, live: Registration | None) -> LineStatus:
    return LineStatus(
        portal=portal,
        config_id=line.config_id,
        address=address,
        title=line.title,
        type=line.type,
        reg_id=line.reg_id,
        status_code=live.status_code if live else line.status_code,
        status_message=live.message if live else line.status_message,
        live=live,
        incoming_server=line.incoming_server,
        incoming_login=line.incoming_login,
    )
