"""Other programs that give secrets: started without a shell, bounded in time and output, silent.

What a program writes to its standard error is not shown, as it may quote secrets.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, cast

from sipsync.model.message import Message

SECONDS: Final = 60.0
"""Time enough to touch a security key."""
MAX_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Output:
    """How a program ended and what it wrote to its standard output."""

    status: int
    stdout: bytes = field(repr=False)


class NotRun(Exception):
    """The program did not start, or was ended; `summary` says why."""

    def __init__(self, summary: Message) -> None:
        super().__init__(summary)
        self.summary = summary


async def output(
    program: str,
    command: Sequence[str],
    environ: Mapping[str, str],
    stdin: bytes | None = None,
    *,
    seconds: float = SECONDS,
) -> Output:
    """What the command gives; raises `NotRun`, which names it as `program`."""
    loop = asyncio.get_running_loop()
    try:
        transport, running = await loop.subprocess_exec(
            _Program, *command, stdin=DEVNULL if stdin is None else PIPE, stdout=PIPE, stderr=DEVNULL, env=environ
        )
    except FileNotFoundError:
        raise NotRun(Message("{program} can't be started: there is no such program", program=program)) from None
    except (OSError, ValueError):  # ValueError: a null character
        raise NotRun(Message("{program} can't be started: the system refuses it", program=program)) from None
    try:
        if stdin is not None:
            pipe = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
            pipe.write(stdin)
            pipe.write_eof()
        async with asyncio.timeout(seconds):
            await running.ended.wait()
    except TimeoutError:
        summary = Message("{program} did not end within {seconds:.0f} seconds", program=program, seconds=seconds)
        raise NotRun(summary) from None
    finally:
        # Kills it if it still runs. Its own children may hold its output open; they are not waited for.
        transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await running.ended.wait()
    if len(running.stdout) > MAX_BYTES:
        raise NotRun(Message("{program} writes more than {size} MiB", program=program, size=MAX_BYTES // 1024**2))
    return Output(transport.get_returncode() or 0, bytes(running.stdout))


class _Program(asyncio.SubprocessProtocol):
    """Collects what a running program writes."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.stdout += data
        if len(self.stdout) > MAX_BYTES:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended, and its output with it."""
        self.ended.set()
