"""The system's time and chance; all else takes its clock as an argument, so that tests bring their own."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime


class SystemClock:
    """The real time."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Come back after so many seconds."""
        import asyncio  # dear, and a check of files has a clock without ever sleeping

        await asyncio.sleep(seconds)

    def chance(self) -> float:
        """A number from 0 to 1; nothing secret hangs on it."""
        return random.random()  # noqa: S311
