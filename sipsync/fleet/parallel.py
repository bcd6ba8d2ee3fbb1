"""Portals side by side: one portal's failure never stops another."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePath
from typing import Literal, TypeVar

from sipsync.fleet.host import Job
from sipsync.model.events import OnEvent, PortalDone, PortalStarted
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError

T = TypeVar("T")


async def each(
    jobs: Sequence[Job],
    work: Callable[[Job], Awaitable[T]],
    *,
    parallel: int,
    kind: Literal["plan", "apply", "read"],
    on_event: OnEvent,
) -> list[T | SipsyncError]:
    """The result of each job in the order of the jobs, or the error of one that could not go on."""
    gate = asyncio.Semaphore(max(1, parallel))

    async def one(job: Job) -> T | SipsyncError:
        async with gate:
            for portal in job.portals:
                on_event(PortalStarted(portal.name, kind))
            result: T | SipsyncError
            try:
                result = await work(job)
            except SipsyncError as error:
                result = error
            except Exception as error:  # a fault of ours in one portal must not cost the others
                result = SipsyncError(_internal(error))
            for portal in job.portals:
                on_event(PortalDone(portal.name, isinstance(result, SipsyncError)))
            return result

    return list(await asyncio.gather(*(one(job) for job in jobs)))


def _internal(error: Exception) -> Diagnostic:
    """A fault of ours. The exception's text is left out, since it may quote anything."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Diagnostic(
        Code.INTERNAL,
        Message(
            "internal error: {name} in {name2} ({name3}:{lineno})",
            name=type(error).__name__,
            name2=frame.name,
            name3=PurePath(frame.filename).name,
            lineno=frame.lineno,
        ),
        hint=Message("Please report it. Run `sipsync plan` to see what was done."),
    )
