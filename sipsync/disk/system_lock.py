"""The system's own lock on a file: it ends with its process, however that ends.

The file stays, and says which process held it last; that is for people only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    import msvcrt

    _FAR: Final = 1 << 30
    """The byte that is locked: beyond what is written, which others may read."""

    def _lock(descriptor: int, *, wait: bool) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except PermissionError:
            raise BlockingIOError from None

else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def take(path: Path) -> Callable[[], None] | None:
    """Lock the file, which is made where it is missing; gives what lets go of it, None where another holds it.

    Raises OSError where it can't be locked at all.
    """
    try:
        return wait_for(path, wait=False)
    except BlockingIOError:
        return None


def wait_for(path: Path, *, wait: bool = True) -> Callable[[], None]:
    """Lock the file once it is free; gives what lets go of it. Raises OSError."""
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        _lock(descriptor, wait=wait)
        with suppress(OSError):  # a full disk
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, b"%-20d" % os.getpid())  # as long as any before it
    except BaseException:
        os.close(descriptor)
        raise
    return lambda: os.close(descriptor)
