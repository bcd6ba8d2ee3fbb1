"""Portals side by side: one portal's failure never stops another."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import PurePath
from typing import Final, Literal, TypeVar

from sipsync.fleet.host import HostJob, prepare
from sipsync.model.events import OnEvent, PortalDone, PortalStarted
from sipsync.model.lines import DesiredPortal
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import Selection
from sipsync.model.problems import Code, Diagnostic, SipsyncError

T = TypeVar("T")

PLACE_SECONDS: Final = 30.0
"""After so long a portal goes on beside the others, and the next one begins: slow ones must not keep the rest out."""


async def run_all(
    portals: Sequence[DesiredPortal],
    operator: Operator,
    selections: Selection | Mapping[str, Selection],
    work: Callable[[HostJob], Awaitable[Mapping[str, T]]],
    *,
    parallel: int,
    kind: Literal["plan", "apply", "read"],
    on_event: OnEvent,
) -> tuple[dict[str, T], dict[str, SipsyncError]]:
    """By portal, what the work on its host came to, and why others have nothing. Selections are one, or by portal."""
    jobs, failed = await prepare(portals, operator, selections)
    done: dict[str, T] = {}
    gate = asyncio.Semaphore(max(1, parallel))

    async def one(job: HostJob) -> Mapping[str, T] | SipsyncError:
        async with _place(gate):
            for portal in job.portals:
                on_event(PortalStarted(portal.name, kind))
            result: Mapping[str, T] | SipsyncError
            try:
                result = await work(job)
            except SipsyncError as error:
                result = error
            except Exception as error:  # a fault of ours in one portal must not cost the others
                result = SipsyncError(_internal(error))
            for portal in job.portals:
                on_event(PortalDone(portal.name, isinstance(result, SipsyncError)))
            return result

    for job, result in zip(jobs, await asyncio.gather(*map(one, jobs)), strict=True):
        if isinstance(result, SipsyncError):
            failed |= {portal.name: result for portal in job.portals}
        else:
            done |= result
    return done, failed


@asynccontextmanager
async def _place(gate: asyncio.Semaphore) -> AsyncIterator[None]:
    """A place among the others, which is given up at the end or after a while."""
    await gate.acquire()
    loop = asyncio.get_running_loop()
    given_up = loop.call_later(PLACE_SECONDS, gate.release)
    try:
        yield
    finally:
        if given_up.when() > loop.time():
            given_up.cancel()
            gate.release()


def _internal(error: Exception) -> Diagnostic:
    """A fault of ours. The exception's text is left out, since it may quote anything."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Diagnostic(
        Code.INTERNAL,
        Message(
            "internal error: {error} in {function} ({file}:{line})",
            error=type(error).__name__,
            function=frame.name,
            file=PurePath(frame.filename).name,
            line=frame.lineno,
        ),
        hint=Message("Please report it. Run `sipsync plan` to see what was done."),
    )
