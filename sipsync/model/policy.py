"""What a portal's file and the operator allow; a file can only tighten what the operator says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from sipsync.model.fields import FieldName
from sipsync.model.problems import Diagnostic

Unmanaged = Literal["ignore", "report", "error"]
_STRICTER: tuple[Unmanaged, ...] = ("ignore", "report", "error")


@dataclass(frozen=True, slots=True)
class IgnoredField:
    """A field that is left alone for a while although the file gives it."""

    line: str
    """A key or a glob of keys."""
    field: FieldName
    reason: str
    until: date | None = None
    """The last day on which it counts; after it the field counts again, with a warning."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Deletes and adds are off by default."""

    create: bool = False
    delete: bool = False
    unmanaged: Unmanaged = "report"
    max_changes: str | None = None
    """`3` or `30%`."""
    protected: tuple[str, ...] = ()
    """Globs of keys, titles or config_ids: such lines are never changed or deleted."""
    ignore_fields: tuple[IgnoredField, ...] = ()


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
    unknown: Diagnostic | None = None
    """Why it can't be told."""


@dataclass(frozen=True, slots=True)
class OperatorPolicy:
    """The operator's policy: None leaves the choice to the file, any value bounds it."""

    create: bool | None = None
    delete: bool | None = None
    unmanaged: Unmanaged | None = None
    max_changes: str | None = None
    protected: tuple[str, ...] = ()
    ignore_fields: tuple[IgnoredField, ...] = ()
    allow_ignore_fields: bool = True
    """Whether files may ignore fields at all."""

    def bound(self, policy: Policy) -> Policy:
        """The file's policy, at most as loose as the operator's. `max_changes` is joined as `3,30%`: each counts."""
        limits = [limit for limit in (self.max_changes, policy.max_changes) if limit]
        return replace(
            policy,
            create=policy.create and self.create is not False,
            delete=policy.delete and self.delete is not False,
            unmanaged=max(policy.unmanaged, self.unmanaged or "ignore", key=_STRICTER.index),
            max_changes=",".join(dict.fromkeys(limits)) or None,
            protected=tuple(dict.fromkeys((*self.protected, *policy.protected))),
            ignore_fields=(*self.ignore_fields, *(policy.ignore_fields if self.allow_ignore_fields else ())),
        )
