"""Files that references may reach: regular ones inside the operator's folders, however many links lead there."""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath
from typing import Final

from sipsync.disk.files import below_git, device, is_device, read_regular, real_path
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, SecretError
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.scheme import problem

MAX_BYTES: Final = 64 * 1024


def locate(ref: SecretRef, name: str, operator: Operator, shown: str = "") -> Path:
    """The real path of a file that the operator lets references read; relative ones begin at the root of the files.

    `shown` is what errors call it, where that is not its name.
    """
    shown = shown or name
    if any(map(is_device, PureWindowsPath(name).parts)):
        hint = Message("Keep the secret in a file of another name.")
        raise problem(ref, Code.SECRET_FORBIDDEN, device(shown), hint)
    roots = [Path(root).resolve() for root in operator.secret_roots or (operator.root,)]
    path = real_path(Path(operator.root, name))
    if path is None:
        summary = Message("the file {name} can't be reached", name=shown)
        raise problem(ref, Code.SECRET_SOURCE, summary, Message("Correct the path in the reference."))
    below = [root for root in roots if path.is_relative_to(root)]
    inside = any(not below_git(path, root) for root in below)
    if not inside:
        summary = Message("the file {name} is outside the folders that secrets may be read from", name=shown)
        hint = Message("The operator names such folders: SIPSYNC_SECRET_ROOTS.")
        if below:
            summary, hint = Message("the file {name} is git's own", name=shown), Message("Keep secrets elsewhere.")
        raise problem(ref, Code.SECRET_FORBIDDEN, summary, hint)
    if not os.path.exists(path):  # of what lies outside, not even this is told
        hint = Message("Relative paths begin at {root}.", root=Path(operator.root).absolute())
        raise problem(ref, Code.SECRET_SOURCE, Message("the file {name} does not exist", name=shown), hint)
    if not os.path.isfile(path):
        raise _irregular(ref, shown)
    return path


def read_secret(ref: SecretRef, path: Path, name: str) -> Secret:
    """The file's text without the one line end that editors put there; `name` is what errors call it."""
    try:
        data = read_regular(path, MAX_BYTES + 1)  # one byte more than is allowed
    except OSError:
        summary = Message("the file {name} can't be read", name=name)
        raise problem(ref, Code.SECRET_SOURCE, summary, Message("Let the user who runs sipsync read it.")) from None
    if data is None:
        raise _irregular(ref, name)
    if len(data) > MAX_BYTES:
        summary = Message("the file {name} is larger than {size} KiB", name=name, size=MAX_BYTES // 1024)
        raise problem(ref, Code.SECRET_SOURCE, summary, Message("This can't be a secret."))
    try:
        text = without_line_end(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        summary = Message("the file {name} is not UTF-8 text", name=name)
        raise problem(ref, Code.SECRET_VALUE, summary, Message("Save it as UTF-8.")) from None
    if not text:
        summary = Message("the file {name} is empty", name=name)
        raise problem(ref, Code.SECRET_UNSET, summary, Message("Write the secret into it."))
    return Secret(text)


def _irregular(ref: SecretRef, name: str) -> SecretError:
    hint = Message("A secret is read from a regular file.")
    return problem(ref, Code.SECRET_SOURCE, Message("{name} is not a regular file", name=name), hint)


def without_line_end(text: str) -> str:
    """The text without one LF or CRLF at its end."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
