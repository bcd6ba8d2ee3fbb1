"""Files that references may reach: regular ones inside the operator's folders, however many links lead there."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Final

from sipsync.model.message import Message
from sipsync.model.problems import Code
from sipsync.secrets.scheme import problem

if TYPE_CHECKING:
    from sipsync.model.operator import Operator
    from sipsync.model.secret import SecretRef

MAX_BYTES: Final = 64 * 1024
_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{name}{digit}" for name in ("COM", "LPT") for digit in "0123456789¹²³"}
)


def locate(ref: SecretRef, name: str, operator: Operator) -> Path:
    """The real path of a file that the operator lets references read; relative ones begin at the root of the files."""
    if any(part.split(".")[0].split(":")[0].strip().upper() in _DEVICES for part in PureWindowsPath(name).parts):
        raise problem(
            ref,
            Code.SECRET_FORBIDDEN,
            Message('"{name}" is a device on Windows', name=name),
            Message("Give the file another name."),
        )
    roots = [Path(root) for root in operator.secret_roots or (operator.root,)]
    try:
        path = Path(operator.root, name).resolve()
        inside = any(path.is_relative_to(root.resolve()) for root in roots)
        exists = inside and path.exists()  # of what lies outside, not even this is told
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a loop of links; ValueError: a null character
        raise problem(
            ref, Code.SECRET_SOURCE, Message("the file {name} can't be reached", name=name), Message("Check the path.")
        ) from None
    if not inside:
        raise problem(
            ref,
            Code.SECRET_FORBIDDEN,
            Message("the file {name} is outside the folders that secrets may be read from", name=name),
            Message("The operator names such folders: SIPSYNC_SECRET_ROOTS."),
        )
    if not exists:
        raise problem(
            ref,
            Code.SECRET_SOURCE,
            Message("the file {name} does not exist", name=name),
            Message("Relative paths begin at {absolute}.", absolute=Path(operator.root).absolute()),
        )
    if not path.is_file():
        raise problem(
            ref,
            Code.SECRET_SOURCE,
            Message("{name} is not a regular file", name=name),
            Message("A secret is read from a regular file."),
        )
    return path


def read_text(ref: SecretRef, path: Path, name: str) -> str:
    """The file's text without the one line end that editors put there; `name` is what errors call it."""
    try:
        data = _read(path)
    except OSError:
        raise problem(
            ref,
            Code.SECRET_SOURCE,
            Message("the file {name} can't be read", name=name),
            Message("Check who may read it."),
        ) from None
    if data is None:
        raise problem(
            ref,
            Code.SECRET_SOURCE,
            Message("{name} is not a regular file", name=name),
            Message("A secret is read from a regular file."),
        )
    if len(data) > MAX_BYTES:
        raise problem(
            ref,
            Code.SECRET_SOURCE,
            Message("the file {name} is larger than {MAX_BYTES} KiB", name=name, MAX_BYTES=MAX_BYTES // 1024),
            Message("This can't be a secret."),
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise problem(
            ref,
            Code.SECRET_VALUE,
            Message("the file {name} is not UTF-8 text", name=name),
            Message("Save it as UTF-8."),
        ) from None
    text = without_line_end(text)
    if not text:
        raise problem(
            ref, Code.SECRET_UNSET, Message("the file {name} is empty", name=name), Message("Write the secret into it.")
        )
    return text


def _read(path: Path) -> bytes | None:
    """One byte more than is allowed, at most; None for what is not a regular file."""
    # A FIFO that nobody writes to would block the opening, and a device may act on it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        return file.read(MAX_BYTES + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def without_line_end(text: str) -> str:
    """The text without one LF or CRLF at its end."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
