"""Opens the portals of a job: the real ones over HTTP, an embedded one in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal, TypeAlias

from sipsync.fleet.host import HostJob
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent, Waiting
from sipsync.model.lines import Access, SandboxAccess
from sipsync.model.problems import SecretError
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal.client import RestPortal, connect
from sipsync.portal.embedded import Embedded
from sipsync.portal.throttle import Throttle
from sipsync.secrets.resolve import resolve

WaitReason: TypeAlias = Literal["rate limit", "operating time", "retry"]


@asynccontextmanager
async def connected(
    job: HostJob, clock: Clock, seconds: float, on_event: OnEvent
) -> AsyncIterator[dict[str, RestPortal]]:
    """The job's portals by name, open for the length of a `with`. They share one rate limit: it is the host's."""

    def on_wait(seconds: float, reason: WaitReason) -> None:
        on_event(Waiting(job.portals[0].name, seconds, reason))

    async def resolve_again(ref: SecretRef) -> Secret:
        resolution = await resolve([ref], job.operator)
        if ref in resolution.failures:
            raise SecretError(resolution.failures[ref])
        return resolution.values[ref]

    throttle = Throttle(job.portals[0].limits, clock, on_wait)
    deadline = clock.monotonic() + seconds
    async with AsyncExitStack() as stack:
        portals = {}
        for portal in job.portals:
            portals[portal.name] = await stack.enter_async_context(
                connect(
                    portal.name,
                    portal.access,
                    job.secrets,
                    job.operator,
                    limits=portal.limits,
                    throttle=throttle,
                    clock=clock,
                    deadline=deadline,
                    embedded=embedded_in(portal.access),
                    resolve_again=resolve_again,
                )
            )
        yield portals


def embedded_in(access: Access) -> Embedded | None:
    """The emulated portal that the access names, None for a real one."""
    if not isinstance(access, SandboxAccess):
        return None
    from sipsync.sandbox import embedded

    return embedded(access.path)
