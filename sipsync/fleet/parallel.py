"""Portals side by side: one portal's failure never stops another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from itertools import starmap
from typing import Final, Literal, TypeAlias, TypeVar

from sipsync.fleet.host import HostJob, prepare
from sipsync.model.clock import Clock
from sipsync.model.events import Event, OnEvent, PortalDone, PortalStarted
from sipsync.model.lines import DesiredPortal
from sipsync.model.operator import Operator
from sipsync.model.options import Selection
from sipsync.model.problems import SipsyncError, internal

T = TypeVar("T")
_log = logging.getLogger(__name__)


def tell(on_event: OnEvent, event: Event) -> None:
    """Tell of something that is over: a listener that fails must not cost what it came to."""
    try:
        on_event(event)
    except Exception as error:
        _log.error("%s", internal(error).summary)


Work: TypeAlias = Callable[[HostJob], Awaitable[Mapping[str, T | SipsyncError]]]
"""What is done on one host: results, or why there is none, by portal."""

PLACE_SECONDS: Final = 30.0
"""After so long a portal goes on beside the others, and the next one begins: slow ones must not keep the rest out."""


async def run_all(
    portals: Sequence[DesiredPortal],
    operator: Operator,
    selections: Selection | Mapping[str, Selection],
    work: Work[T],
    clock: Clock,
    *,
    parallel: int,
    kind: Literal["plan", "apply", "read"],
    on_event: OnEvent,
    writes: bool = False,
    ready: Sequence[tuple[HostJob, Work[T]]] = (),
) -> tuple[dict[str, T], dict[str, SipsyncError]]:
    """By portal, what the work on its host came to, and why others have nothing. Selections are one, or by portal.

    Jobs that are `ready`, each with its own work, are not prepared.
    """
    known = {portal.name for job, _ in ready for portal in job.portals}
    left = [portal for portal in portals if portal.name not in known]
    jobs, failed = await prepare(left, operator, selections, clock, writes=writes)
    done: dict[str, T] = {}
    gate = asyncio.Semaphore(max(1, parallel))

    async def one(job: HostJob, work: Work[T]) -> Mapping[str, T | SipsyncError]:
        async with _place(gate):
            try:
                for portal in job.portals:
                    on_event(PortalStarted(portal.name, kind))
                results = await work(job)
            except SipsyncError as error:
                results = {portal.name: error for portal in job.portals}
            except Exception as error:  # a fault of ours in one portal must not cost the others
                results = {portal.name: SipsyncError(internal(error)) for portal in job.portals}
            for name, result in results.items():
                tell(on_event, PortalDone(name, isinstance(result, SipsyncError)))
            return results

    for results in await asyncio.gather(*starmap(one, [*((job, work) for job in jobs), *ready])):
        for name, result in results.items():
            if isinstance(result, SipsyncError):
                failed[name] = result
            else:
                done[name] = result
    return done, located(failed, portals)


def located(failed: Mapping[str, SipsyncError], portals: Sequence[DesiredPortal]) -> dict[str, SipsyncError]:
    """The failures by portal, each finding with the portal's name and its place in the file."""
    places = {portal.name: portal.at for portal in portals}
    return {name: error.about(name, places[name]) for name, error in failed.items()}


@asynccontextmanager
async def _place(gate: asyncio.Semaphore) -> AsyncIterator[None]:
    """A place among the others, which is given up at the end or after a while."""
    await gate.acquire()
    with ExitStack() as place:
        place.callback(gate.release)  # once, whoever comes first
        place.callback(asyncio.get_running_loop().call_later(PLACE_SECONDS, place.close).cancel)
        yield
