"""Waits so that a portal need not refuse: the leaky bucket of its host, and methods that ran out of operating time.

The limits are the host's: all portals and applications of one host share one `Throttle`. The arithmetic is the rule
book's; here are only the clock and the waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.rules.limits import LeakyBucket

if TYPE_CHECKING:
    from sipsync.model.clock import Clock
    from sipsync.model.lines import Limits

Reason: TypeAlias = Literal["rate limit", "operating time", "retry"]
OnWait: TypeAlias = Callable[[float, Reason], None]

OPERATING_BAN: Final = 300.0
"""How long a method is blocked that used up its operating time (server source)."""

_NAMES: dict[Reason, str] = {
    "rate limit": "its limit of requests",
    "operating time": "its limit of operating time",
    "retry": "the pause before a repetition",
}


class Throttle:
    """The pace of one host."""

    def __init__(self, limits: Limits, clock: Clock, on_wait: OnWait = lambda _seconds, _reason: None) -> None:
        # One less than the burst: requests of others and clocks that differ make the last place unsafe (measured).
        self._bucket = LeakyBucket(max(1, limits.burst - 1), limits.rate)
        self._clock = clock
        self._on_wait = on_wait
        self._paused_until = 0.0
        self._blocked_until: dict[str, float] = {}
        self._reset_at: dict[str, float] = {}

    async def turn(self, methods: Iterable[str], deadline: float | None, host: str) -> None:
        """Come back when a request with these methods may be sent; it is counted then.

        Raises PortalError at once where that would be after the deadline.
        """
        methods = frozenset(methods)
        while True:
            now = self._clock.monotonic()
            full = max(self._bucket.wait(now), self._paused_until - now)
            blocked = max((self._blocked_until.get(method, now) - now for method in methods), default=0.0)
            if full <= 0 and blocked <= 0:
                self._bucket = self._bucket.take(now)
                return
            await self.wait(max(full, blocked), "operating time" if blocked > full else "rate limit", deadline, host)

    async def wait(self, seconds: float, reason: Reason, deadline: float | None, host: str) -> None:
        """Sleep, and say so; or raise PortalError at once where the deadline would pass."""
        if deadline is not None and self._clock.monotonic() + seconds > deadline:
            raise PortalError(
                Diagnostic(
                    Code.TIMEOUT if reason == "retry" else Code.RATE_LIMIT,
                    Message(
                        "{host} makes us wait {seconds:.0f} seconds for {NAMES}, longer than the time given",
                        host=host,
                        seconds=seconds,
                        NAMES=_NAMES[reason],
                    ),
                    hint=Message("Try again later, or give more time: --timeout SECONDS."),
                )
            )
        self._on_wait(seconds, reason)
        await self._clock.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Let nobody send for a while: the host said that its bucket is full."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def seen(self, method: str, reset_at: float | None) -> None:
        """Remember when the host said that a method's operating time is whole again (Unix time)."""
        if reset_at is not None:
            self._reset_at[method] = reset_at

    def block(self, method: str) -> None:
        """Let nobody use a method until its operating time is whole again."""
        told = self._reset_at.get(method, 0.0) - self._clock.now().timestamp()
        self._blocked_until[method] = self._clock.monotonic() + max(OPERATING_BAN, told)
