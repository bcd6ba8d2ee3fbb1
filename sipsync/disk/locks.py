"""One apply to a host at a time on this machine, and one key for all that this machine seals."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from sipsync.disk.files import private_folder, read_private, state_dir, unusable, write_private
from sipsync.disk.system_lock import take, wait_for
from sipsync.model.clock import Clock
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, SipsyncError

Held = TypeVar("Held")
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
    file = folder / f"{hashlib.sha256(host.encode()).hexdigest()}.lock"
    deadline = clock.monotonic() + timeout
    waiting = False
    while (let_go := _using(take, file)) is None:
        left = deadline - clock.monotonic()
        if left <= 0:
            raise _locked(host, file, timeout)
        if not waiting:
            on_wait(left)
            waiting = True
        await clock.sleep(min(_POLL_SECONDS, left))
    try:
        yield
    finally:
        let_go()


def state_key(operator: Operator, clock: Clock) -> bytes:
    """The random key of the operator's state folder, made by whoever asks first."""
    path = state_dir(operator) / "plan.key"
    key = read_private(path)
    if key is None:
        # A moment's work of another process, which can't die without letting go.
        let_go = _using(wait_for, path.with_suffix(".lock"))
        try:
            key = read_private(path) or clock.token(_KEY_BYTES)
            write_private(path, key)
        finally:
            let_go()
    if len(key) != _KEY_BYTES:
        hint = Message("Remove it; plans that were sealed with it have to be made again.")
        raise SipsyncError(Diagnostic(Code.STATE_UNSAFE, Message("{path} is damaged", path=path), hint=hint))
    return key


def _using(lock: Callable[[Path], Held], file: Path) -> Held:
    """What a way of locking the file gives; raises SipsyncError where it can't be locked at all."""
    try:
        return lock(file)
    except OSError as error:
        hint = Message("Name a state folder on a local disk: SIPSYNC_STATE_DIR.")
        raise unusable(Message("the lock {file} can't be taken", file=file), error, hint) from None


def _locked(host: str, file: Path, waited: float) -> SipsyncError:
    try:
        who = Message("process {id}", id=int(file.read_text(encoding="ascii")))
    except (OSError, ValueError):
        who = Message("another process")
    summary = Message(
        "{who} on this machine is changing {host}; waited {waited:.0f} s", who=who, host=host, waited=waited
    )
    hint = Message("Wait until it is done, or wait longer with --lock-timeout SECONDS; nothing was sent.")
    return SipsyncError(Diagnostic(Code.LOCKED, summary, hint=hint))
