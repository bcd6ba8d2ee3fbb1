"""What planning is given for one owner's lines on a portal, and the values that its steps pass on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import ClassVar, TypeAlias

from sipsync.model.document import Seal
from sipsync.model.fields import FieldName, LineType
from sipsync.model.lines import Address, Call, CurrentLine, DesiredPortal, Snapshot, Verb
from sipsync.model.options import Selection
from sipsync.model.problems import Code, Span
from sipsync.model.secret import Secret, SecretRef


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

    def selects(self, address: Address) -> bool:
        """Whether the operator's `--line` and `--exclude` leave this line in."""
        chosen = self.selection.lines
        return (not chosen or matches(address, chosen)) and not matches(address, self.selection.exclude)


@dataclass(frozen=True, slots=True)
class Create:
    """A line to make."""

    verb: ClassVar[Verb] = "add"
    current: ClassVar[None] = None
    config_id: ClassVar[None] = None
    unchanged: ClassVar[int] = 0
    address: Address
    at: Span
    type: LineType
    wanted: Mapping[FieldName, str | Secret]
    """The fields to send."""

    @property
    def title(self) -> str | None:
        """The title that it brings."""
        return _title(self.wanted)


@dataclass(frozen=True, slots=True)
class Update:
    """A line to change."""

    verb: ClassVar[Verb] = "update"
    address: Address
    at: Span
    current: CurrentLine
    wanted: Mapping[FieldName, str | Secret]
    """The fields to send, and nothing else."""
    unchanged: int = 0
    """Managed fields that do not differ."""

    @property
    def type(self) -> LineType:
        """As the portal has it."""
        return self.current.type

    @property
    def config_id(self) -> int:
        """The line's."""
        return self.current.config_id

    @property
    def title(self) -> str | None:
        """The title that it brings, None where it leaves the title alone."""
        return _title(self.wanted)


@dataclass(frozen=True, slots=True)
class Delete:
    """A line to delete."""

    verb: ClassVar[Verb] = "delete"
    title: ClassVar[None] = None
    wanted: ClassVar[Mapping[FieldName, str | Secret]] = {}
    unchanged: ClassVar[int] = 0
    address: Address
    at: Span
    current: CurrentLine

    @property
    def type(self) -> LineType:
        """As the portal has it."""
        return self.current.type

    @property
    def config_id(self) -> int:
        """The line's."""
        return self.current.config_id


LineChange: TypeAlias = Create | Update | Delete
"""What is to happen to one line."""


def _title(wanted: Mapping[FieldName, str | Secret]) -> str | None:
    title = wanted.get("title")
    return title if isinstance(title, str) else None


def call_for(change: LineChange, id: str, after: tuple[str, ...], temporary: str | None = None) -> Call:
    """The REST call that carries the change out, or that moves its line to a temporary title."""
    values: Mapping[FieldName, str | Secret] = change.wanted if temporary is None else {"title": temporary}
    type = None if isinstance(change, Delete) else change.type
    return Call(id, change.address, change.verb, values, change.config_id, type, after)


def matches(address: Address, globs: tuple[str, ...]) -> bool:
    """Whether any glob names the line by its address or its key."""
    return any(fnmatchcase(name, glob) for glob in globs for name in (address, address.key))


def is_left_to_server(change: LineChange, inputs: Sequence[PlanInput]) -> bool:
    """Whether the operator lets the server judge if the title is free."""
    return any(given.selection.allows(Code.TITLE_HELD, change.address) for given in inputs)
