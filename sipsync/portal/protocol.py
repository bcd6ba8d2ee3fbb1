"""What planning and applying ask of a portal, and how it answers. Nothing here does I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sipsync.model.lines import Call, CurrentLine, Registration, Snapshot
from sipsync.model.problems import PortalError


@dataclass(frozen=True, slots=True)
class Done:
    """The server carried the call out."""

    made: int | None = None
    """Of an add: the new line's config_id; None where the server gave none that is one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server said no."""

    error: PortalError


@dataclass(frozen=True, slots=True)
class Lost:
    """It was sent and no answer came: it may have been carried out, or may yet be."""

    error: PortalError


@dataclass(frozen=True, slots=True)
class Unsent:
    """It did not reach the server, or the server did not get to it: nothing happened."""

    error: PortalError | None = None
    """What is in the way; None where an earlier call of the same batch failed, or the turn came too late."""


Reply: TypeAlias = Done | Refused | Lost | Unsent


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of some calls, in their order."""

    replies: tuple[Reply, ...]
    lines: Mapping[int, CurrentLine] | None = None
    """The lines read back in the last request, where there was room for that and nothing failed before it."""


class PortalReader(Protocol):
    """A portal that can only be read; what planning is given. Every method raises PortalError."""

    @property
    def requests(self) -> int:
        """HTTP requests sent so far."""
        ...

    @property
    def read_at(self) -> float:
        """The clock's time when the lines that were read last were asked for; of several requests, the first."""
        ...

    async def snapshot(self, *, outgoing: bool = False) -> Snapshot:
        """All lines that the credential sees, and the names of the whole portal.

        One request for up to 50 lines, two for up to 2,500. `outgoing` asks for the default line in the first one.
        """
        ...

    async def lines(self, config_ids: Sequence[int]) -> Mapping[int, CurrentLine]:
        """These lines as they are now; a line that is gone is missing."""
        ...

    async def statuses(self, reg_ids: Sequence[int]) -> Mapping[int, Registration]:
        """The registrations, asked live; one that the portal can't tell is missing.

        Asking writes the stored status and may notify portal users (server source).
        """
        ...


class Portal(PortalReader, Protocol):
    """A portal that can be written."""

    def grant(self, seconds: float) -> None:
        """Let there be so much time from now on, whatever was given before."""
        ...

    async def send(
        self, calls: Sequence[Call], read_back: Sequence[int] = (), *, fresh_until: float = math.inf
    ) -> Sent:
        """Send calls in this order, in as few requests as the API allows; says what became of each.

        `fresh_until` is the clock's time until which the reading is fresh that they were compared with: those whose
        turn comes later are `Unsent`, whatever they waited for, and are to be compared again.

        A call whose `after` names an earlier call of the same sending is only run where that one succeeded. Calls are
        repeated here only where the server surely did nothing. After a failure the rest may come back as `Unsent`.
        """
        ...
