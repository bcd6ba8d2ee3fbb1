"""References and paths of a file as values that mean the same wherever they are read.

A model is given each scalar as a `Text`, which knows where it is written; what pydantic makes of it is whole. What is
wrong with a reference is told without quoting it: it may be the secret itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationInfo
from pydantic_core import PydanticKnownError

from sipsync.config.reader.mask import VARIABLE, clean, holds_secret
from sipsync.config.reader.nodes import Scalar
from sipsync.disk.files import below_git, real_path
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.operator import Operator
from sipsync.model.problems import Code
from sipsync.model.scalars import trimmed, wrong
from sipsync.model.secret import PATH_SCHEMES, SCHEMES, SecretRef

_WINDOWS: Final = os.name == "nt"
_VARIABLE: Final = re.compile(VARIABLE)
_NOT_MANAGED: Final = re.compile(r"\s\(?not managed")
"""The end of the comment that `import` writes, where only its beginning was deleted."""
_LITERAL = Message("a secret must be a reference, never the value itself")


@dataclass(frozen=True, slots=True)
class RunContext:
    """What holds for all files of a run, and what models are validated with."""

    operator: Operator
    schemes: Collection[str]
    root: Path
    """Resolved."""


class Text(str):
    """What a scalar says, and the scalar."""

    __slots__ = ("node",)

    node: Scalar


def reference(value: object, info: ValidationInfo[RunContext]) -> SecretRef:
    """The reference; a relative path in it is made relative to the root, so that it means one thing in all files."""
    text, run = _text(value), info.context
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in run.schemes:
        hint = Message("Write where it is kept: {ways}. If it was in git, change it.", ways=_ways(run.schemes))
        near = did_you_mean(f"{scheme}:", (f"{each}:" for each in run.schemes), hint) if colon else hint
        wrong(Code.LITERAL_SECRET, _LITERAL, near)
    rest, *comment = _NOT_MANAGED.split(rest, maxsplit=1)
    if not rest.strip():
        hint = Message('Write what it is called there, as in "{scheme}:NAME".', scheme=scheme)
        wrong(Code.BAD_VALUE, Message('"{scheme}:" names nothing', scheme=scheme), hint)
    if holds_secret(rest) or (scheme == "env" and not _VARIABLE.fullmatch(rest.strip())):
        hint = Message(
            'After "{scheme}:" comes the name that the secret has there. If the secret was in git, change it.',
            scheme=scheme,
        )
        wrong(Code.LITERAL_SECRET, _LITERAL, hint)
    if comment:
        hint = Message("Delete what stands behind {reference}.", reference=clean(f"{scheme}:{rest.rstrip()}"))
        wrong(Code.BAD_VALUE, Message("the end of a comment that is part of the reference"), hint)
    trimmed(text)
    if scheme in PATH_SCHEMES:
        path, mark, pointer = rest.partition("#") if scheme == "sops" else (rest, "", "")
        rest = f"{_from_root(path, text.node, run.root)}{mark}{pointer}"
    return SecretRef(scheme, rest, text.node.place)


def identifier(value: object, info: ValidationInfo[RunContext]) -> SecretRef | str:
    """A text that is no secret, or a reference to it."""
    text = _text(value)
    if text.partition(":")[0] in info.context.schemes:
        return reference(value, info)
    if not text:
        raise PydanticKnownError("string_too_short", {"min_length": 1})
    return str(trimmed(text))


NO_FILE: Final = (Message("no file can have this name"), Message("Write another path."))


def path_inside(value: object, info: ValidationInfo[RunContext]) -> str:
    """The whole path of a file that may not leave the root; a relative one begins at the file that names it."""
    text, root = _text(value), info.context.root
    if not text:
        raise PydanticKnownError("string_too_short", {"min_length": 1})
    path = real_path(beside(text.node) / trimmed(text))
    if path is None:
        wrong(Code.BAD_VALUE, *NO_FILE)
    if not path.is_relative_to(root):
        hint = Message("Keep it beside the file, or give the common folder with --root.")
        wrong(Code.BAD_VALUE, Message("a sandbox outside of {root}", root=root), hint)
    if below_git(path, root):
        wrong(Code.BAD_VALUE, Message("a sandbox below .git"), Message("Keep it beside the file."))
    return str(path)


def beside(node: Scalar) -> Path:
    """The folder of the file that a value is written in."""
    return node.source.path.parent if node.source.path else Path()


def _text(value: object) -> Text:
    if not isinstance(value, Text):
        raise PydanticKnownError("string_type")
    return value


def _ways(schemes: Collection[str]) -> str:
    known = sorted(schemes, key=lambda name: (name != "env", name != "file", name))
    return ", ".join(SCHEMES.get(name, f"{name}:…").partition(" ")[0] for name in known) or "env:NAME"


def _from_root(path: str, node: Scalar, root: Path) -> str:
    if not _WINDOWS and re.search(r"^[A-Za-z]:/|\\", path):
        hint = Message("Write a path relative to this file, with forward slashes; that works on Windows too.")
        wrong(Code.BAD_VALUE, Message("a path that works on Windows only"), hint)
    if os.path.isabs(path):
        return path.replace("\\", "/") if _WINDOWS else path
    try:
        return Path(os.path.relpath(beside(node) / path, root)).as_posix()
    except ValueError:  # Windows: on another drive than the root
        return (beside(node) / path).as_posix()
