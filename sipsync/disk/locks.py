"""One apply to a host at a time on this machine, and one key for all that this machine seals.

A lock is the system's own lock on a file, so it ends with its process, however that ends. What stands in the file
beside it (the holder's process id) is for people only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import filelock

from sipsync.disk.files import private_folder, read_private, state_dir, unusable, write_private
from sipsync.model.clock import Clock
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, SipsyncError

_POLL_SECONDS: Final = 0.1
_KEY_BYTES: Final = 32


def _quiet(_seconds: float) -> None:
    """For callers who do not want to know that they wait."""


@asynccontextmanager
async def lock(
    host: str,
    operator: Operator,
    clock: Clock,
    timeout: float,  # noqa: ASYNC109  # a wait for somebody else, not a bound on our own work
    on_wait: Callable[[float], None] = _quiet,
) -> AsyncIterator[None]:
    """Hold the host's lock; raises SipsyncError LOCKED after `timeout` seconds of waiting.

    `on_wait` is called once, with the longest time that this may take, if the lock is not free at once.
    """
    folder = private_folder(state_dir(operator) / "locks")
    name = hashlib.sha256(host.encode()).hexdigest()
    holder = folder / f"{name}.holder"
    held = _file_lock(folder / f"{name}.lock")
    await _acquire(held, host, holder, clock, timeout, on_wait)
    try:
        with suppress(OSError):
            holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        held.release()


def state_key(operator: Operator, clock: Clock) -> bytes:
    """The random key of the operator's state folder, made by whoever asks first."""
    path = state_dir(operator) / "plan.key"
    key = read_private(path)
    if key is None:
        making = _file_lock(path.with_suffix(".lock"))
        while not _taken(making, _POLL_SECONDS):
            pass  # a moment's work of another process, which can't die without letting go
        try:
            key = read_private(path) or clock.token(_KEY_BYTES)
            write_private(path, key)
        finally:
            making.release()
    if len(key) != _KEY_BYTES:
        hint = Message("Remove it; plans that were sealed with it have to be made again.")
        raise SipsyncError(Diagnostic(Code.STATE_UNSAFE, Message("{path} is damaged", path=path), hint=hint))
    return key


def _file_lock(path: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(path, mode=0o600, fallback_to_soft=False, preserve_lock_file=True)


async def _acquire(
    held: filelock.BaseFileLock,
    host: str,
    holder: Path,
    clock: Clock,
    patience: float,
    on_wait: Callable[[float], None],
) -> None:
    deadline = clock.monotonic() + patience
    waiting = False
    while not _taken(held):
        left = deadline - clock.monotonic()
        if left <= 0:
            raise _locked(host, holder, patience)
        if not waiting:
            on_wait(left)
            waiting = True
        await clock.sleep(min(_POLL_SECONDS, left))


def _taken(held: filelock.BaseFileLock, seconds: float = 0) -> bool:
    try:
        held.acquire(timeout=seconds)
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
    summary = Message(
        "{who} on this machine is changing {host}; waited {waited:.0f} s", who=who, host=host, waited=waited
    )
    hint = Message("Wait until it is done, or wait longer with --lock-timeout SECONDS; nothing was sent.")
    return SipsyncError(Diagnostic(Code.LOCKED, summary, hint=hint))
