"""Time and chance as an argument, so that tests run on a clock of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What the edge asks of time and chance."""

    def monotonic(self) -> float:
        """Seconds that only grow, for intervals."""
        ...

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after so many seconds."""
        ...

    def chance(self) -> float:
        """A number from 0 to 1, another one each time; nothing secret hangs on it."""
        ...

    def token(self, size: int, /) -> bytes:
        """So many bytes that nobody can guess."""
        ...
