"""Portals side by side: one portal's failure never stops another."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sipsync.fleet.job import Job
from sipsync.model.events import OnEvent, PortalDone, PortalStarted
from sipsync.model.problems import Code, Diagnostic, SipsyncError

T = TypeVar("T")


async def each(
    jobs: Sequence[Job],
    work: Callable[[Job], Awaitable[T]],
    *,
    parallel: int,
    kind: str,
    on_event: OnEvent,
) -> list[T | tuple[Diagnostic, ...]]:
    """The result of each job in the order of the jobs, or the findings of one that could not go on."""
    gate = asyncio.Semaphore(max(1, parallel))

    async def one(job: Job) -> T | tuple[Diagnostic, ...]:
        async with gate:
            for portal in job.portals:
                on_event(PortalStarted(portal.name, kind))  # type: ignore[arg-type]
            failed = True
            try:
                result = await work(job)
                failed = False
            except SipsyncError as error:
                return error.diagnostics
            except Exception as error:  # noqa: BLE001
                return (_internal(error),)
            finally:
                for portal in job.portals:
                    on_event(PortalDone(portal.name, failed))
            return result

    return list(await asyncio.gather(*(one(job) for job in jobs)))


def _internal(error: Exception) -> Diagnostic:
    """A fault of ours. The exception's text is left out, since it may quote anything."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Diagnostic(
        Code.INTERNAL,
        f"internal error: {type(error).__name__} in {frame.name} ({frame.filename.rpartition('sipsync')[2]}:{frame.lineno})",
        "Please report it. Run `sipsync plan` to see what was done.",
    )
