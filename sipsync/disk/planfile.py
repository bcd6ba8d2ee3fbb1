"""Saved plans and saved states: written whole or not at all, read with an answer for everything a file may be.

An error never quotes the file. Whether a document is genuine and still fits is asked by who uses it, not here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from sipsync.disk.files import reason, refuse_outside, write_private
from sipsync.model.document import FORMAT_VERSION
from sipsync.model.message import Message
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Diagnostic, SipsyncError
from sipsync.model.snapshot import SavedState

MAX_BYTES: Final = 256 * 1024 * 1024
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""Half of a character, which may stand alone or be followed by the other."""
_STATE_MARK: Final = "sipsync-state"
_Document = TypeVar("_Document", Plan, SavedState)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a file should be, and what is said if it is not."""

    noun: Message
    code: Code
    again: Message


_PLAN = _Kind(Message("plan"), Code.PLAN_UNREADABLE, Message("Make a new one: sipsync plan --out FILE."))
_STATE = _Kind(Message("saved state"), Code.SNAPSHOT, Message("Make a new one: sipsync snapshot --out FILE."))


def write(path: str | PathLike[str], plan: Plan) -> None:
    """Save the plan, for this user only; raises SipsyncError with PLAN_KEY where no other job could apply it."""
    if fleeting := [part.portal for part in plan.parts if not part.lasting]:
        raise SipsyncError(*map(_no_key, fleeting))
    _write(Path(path), plan.to_dict(), _PLAN)


def read(path: str | PathLike[str], *, max_bytes: int = MAX_BYTES) -> Plan:
    """The saved plan; raises SipsyncError with PLAN_UNREADABLE or PLAN_TOO_NEW."""
    return _read(Path(path), max_bytes, _PLAN, Plan.from_dict)


def is_plan(path: Path) -> bool:
    """Whether a file is a saved plan, be it of another version or edited since."""
    try:
        return "plan_id" in _document(path, _bytes(path, MAX_BYTES, _PLAN), _PLAN)
    except SipsyncError:
        return False


def _no_key(portal: str) -> Diagnostic:
    hint = Message(
        "Print one with `sipsync secret plan-key`, and set it as SIPSYNC_PLAN_KEY in the jobs that plan and that apply."
    )
    summary = Message(
        "the plan is not saved: its credential changes, or stands where the files' author may write it, so there "
        "is no key by which another job could tell that the plan is genuine"
    )
    return Diagnostic(Code.PLAN_KEY, summary, hint=hint, address=portal)


def write_state(path: str | PathLike[str], state: SavedState) -> None:
    """Save the state, readable by this user only."""
    _write(Path(path), state.to_dict(), _STATE)


def read_state(path: str | PathLike[str], *, max_bytes: int = MAX_BYTES) -> SavedState:
    """The saved state; raises SipsyncError with SNAPSHOT or PLAN_TOO_NEW."""
    return _read(Path(path), max_bytes, _STATE, SavedState.model_validate)


def _write(path: Path, document: Mapping[str, Any], kind: _Kind) -> None:
    # ASCII: a title may hold what no encoding takes, and shells on Windows re-encode files.
    data = json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"
    try:
        refuse_outside(path.parent)  # a link in the file's own place is replaced
        write_private(path, data)
    except SipsyncError as error:
        summary = Message("the {noun} was made, but not saved: {error}", noun=kind.noun, error=error)
        hint = Message(
            "The {noun} itself is not lost and nothing was sent; name another file with --out.", noun=kind.noun
        )
        raise SipsyncError(Diagnostic(Code.UNWRITABLE, summary, hint=hint)) from None


def _read(path: Path, max_bytes: int, kind: _Kind, parse: Callable[[Mapping[str, Any]], _Document]) -> _Document:
    document = _document(path, _bytes(path, max_bytes, kind), kind)
    if _newer(document["format_version"], major=True):
        _too_new(path)
    try:
        return parse(document)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        # A newer minor version may add keys. They belong to what is sealed, so none can be left out.
        if _newer(document["format_version"], major=False):
            _too_new(path)
        summary = Message("{path} is not a sipsync {noun}, or was edited", path=path, noun=kind.noun)
        raise _unreadable(kind, summary) from None


def _bytes(path: Path, max_bytes: int, kind: _Kind) -> bytes:
    try:
        if path.is_dir():
            summary = Message("{path} is a folder, not a {noun}", path=path, noun=kind.noun)
            raise _unreadable(kind, summary, Message("Name the file itself."))
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        hint = Message("Check the path. {again}", again=kind.again)
        raise _unreadable(kind, Message("{path} does not exist", path=path), hint) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        why = Message(reason(error)) if isinstance(error, OSError) else Message("this can't be a file's name")
        summary = Message("{path} can't be read: {why}", path=path, why=why)
        raise _unreadable(kind, summary, Message("Check the path and who may read it.")) from None
    if len(data) > max_bytes:
        summary = Message("{path} is larger than {most} MiB", path=path, most=max_bytes // 1024**2)
        raise _unreadable(kind, summary, Message("This is no {noun}; check the path.", noun=kind.noun))
    return data


def _document(path: Path, data: bytes, kind: _Kind) -> Mapping[str, Any]:
    """The JSON object, with the marks of its kind."""
    if not data.strip():
        raise _unreadable(kind, Message("{path} is empty", path=path))
    try:
        text = data.decode(json.detect_encoding(data))
        document = json.loads(text)
        if _HALF.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # what we write has none: a portal's half characters are refused
        raise _unreadable(kind, Message("{path} holds half a character", path=path)) from None
    except (ValueError, RecursionError):
        if data.lstrip().startswith(b"{") and not data.rstrip().endswith(b"}"):
            hint = Message("Copy it again, whole. {again}", again=kind.again)
            raise _unreadable(kind, Message("{path} is cut off", path=path), hint) from None
        raise _unreadable(kind, Message("{path} is not JSON", path=path)) from None
    marks = document if isinstance(document, dict) and "sipsync_version" in document else {}
    if not isinstance(marks.get("format_version"), str):
        raise _unreadable(kind, Message("{path} is not a sipsync {noun}", path=path, noun=kind.noun))
    is_state = marks.get("kind") == _STATE_MARK
    if is_state and kind is _PLAN:
        hint = Message("A state is what `sipsync plan --against FILE` takes.")
        raise _unreadable(kind, Message("{path} is a saved state, not a plan", path=path), hint)
    if not is_state and kind is _STATE:
        raise _unreadable(kind, Message("{path} is not a saved state", path=path))
    return marks


def _newer(version: str, *, major: bool) -> bool:
    """Whether a format's version is above ours, by its major number or at all; False for what is no version."""
    try:
        theirs, ours = (tuple(map(int, text.split("."))) for text in (version, FORMAT_VERSION))
    except ValueError:
        return False
    return theirs[:1] > ours[:1] if major else theirs > ours


def _too_new(path: Path) -> NoReturn:
    summary = Message("{path} was made by a newer sipsync, in a format that this one does not know", path=path)
    hint = Message("Upgrade sipsync, or make the file with this version.")
    raise SipsyncError(Diagnostic(Code.PLAN_TOO_NEW, summary, hint=hint))


def _unreadable(kind: _Kind, summary: Message, hint: Message | None = None) -> SipsyncError:
    return SipsyncError(Diagnostic(kind.code, summary, hint=hint or kind.again))
