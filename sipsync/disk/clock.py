"""This machine's time and chance; all else takes its clock as an argument, so that tests bring their own."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime


class SystemClock:
    """The real time, and real chance."""

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

    def pause(self, seconds: float) -> None:
        """The same for what waits with its whole thread."""
        time.sleep(seconds)

    def chance(self) -> float:
        """A number from 0 to 1; nothing secret hangs on it."""
        import random

        return random.random()  # noqa: S311

    def token(self, size: int, /) -> bytes:
        """So many bytes that nobody can guess."""
        return os.urandom(size)
