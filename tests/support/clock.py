"""Time that passes while somebody sleeps, and at no other moment."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that only tests move."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None
    token: Callable[[int], bytes] = os.urandom
    """Real chance, so that what is kept from guessing is kept from tests as well."""

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.time)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        self.on_sleep()

    def chance(self) -> float:
        return 0.5
