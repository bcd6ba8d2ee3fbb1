"""One emulated portal: the rule book's state, who may do what, what the provider says, and what was asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta

from sipsync.rules.state import Effect, PortalState, Row

_SEEDED = "2026-01-01 00:00:00"
_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Access:
    """What the credentials' user may do."""

    right: bool = True
    """The telephony right "manage numbers: modify"."""
    scope: str = "telephony,user"
    """What webhooks and applications were given."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the telephony provider says of one registration."""

    code: int = 200
    message: str = ""
    updated: str = _SEEDED

    @property
    def result(self) -> str:
        """The code in one word."""
        return "success" if self.code == 200 else "error" if self.code else "in_progress"

    def renewed(self, now: datetime) -> Registration:
        """The same after a new request; its time moves by a second at least."""
        after = datetime.strptime(self.updated, _FORMAT).replace(tzinfo=UTC) + timedelta(seconds=1)
        return replace(self, updated=max(after, now).strftime(_FORMAT))


@dataclass(slots=True)
class Stats:
    """What was asked since the seed."""

    requests: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    registrations: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Stats) -> Stats:
        return Stats(*(getattr(self, row.name) + getattr(other, row.name) for row in fields(self)))

    def shown(self) -> dict[str, object]:
        """For people and tests."""
        return {
            "requests": self.requests,
            "calls": dict(sorted(self.calls.items())),
            "registrations": self.registrations,
            "statuses": dict(sorted(self.statuses.items())),
        }


@dataclass(slots=True)
class Portal:
    """A portal, and what of it is not stored yet."""

    name: str
    state: PortalState = field(default_factory=PortalState)
    access: Access = Access()
    registrations: dict[int, Registration] = field(default_factory=dict)
    """Where the provider's answer is another than that all is well."""
    stats: Stats = field(default_factory=Stats)
    unsaved: list[Effect] = field(default_factory=list)

    def commit(self, effect: Effect, now: datetime) -> None:
        """Carry an effect out, and remember to store it."""
        before = self.state.next_registration
        self.state.commit(effect)
        self.stats.registrations += effect.registrations
        if effect.registrations:
            for row in effect.rows:
                if row.reg_id and row.reg_id < before:
                    self.registrations[row.reg_id] = self.registration(row.reg_id).renewed(now)
        self.unsaved.append(effect)

    def registration(self, reg_id: int) -> Registration:
        """What the provider says of a registration that exists."""
        return self.registrations.get(reg_id, Registration())

    def registered(self, reg_id: int) -> Row | None:
        """The line that has the registration, whoever owns it."""
        return next((row for row in self.state.rows.values() if row.reg_id == reg_id), None) if reg_id > 0 else None
