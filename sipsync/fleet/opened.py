"""Hosts that a plan leaves open for the apply that follows it: what was read there, and the connections."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace

from sipsync.applying.send import FRESH_SECONDS
from sipsync.fleet.host import HostJob
from sipsync.model.events import Event, OnEvent, ignore
from sipsync.model.lines import Snapshot
from sipsync.model.options import Selection
from sipsync.model.plan import PortalPlan
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

    def is_fresh(self, now: float) -> bool:
        """Whether what was read still counts at this time of the monotonic clock."""
        return all(now < portal.read_at + FRESH_SECONDS for portal in self.portals.values())

    def is_planned(self, part: PortalPlan) -> bool:
        """Whether this very part was made, and so sealed and proved, from what was read."""
        return self.parts.get(part.portal) is part


@dataclass(slots=True)
class OpenHosts:
    """Given to a plan and then to its apply, both of one event loop; closed by whoever made it."""

    on_event: OnEvent = ignore
    """Told what connections tell; each of the two sets its own."""
    _hosts: dict[str, OpenHost] = field(default_factory=dict)

    def tell(self, event: Event) -> None:
        """Tell whoever listens now."""
        self.on_event(event)

    def keep(self, host: OpenHost) -> None:
        """Leave a host open."""
        self._hosts[host.job.host] = host

    def jobs(self, portals: Collection[str], selections: Mapping[str, Selection]) -> Iterator[HostJob]:
        """The work on the open hosts that have these portals."""
        for host in self._hosts.values():
            if left := tuple(portal for portal in host.job.portals if portal.name in portals):
                yield replace(host.job, portals=left, selections=selections)

    def take(self, job: HostJob) -> OpenHost | None:
        """The open host of this work, which the caller closes."""
        return self._hosts.pop(job.host, None)

    async def aclose(self) -> None:
        """Close what nobody took: nothing was sent there, so that no trouble with it may cost a report."""
        while self._hosts:
            with suppress(Exception):
                await self._hosts.popitem()[1].closing.aclose()
