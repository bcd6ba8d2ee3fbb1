"""The state folder of this machine's user, and files that are written whole or not at all.

State (locks, tokens) decides what is sent to portals, so a folder or file that somebody else may write is refused.
Windows keeps such folders private by its own rules; modes are looked at where the system has them.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sipsync.model.operator import Operator

_REPLACE_WAITS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Seconds: on Windows a virus scanner or a reader holds a file for a moment, and nothing can take its place."""
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def state_dir(operator: Operator) -> Path:
    """The operator's state folder, made for him alone where it is missing."""
    path = Path(operator.state_dir) if operator.state_dir else platformdirs.user_state_path("sipsync", appauthor=False)
    return private_folder(path)


def private_folder(path: Path) -> Path:
    """The folder, made for this user alone where it is missing; one that others may write is refused."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_shared(path, path.stat())
    except OSError as error:
        raise unwritable(
            f"the state folder {path} can't be used", error, Message("Name another one: SIPSYNC_STATE_DIR")
        ) from None
    return path


def read_private(path: Path) -> bytes | None:
    """The whole file, or None where there is none; one that others may write is refused."""
    try:
        with path.open("rb") as file:
            _refuse_shared(path, os.fstat(file.fileno()))
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SipsyncError(
            Diagnostic(
                Code.FILE_UNREADABLE,
                Message("{path} can't be read: {reason}", path=path, reason=reason(error)),
                hint=Message("Check who may read it."),
            )
        ) from None


def write_private(path: Path, data: bytes, *, replace: Callable[[str, Path], None] = os.replace) -> None:
    """Write the file whole or not at all, readable by this user only, and on the disk when this returns."""
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is not a regular file")
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _put(temporary, path, replace)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise unwritable(
            f"{path} can't be written", error, Message("Check the folder, its rights and the free space")
        ) from None


def _put(temporary: str, path: Path, replace: Callable[[str, Path], None]) -> None:
    for seconds in _REPLACE_WAITS:
        try:
            return replace(temporary, path)
        except PermissionError:
            time.sleep(seconds)
    return replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk too, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse_shared(path: Path, found: os.stat_result) -> None:
    if os.name != "posix":
        return
    # Root may write anywhere, so what root owns is no more in the hands of others than the rest.
    foreign = found.st_uid not in (os.geteuid(), 0)
    if foreign or found.st_mode & _OTHERS_WRITE:
        raise SipsyncError(
            Diagnostic(
                Code.STATE_UNSAFE,
                Message(
                    "{path} {value}",
                    path=path,
                    value="belongs to another user" if foreign else "may be written by other users",
                ),
                hint=Message("Make it yours alone: `chown $(id -u) {path}; chmod go-w {path}`.", path=path)
                if foreign
                else Message("Make it yours alone: `chmod go-w {path}`.", path=path),
            )
        )


def unwritable(summary: str, error: OSError, hint: Message) -> SipsyncError:
    """The error for something that can't be written, with the system's reason."""
    return SipsyncError(
        Diagnostic(Code.UNWRITABLE, Message("{summary}: {reason}", summary=summary, reason=reason(error)), hint=hint)
    )


def reason(error: OSError) -> str:
    """The system's reason in lower case, without the path, which the caller names."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
