"""What planning is given for one owner's lines on a portal, and the values that its steps pass on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeAlias

from sipsync.model.document import Seal
from sipsync.model.fields import FieldName, LineType
from sipsync.model.lines import Address, Call, CurrentLine, DesiredLine, DesiredPortal, RemovedLine, Snapshot, Verb
from sipsync.model.message import Message
from sipsync.model.options import Selection
from sipsync.model.problems import Code, Diagnostic, Severity, Span
from sipsync.model.secret import Secret, SecretRef

ALLOWED = Message("Allowed by the operator (--allow).")


@dataclass(frozen=True, slots=True)
class PlanInput:
    """One owner's lines: as the file wants them and as the portal returned them."""

    desired: DesiredPortal
    current: Snapshot
    secrets: Mapping[SecretRef, Secret]
    """Passwords that were read. One that is missing here is not compared, which is said."""
    seal: Seal
    host: str = ""
    owner: str = ""
    selection: Selection = Selection()
    known_refs: Mapping[int, Mapping[FieldName, str]] | None = None
    """Of a plan against a saved state: config_id → the references of that day by field. Then references are
    compared in the place of secrets."""

    def reading(self, current: Snapshot) -> PlanInput:
        """The same input with a new reading of the portal."""
        return replace(self, current=current)


class _Change:
    """What the three kinds of change have in common."""

    __slots__ = ()
    desired: DesiredLine | RemovedLine
    values: Mapping[FieldName, str | Secret]

    @property
    def address(self) -> Address:
        """The line's."""
        return self.desired.address

    @property
    def at(self) -> Span:
        """Where the file asks for it."""
        return self.desired.at

    @property
    def title(self) -> str | None:
        """The title that it brings, None where it leaves the title alone."""
        title = self.values.get("title")
        return title if isinstance(title, str) else None


@dataclass(frozen=True, slots=True)
class Create(_Change):
    """A line to make."""

    verb: ClassVar[Verb] = "add"
    current: ClassVar[None] = None
    config_id: ClassVar[None] = None
    desired: DesiredLine
    values: Mapping[FieldName, str | Secret]
    """The fields to send."""

    @property
    def type(self) -> LineType:
        """What is made."""
        return self.desired.type or "cloud"


class _OfExisting(_Change):
    """A change of a line that is there."""

    __slots__ = ()
    current: CurrentLine

    @property
    def type(self) -> LineType:
        """As the portal has it."""
        if self.current.type == "other":
            raise AssertionError(self.current.config_id)  # its line has an error, and no change
        return self.current.type

    @property
    def config_id(self) -> int:
        """The line's."""
        return self.current.config_id


@dataclass(frozen=True, slots=True)
class Update(_OfExisting):
    """A line to change."""

    verb: ClassVar[Verb] = "update"
    desired: DesiredLine
    current: CurrentLine
    values: Mapping[FieldName, str | Secret]
    """The fields to send, and nothing else."""


@dataclass(frozen=True, slots=True)
class Delete(_OfExisting):
    """A line to delete."""

    verb: ClassVar[Verb] = "delete"
    desired: RemovedLine
    current: CurrentLine
    values: Mapping[FieldName, str | Secret] = field(default_factory=dict, init=False)


LineChange: TypeAlias = Create | Update | Delete
"""What is to happen to one line: what the file wants of it, and the line as it is."""


def call_for(change: LineChange, id: str, after: tuple[str, ...], temporary: str | None = None) -> Call:
    """The REST call that carries the change out, or that moves its line to a temporary title."""
    values: Mapping[FieldName, str | Secret] = change.values if temporary is None else {"title": temporary}
    type = None if isinstance(change, Delete) else change.type
    return Call(id, change.address, change.verb, values, change.config_id, type, after)


def about(
    subject: DesiredPortal | DesiredLine | RemovedLine | LineChange,
    code: Code,
    summary: Message,
    *,
    hint: Message,
    at: Span | None = None,
    severity: Severity = "error",
) -> Diagnostic:
    """A finding about a portal, a line or its change, where the file speaks of it."""
    address = subject.name if isinstance(subject, DesiredPortal) else subject.address
    return Diagnostic(code, summary, hint=hint, at=at or subject.at, address=address, severity=severity)
