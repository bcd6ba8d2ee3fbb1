"""What a portal's file and the operator allow; a file can only tighten what the operator says.

A key is written here and nowhere else: what it holds, its default, how it is tightened, and what editors say of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, field, fields, replace
from operator import add, and_
from typing import Any, ClassVar, Literal

from sipsync.model.fields import FieldName
from sipsync.model.message import Message
from sipsync.model.scalars import SECTION, Day, Decimal, Number, Share, Switch, Words

Unmanaged = Literal["ignore", "report", "error"]
_MOST = 1_000
"""Entries of a list: each is compared with each line."""
_STRICTER: tuple[Unmanaged, ...] = ("ignore", "report", "error")


def _stricter(operator: Unmanaged, file: Unmanaged) -> Unmanaged:
    return max(operator, file, key=_STRICTER.index)


def _each(operator: str | None, file: str | None) -> str | None:
    """Both, as `3,30%`: each counts."""
    return ",".join(dict.fromkeys(limit for limit in (operator, file) if limit)) or None


def _all(operator: tuple[str, ...], file: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*operator, *file)))


def _tightened(by: Callable[[Any, Any], Any], **more: Any) -> dict[str, Any]:
    """How the operator's value and a file's are one. `loosest` bounds nothing, where the default is not that."""
    return {"tightened": by, **more}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the portal, where they are not the usual ones."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = SECTION

    cloud_lines: Number = 10  # server source
    """Cloud lines that the portal may have."""
    burst: Number = field(default=50, metadata={"le": 10_000})  # documented
    """Requests at once (250 for Enterprise)."""
    rate: Decimal = field(default=2.0, metadata={"ge": 0.1, "le": 1_000})  # documented
    """Requests a second after that (5 for Enterprise)."""

    @classmethod
    def loosest(cls, limits: Iterable[Limits]) -> Limits:
        """Those of a portal that several files speak of: none of them can hold up another's lines."""
        return cls(*map(max, zip(*map(astuple, limits), strict=True)))


@dataclass(frozen=True, slots=True)
class IgnoredField:
    """A field that is left alone for a while although the file gives it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = SECTION

    line: Words
    """A key of a line, or a glob of keys."""
    field: FieldName
    """The field that is left alone."""
    reason: Words
    """Why; shown in plans."""
    until: Day | None = None
    """The last day, as in 2026-12-31; after it the field counts again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What sipsync may do. The operator's policy bounds it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = SECTION

    create: Switch = field(default=False, metadata=_tightened(and_, loosest=True))
    """Whether a line that is not on the portal is added."""
    delete: Switch = field(default=False, metadata=_tightened(and_, loosest=True))
    """Whether lines under `removed` are deleted."""
    unmanaged: Unmanaged = field(default="report", metadata=_tightened(_stricter, loosest="ignore"))
    """What to do about lines that the file does not name."""
    max_changes: Share | None = field(default=None, metadata=_tightened(_each))
    """A plan with more changes is stopped: 3, or 30%."""
    protected: tuple[Words, ...] = field(default=(), metadata=_tightened(_all, max_length=_MOST))
    """Globs of keys, titles or config_ids: never changed or deleted."""
    ignore_fields: tuple[IgnoredField, ...] = field(default=(), metadata=_tightened(add, max_length=_MOST))
    """Fields that are left alone for a while."""


@dataclass(frozen=True, slots=True)
class ProtectedLine:
    """A line that the target branch protects: itself, whatever a file, a portal or a key is called now."""

    name: str
    """Its address on that branch."""
    config_id: int | None
    title: str | None


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """What the branch that a change is meant for protects. It is no part of what the file wants."""

    branch: str = ""
    """As in `origin/main`; "" where there is none."""
    protected: tuple[str, ...] = ()
    """Globs, as the policy has them."""
    lines: tuple[ProtectedLine, ...] = ()
    unknown: tuple[Message, Message] | None = None
    """Why it can't be told, and what to do."""


@dataclass(frozen=True, slots=True)
class OperatorPolicy(Policy):
    """The operator's policy: the same keys, of which one that is not given bounds nothing, and more."""

    allow_ignore_fields: Switch = True
    """Whether portals' files may ignore fields at all."""
    limits: Limits | None = None
    """The limits of each portal, in the place of what the files say."""

    def bound(self, policy: Policy) -> Policy:
        """The file's policy, at most as loose as this one."""
        file = policy if self.allow_ignore_fields else replace(policy, ignore_fields=())
        pairs = ((row, getattr(self, row.name), getattr(file, row.name)) for row in fields(Policy))
        return Policy(**{row.name: row.metadata["tightened"](own, theirs) for row, own, theirs in pairs})


NO_BOUNDS = OperatorPolicy(**{row.name: row.metadata.get("loosest", row.default) for row in fields(Policy)})
"""An operator's policy that gives nothing, so that each file's own counts."""
