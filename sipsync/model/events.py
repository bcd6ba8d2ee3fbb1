"""What happens while work goes on, as typed events: not a log, and never a secret. The command line draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sipsync.model.lines import Action, Address


@dataclass(frozen=True, slots=True)
class PortalStarted:
    """Work on a portal began."""

    portal: str
    work: Literal["plan", "apply", "read"]


@dataclass(frozen=True, slots=True)
class PortalDone:
    """Work on a portal ended."""

    portal: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A portal makes us wait."""

    portal: str
    seconds: float
    reason: Literal["rate limit", "operating time", "retry", "registration", "lock"]


@dataclass(frozen=True, slots=True)
class LineStarted:
    """A call for a line is about to be sent."""

    address: Address
    action: Action


@dataclass(frozen=True, slots=True)
class LineDone:
    """A line's last call was answered."""

    address: Address
    action: Action
    ok: bool


@dataclass(frozen=True, slots=True)
class Stopping:
    """A signal came: these calls were sent and not answered; nothing more is sent."""

    in_flight: tuple[str, ...]


Event: TypeAlias = PortalStarted | PortalDone | Waiting | LineStarted | LineDone | Stopping
OnEvent: TypeAlias = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """For callers who do not want to know."""
