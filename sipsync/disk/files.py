"""Files that are written whole or not at all, and the state folder of this machine's user.

State (locks, tokens) decides what is sent to portals, so a folder or file that somebody else may write is refused.
Windows keeps such folders private by its own rules; modes are looked at where the system has them.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Final

from sipsync.disk.clock import SystemClock
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, SipsyncError

_REPLACE_WAITS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Seconds: on Windows a virus scanner or a reader holds a file for a moment, and nothing can take its place."""
_CLOCK: Final = SystemClock()
"""For what no run depends on: the name of a file that is gone when the writing is done, and those seconds."""
_LONGEST: Final = 32_767
"""Characters of a path; no system takes more."""
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_CHECK_FOLDER: Final = Message("Check that the folder exists, that you may write there, and the free space.")


_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{name}{digit}" for name in ("COM", "LPT") for digit in "0123456789¹²³"}
)


def device(name: str) -> Message:
    """What is wrong with such a name."""
    return Message('"{name}" is a device on Windows', name=name)


def is_device(name: str) -> bool:
    """Whether Windows takes a file of this name for a device, whatever its extension or stream (documented)."""
    return name.split(".")[0].split(":")[0].strip().upper() in _DEVICES


def state_dir(operator: Operator) -> Path:
    """The operator's state folder, made for them alone where it is missing."""
    if operator.state_dir:
        return private_folder(Path(operator.state_dir))
    from platformdirs import user_state_path

    return private_folder(user_state_path("sipsync", appauthor=False))


def private_folder(path: Path) -> Path:
    """The folder, made for this user alone where it is missing, as is what is missing above it.

    One that others may write is refused.
    """
    try:
        for folder in (*reversed(path.parents), path):
            with suppress(FileExistsError):
                if not folder.exists():
                    folder.mkdir(mode=0o700)
                    folder.chmod(0o700)  # the mask of the process may have taken a right of the user's own
        _refuse_shared(path, path.stat())
    except OSError as error:
        what = Message("the state folder {path} can't be used", path=path)
        raise unusable(what, error, Message("Name another one: SIPSYNC_STATE_DIR.")) from None
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
        what, hint = Message("{path} can't be read", path=path), Message("Check who may read it.")
        raise unusable(what, error, hint, Code.FILE_UNREADABLE) from None


def real_path(path: Path) -> Path | None:
    """The file that a path means, links followed; None where no file can have that name, or its links lead round."""
    if len(str(path)) > _LONGEST:  # each step of a path is looked up by its whole name
        return None
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # ValueError: a null character, or half a character
        return None


def for_shell(path: PurePath, *, sourced: bool = False) -> str:
    """The path as a shell takes it, also one of Windows; `sourced`: as its `.` does, which looks along PATH."""
    text = path.as_posix()
    if sourced and "/" not in text:
        text = f"./{text}"
    if os.name == "nt":
        return text if re.fullmatch(r"[\w./:~-]+", text) else f'"{text}"'
    return shlex.quote(text)


def below_git(path: Path, root: Path) -> bool:
    """Whether a real path below the root lies in a folder of git's own, which may say what git runs."""
    return ".git" in map(str.casefold, path.relative_to(root).parts)


def checkout_of(path: Path) -> Path | None:
    """The checkout of a git repository that a path is in; None for none.

    A link in a checkout does not lead to another one: who may change the files could choose it with the link.
    """
    top: Path | None = None
    here = Path(os.path.abspath(path))
    for folder in (*reversed(here.parents), here):
        if os.path.exists(folder / ".git") and (top is None or folder.resolve().is_relative_to(top)):
            top = folder.resolve()
    return top


def refuse_outside(path: Path) -> None:
    """Raise SipsyncError where a link in a checkout leads out of it: who changes its files could choose where to."""
    top, real = checkout_of(path), real_path(path)
    if top is not None and not (real and real.is_relative_to(top)):
        hint = Message("Name a file that is no link, or delete the link.")
        raise unwritable(path, OSError(f"a link leads out of {top}"), hint)


def read_regular(path: Path, most: int) -> bytes | None:
    """The first bytes of a regular file; None for anything else. Raises OSError."""
    # A FIFO that nobody writes to would block the opening, and a device may act on it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        return file.read(most) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def write_private(path: Path, data: bytes, *, replace: Callable[[str, Path], None] = os.replace) -> None:
    """Write the file whole or not at all, readable by this user only, and on the disk when this returns.

    A link is replaced, never followed.
    """
    _write(path, data, 0o600, replace)


def write_file(path: Path, data: bytes) -> None:
    """Write a file of the user's whole or not at all: a link stays one, and who may read it stays as it was.

    A link out of a checkout is refused.
    """
    refuse_outside(path)
    _write(path.resolve(), data, 0o666, os.replace)


def _write(path: Path, data: bytes, mode: int, replace: Callable[[str, Path], None]) -> None:
    temporary = path.with_name(f".{path.name[:64]}.{_CLOCK.token(16).hex()}.tmp")
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is not a regular file")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with open(os.open(temporary, flags, mode), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if mode != 0o600 and path.exists():
                shutil.copymode(path, temporary)
            _put(str(temporary), path, replace)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from None


def _put(temporary: str, path: Path, replace: Callable[[str, Path], None]) -> None:
    for seconds in _REPLACE_WAITS:
        try:
            return replace(temporary, path)
        except PermissionError:
            _CLOCK.pause(seconds)
    return replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk too, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    if os.name != "posix":
        return
    # Root may write anywhere, so what root owns is no more in the hands of others than the rest.
    if status.st_uid not in (os.geteuid(), 0):
        summary = Message("{path} belongs to another user", path=path)
        hint = Message("Make it yours alone: `chown $(id -u) {path}; chmod go-w {path}`.", path=path)
    elif status.st_mode & _OTHERS_WRITE:
        summary = Message("{path} may be written by other users", path=path)
        hint = Message("Make it yours alone: `chmod go-w {path}`.", path=path)
    else:
        return
    raise SipsyncError(Diagnostic(Code.STATE_UNSAFE, summary, hint=hint))


def unwritable(path: Path, error: OSError, hint: Message = _CHECK_FOLDER) -> SipsyncError:
    """The error for a file that can't be written, with the system's reason."""
    return unusable(Message("{path} can't be written", path=path), error, hint)


def unusable(what: Message, error: OSError, hint: Message, code: Code = Code.UNWRITABLE) -> SipsyncError:
    """The error for what can't be done, with the system's reason."""
    summary = Message("{what}: {reason}", what=what, reason=reason(error))
    return SipsyncError(Diagnostic(code, summary, hint=hint))


def reason(error: OSError) -> str:
    """The system's reason in lower case, without the path, which the caller names."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
