"""Opens the portals of a job: the real ones over HTTP, an embedded one in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sipsync.fleet.host import HostJob
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent, Waiting
from sipsync.portal.client import RestPortal, connect
from sipsync.portal.throttle import Reason, Throttle


@asynccontextmanager
async def connected(
    job: HostJob, clock: Clock, seconds: float, on_event: OnEvent
) -> AsyncIterator[dict[str, RestPortal]]:
    """The job's portals by name, open for the length of a `with`. They share one rate limit: it is the host's."""

    def on_wait(seconds: float, reason: Reason) -> None:
        on_event(Waiting(job.portals[0].name, seconds, reason))

    throttle = Throttle(job.host, job.portals[0].limits, clock, seconds=seconds, on_wait=on_wait)
    async with AsyncExitStack() as stack:
        names = [portal.name for portal in job.portals]
        yield {name: await stack.enter_async_context(connect(job.credentials[name], throttle)) for name in names}
