"""Whether lines came back after they were re-registered: their operators' sides are asked until they say so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sipsync.applying.fresh import Bound
from sipsync.model.clock import Clock
from sipsync.model.documents import LineOutcome
from sipsync.model.events import OnEvent, Waiting
from sipsync.model.lines import Registration
from sipsync.model.problems import PortalError
from sipsync.portal.protocol import Portal

POLL_SECONDS = 3.0
"""Between two questions."""


def to_watch(bound: Bound, outcomes: Mapping[str, LineOutcome]) -> dict[str, int]:
    """Address → REG_ID of the lines that were registered anew."""
    watched = {}
    for address, outcome in outcomes.items():
        current = bound.lines[address].change.current
        if outcome.reregistered and current is not None and current.reg_id:
            watched[address] = current.reg_id
    return watched


async def settled(
    watched: Mapping[str, int],
    portals: Mapping[str, Portal],
    wait: float,
    clock: Clock,
    stop: asyncio.Event,
    on_event: OnEvent,
) -> dict[str, Registration]:
    """The last word on each registration; one that was not to be had is missing.

    A success counts once LAST_UPDATED moved since it was first seen, or at the end of the wait: the old registration
    may still be told for a while (unverified).
    """
    first: dict[str, Registration] = {}
    last: dict[str, Registration] = {}
    end = clock.monotonic() + wait
    open_: Sequence[str] = list(watched)
    while open_ and not stop.is_set():
        for address in open_:
            try:
                last[address] = await portals[address.partition(".")[0]].status(watched[address])
            except PortalError:
                last.pop(address, None)
                continue
            first.setdefault(address, last[address])
        open_ = [address for address in open_ if not _is_final(first.get(address), last.get(address))]
        left = end - clock.monotonic()
        if left <= 0 or not open_:
            break
        on_event(Waiting(open_[0].partition(".")[0], left, "registration"))
        await clock.sleep(min(POLL_SECONDS, left))
    return last


def _is_final(first: Registration | None, last: Registration | None) -> bool:
    if first is None or last is None:
        return False
    return last.result == "error" or (last.result == "success" and last.last_updated != first.last_updated)


def in_words(state: Registration | None) -> str:
    """What the telephony operator said, for people."""
    if state is None:
        return "its state could not be asked"
    return f"{state.result}{f' ({state.message})' if state.message else ''}"


async def check_office(command: tuple[str, ...], address: str, config_id: int) -> str:
    """What the operator's own check says of an office line; "" for exit code 0. Bitrix24 can't be asked about one."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, address, str(config_id), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
    except OSError as error:
        return f"the check command can't be run: {error.strerror}"
    code = await process.wait()
    return f"the check command ended with {code}" if code else ""
