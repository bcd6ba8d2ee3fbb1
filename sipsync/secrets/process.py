"""Other programs that give secrets: started without a shell, bounded in time, silent.

What a program writes to its standard error is not shown, as it may quote secrets.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS: Final = 60.0
"""Time enough to touch a security key."""


@dataclass(frozen=True, slots=True)
class Output:
    """How a program ended and what it wrote to its standard output."""

    status: int
    stdout: bytes = field(repr=False)


class NotRun(Exception):
    """The program did not start or did not end in time; the text says which."""


async def output(
    command: Sequence[str], environ: Mapping[str, str], stdin: bytes | None = None, *, seconds: float = SECONDS
) -> Output:
    """What the program gives; raises `NotRun`."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL if stdin is None else PIPE, stdout=PIPE, stderr=DEVNULL, env=environ
        )
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = "there is no such program" if isinstance(error, FileNotFoundError) else "the system refuses it"
        raise NotRun(f"can't be started: {reason}") from None
    try:
        async with asyncio.timeout(seconds):
            stdout, _ = await process.communicate(stdin)
    except TimeoutError:
        raise NotRun(f"did not end within {seconds:.0f} seconds") from None
    finally:
        if process.returncode is None:
            await _end(process)
    return Output(process.returncode or 0, stdout)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(TimeoutError):
        # Its own children may hold its output open; they are not waited for.
        async with asyncio.timeout(1):
            await process.wait()
