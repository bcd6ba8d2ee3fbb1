"""One apply to a host at a time on this machine: the second waits, then is refused.

The lock is the system's own lock on a file, so it ends with its process, however that ends. What stands in the file
beside it (the holder's process id) is for people only.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import filelock

from sipsync.disk.files import private_folder, state_dir, unusable
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from sipsync.model.operator import Operator

_POLL_SECONDS: Final = 0.1


def _quiet(_seconds: float) -> None:
    """For callers who do not want to know that they wait."""


@asynccontextmanager
async def lock(
    host: str,
    operator: Operator,
    timeout: float,  # noqa: ASYNC109  # a wait for somebody else, not a bound on our own work
    on_wait: Callable[[float], None] = _quiet,
) -> AsyncIterator[None]:
    """Hold the host's lock; raises SipsyncError LOCKED after `timeout` seconds of waiting.

    `on_wait` is called once, with the longest time that this may take, if the lock is not free at once.
    """
    folder = private_folder(state_dir(operator) / "locks")
    name = hashlib.sha256(host.encode()).hexdigest()
    holder = folder / f"{name}.holder"
    held = filelock.FileLock(folder / f"{name}.lock", mode=0o600, fallback_to_soft=False, preserve_lock_file=True)
    await _acquire(held, host, holder, timeout, on_wait)
    try:
        with suppress(OSError):
            holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        held.release()


async def _acquire(
    held: filelock.BaseFileLock, host: str, holder: Path, patience: float, on_wait: Callable[[float], None]
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    waiting = False
    while not _taken(held):
        left = deadline - loop.time()
        if left <= 0:
            raise _locked(host, holder, patience)
        if not waiting:
            on_wait(left)
            waiting = True
        await asyncio.sleep(min(_POLL_SECONDS, left))


def _taken(held: filelock.BaseFileLock) -> bool:
    try:
        held.acquire(blocking=False)
    except filelock.Timeout:
        return False
    except (OSError, NotImplementedError) as error:
        reason = error if isinstance(error, OSError) else OSError("this file system has no locks")
        hint = Message("Name a state folder on a local disk: SIPSYNC_STATE_DIR.")
        raise unusable(Message("the lock {file} can't be taken", file=held.lock_file), reason, hint) from None
    return True


def _locked(host: str, holder: Path, waited: float) -> SipsyncError:
    try:
        who = Message("process {id}", id=int(holder.read_text(encoding="ascii")))
    except (OSError, ValueError):
        who = Message("another process")
    return SipsyncError(
        Diagnostic(
            Code.LOCKED,
            Message(
                "{who} on this machine is changing {host}; waited {waited:.0f} s", who=who, host=host, waited=waited
            ),
            hint=Message("Wait until it is done, or wait longer with --lock-timeout SECONDS; nothing was sent."),
        )
    )
