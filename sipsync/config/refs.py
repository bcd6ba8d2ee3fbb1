"""References to secrets and paths, as written in a file, as values that mean the same wherever they are read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sipsync.config.reader.yaml import Scalar
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.model.secret import SecretRef

_PATHS = ("file", "sops")
"""Schemes whose rest begins with a path."""


def secret_ref(node: Scalar, root: Path) -> SecretRef:
    """The reference; a relative path in it is made relative to the root, so that it means one thing in all files."""
    scheme, _, rest = node.text.partition(":")
    if scheme in _PATHS:
        path, mark, pointer = rest.partition("#") if scheme == "sops" else (rest, "", "")
        rest = f"{_from_root(path, node, root)}{mark}{pointer}"
    return SecretRef(scheme, rest, node.at)


def path_finding(node: Scalar, *, windows: bool = os.name == "nt") -> Diagnostic | None:
    """What is wrong with the path in a reference, if it has one and it works on one kind of machine only."""
    scheme, _, path = node.text.partition(":")
    if scheme not in _PATHS or windows:
        return None
    if re.match(r"[A-Za-z]:[\\/]", path):
        summary = Message("a path with a drive letter exists on Windows only")
    elif "\\" in path:
        summary = Message("a path with backslashes works on Windows only")
    else:
        return None
    hint = Message("Write a path relative to this file, with forward slashes; that works on Windows too.")
    return Diagnostic(Code.BAD_VALUE, summary, hint=hint, at=node.at)


def beside(node: Scalar) -> Path:
    """The folder of the file that a value is written in."""
    return node.source.path.parent if node.source.path else Path()


def _from_root(path: str, node: Scalar, root: Path) -> str:
    if os.path.isabs(path):
        return path.replace("\\", "/") if os.name == "nt" else path
    try:
        return Path(os.path.relpath(beside(node) / path, root)).as_posix()
    except ValueError:  # Windows: on another drive than the root
        return (beside(node) / path).as_posix()
