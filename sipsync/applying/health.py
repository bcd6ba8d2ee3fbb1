"""Whether lines came back after they were re-registered: their operators' sides are asked until they say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sipsync.applying.bind import PlannedLine
from sipsync.applying.control import Control
from sipsync.model.events import Waiting
from sipsync.model.lines import Address, Registration
from sipsync.model.message import Message
from sipsync.model.problems import PortalError
from sipsync.portal.protocol import Portal
from sipsync.secrets import process

POLL_SECONDS = 3.0
"""Between two questions."""
CHECK_SECONDS = 60.0
"""What the operator's own check of an office line may take."""


def to_watch(lines: Iterable[PlannedLine]) -> dict[Address, int]:
    """Address → REG_ID of those lines that are registered anew."""
    return {
        line.planned.address: line.current.reg_id
        for line in lines
        if line.planned.reregisters and line.current is not None and line.current.reg_id
    }


async def ask(watched: Mapping[Address, int], portals: Mapping[str, Portal]) -> dict[Address, Registration]:
    """What their operators say of these registrations now; one that can't be told is missing."""
    answers: dict[Address, Registration] = {}
    for name, portal in portals.items():
        own = {address: reg_id for address, reg_id in watched.items() if address.portal == name}
        try:
            statuses = await portal.statuses(list(own.values())) if own else {}
        except PortalError:
            continue
        answers |= {address: statuses[reg_id] for address, reg_id in own.items() if reg_id in statuses}
    return answers


async def await_registered(
    watched: Mapping[Address, int],
    before: Mapping[Address, Registration],
    portals: Mapping[str, Portal],
    wait: float,
    control: Control,
) -> dict[Address, Registration]:
    """The last word on each registration; one that was not to be had is missing.

    A success counts once LAST_UPDATED moved from what it was `before`, or at the end of the wait: the old
    registration may still be told for a while (unverified).
    """
    last: dict[Address, Registration] = {}
    open_: Mapping[Address, int] = watched
    end = control.clock.monotonic() + wait
    while open_ and not control.stop.is_set():
        last |= await ask(open_, portals)
        open_ = {one: reg_id for one, reg_id in open_.items() if not _is_final(before.get(one), last.get(one))}
        left = end - control.clock.monotonic()
        if left <= 0 or not open_:
            break
        control.on_event(Waiting(next(iter(open_)).portal, left, "registration"))
        await control.clock.sleep(min(POLL_SECONDS, left))
    return last


def _is_final(before: Registration | None, last: Registration | None) -> bool:
    """Whether this is about the new registration: what was told of the old one may be told again for a while."""
    if last is None or last.result not in ("success", "error"):
        return False
    if last.result == "error":
        return before is None or (before.result, before.last_updated) != (last.result, last.last_updated)
    return before is not None and last.last_updated != before.last_updated


def in_words(state: Registration | None) -> Message:
    """What the telephony operator said, for people."""
    if state is None:
        return Message("its state could not be asked")
    said = f"{state.result} ({state.message})" if state.message else state.result
    return Message("{said}", said=said)


async def check_office(command: tuple[str, ...], line: PlannedLine, environ: Mapping[str, str]) -> Message | None:
    """What the operator's own check has against an office line, if anything. Bitrix24 can't be asked about one."""
    arguments = (*command, line.planned.address, str(line.planned.config_id))
    program = Message("the check command")
    try:
        ended = await process.output(program, arguments, environ, seconds=CHECK_SECONDS)
    except process.NotRun as error:
        return error.summary
    return Message("the check command ended with {code}", code=ended.status) if ended.status else None
