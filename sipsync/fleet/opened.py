"""Hosts that a plan leaves open for the apply that follows it: what was read there, and the connections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace

from sipsync.applying.send import FRESH_SECONDS
from sipsync.fleet.host import HostJob
from sipsync.model.events import Event, OnEvent, ignore
from sipsync.model.lines import DesiredPortal, Snapshot
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import Selection
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Code, Diagnostic, UsageError
from sipsync.portal.client import RestPortal


@dataclass(frozen=True, slots=True)
class OpenHost:
    """A host that was read and planned."""

    job: HostJob
    portals: Mapping[str, RestPortal]
    snapshots: Mapping[str, Snapshot]
    parts: Mapping[str, PortalPlan]
    """What was planned from that."""
    closing: AsyncExitStack

    def serves(self, parts: Mapping[str, PortalPlan], now: float) -> bool:
        """Whether nothing has to be read, sealed or proved again at this time of the monotonic clock.

        What was read is fresh, and these parts are the very ones that were made from it, with all that send anything.
        """
        same = all(parts.get(name) is part for name, part in self.parts.items() if part.calls or name in parts)
        return same and all(now < portal.read_at + FRESH_SECONDS for portal in self.portals.values())


@dataclass(slots=True)
class OpenHosts:
    """Given to a plan and then to its apply, both of one event loop; closed by whoever made it."""

    on_event: OnEvent = ignore
    """Told what connections tell; each of the two sets its own."""
    _hosts: dict[str, OpenHost] = field(default_factory=dict)
    _loop: asyncio.AbstractEventLoop | None = None

    def tell(self, event: Event) -> None:
        """Tell whoever listens now."""
        self.on_event(event)

    async def keep(self, host: OpenHost) -> None:
        """Leave a host open, in the place of what was left of it before."""
        self._loop = asyncio.get_running_loop()
        before, self._hosts[host.job.host] = self._hosts.get(host.job.host), host
        await _close(before)

    def take(
        self, portals: Sequence[DesiredPortal], operator: Operator, selections: Mapping[str, Selection]
    ) -> Iterator[tuple[HostJob, OpenHost]]:
        """The work on open hosts whose portals are among these as they were planned; whoever does it closes them.

        Raises UsageError in another event loop than the plan's: nothing may be sent over connections of that.
        """
        if self._hosts and self._loop is not asyncio.get_running_loop():
            summary = Message("what a plan left open can't be used in another event loop")
            hint = Message("Await `sipsync.aplan` and `sipsync.aapply` in one event loop, or leave `opened` out.")
            raise UsageError(Diagnostic(Code.USAGE, summary, hint=hint))
        given = {portal.name: portal for portal in portals}
        for name, host in list(self._hosts.items()):
            meant = tuple(portal for portal in host.job.portals if portal.name in given)
            if meant and host.job.operator is operator and all(given[portal.name] == portal for portal in meant):
                yield replace(host.job, portals=meant, selections=selections), self._hosts.pop(name)

    async def aclose(self) -> None:
        """Close what nobody took."""
        while self._hosts:
            await _close(self._hosts.popitem()[1])


async def _close(host: OpenHost | None) -> None:
    """Nothing was sent there, so that no trouble with it may cost a report."""
    with suppress(Exception):
        if host:
            await host.closing.aclose()
