"""Waits so that a portal need not refuse: the leaky bucket of its host, and methods that ran out of operating time.

The limits and the time that is given are the host's: all portals and applications of one host share one `Throttle`. The
arithmetic is the rule book's; here are only the clock and the waiting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

from sipsync.model.clock import Clock
from sipsync.model.message import Message
from sipsync.model.policy import Limits
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.rules.limits import LeakyBucket

Reason: TypeAlias = Literal["rate limit", "operating time", "retry"]

OPERATING_BAN: Final = 300.0
"""How long a method is blocked that used up its operating time (server source)."""

_REASONS: dict[Reason, Message] = {
    "rate limit": Message("its limit of requests"),
    "operating time": Message("its limit of operating time"),
    "retry": Message("the pause before a repetition"),
}


class Throttle:
    """The pace of one host, and the time that is given for it."""

    def __init__(
        self,
        host: str,
        limits: Limits,
        clock: Clock,
        *,
        seconds: float = math.inf,
        on_wait: Callable[[float, Reason], None] = lambda _seconds, _reason: None,
    ) -> None:
        """After so many `seconds` nothing is sent any more."""
        # One less than the burst: requests of others and clocks that differ make the last place unsafe (measured).
        self._bucket = LeakyBucket(max(1, limits.burst - 1), limits.rate)
        self._host = host
        self._clock = clock
        self._deadline = clock.monotonic() + seconds
        self._on_wait = on_wait
        self._paused_until = 0.0
        self._blocked_until: dict[str, float] = {}
        self._reset_at: dict[str, float] = {}

    async def turn(self, methods: Iterable[str]) -> float:
        """Come back when a request with these methods may be sent, with the seconds that it may take; it is counted.

        Raises PortalError at once where that would be after the time given.
        """
        methods = frozenset(methods)
        while True:
            now = self._clock.monotonic()
            full = max(self._bucket.wait(now), self._paused_until - now)
            blocked = max((self._blocked_until.get(method, now) - now for method in methods), default=0.0)
            if full <= 0 and blocked <= 0:
                break
            await self._wait(max(full, blocked), "operating time" if blocked > full else "rate limit")
        self._bucket = self._bucket.take(now)
        if now >= self._deadline:
            summary = Message("the time given for {host} is over", host=self._host)
            hint = Message("Give more time (--timeout SECONDS); what was done stays done, and the next run goes on.")
            raise PortalError(Diagnostic(Code.TIMEOUT, summary, hint=hint))
        return self._deadline - now

    def grant(self, seconds: float) -> None:
        """Let there be so much time from now on, whatever was given before."""
        self._deadline = max(self._deadline, self._clock.monotonic() + seconds)

    async def back_off(self, first: float, attempt: int) -> None:
        """Wait before a repetition."""
        await self._wait(self._growing(first, attempt), "retry")

    async def _wait(self, seconds: float, reason: Reason) -> None:
        if self._clock.monotonic() + seconds > self._deadline:
            summary = Message(
                "{host} makes us wait {seconds:.0f} seconds for {reason}, longer than the time given",
                host=self._host,
                seconds=seconds,
                reason=_REASONS[reason],
            )
            hint = Message("Try again later, or give more time: --timeout SECONDS.")
            raise PortalError(Diagnostic(Code.TIMEOUT if reason == "retry" else Code.RATE_LIMIT, summary, hint=hint))
        self._on_wait(seconds, reason)
        await self._clock.sleep(seconds)

    def pause(self, first: float, attempt: int) -> None:
        """Let nobody send for a while: the host said that its bucket is full."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + self._growing(first, attempt))

    def _growing(self, first: float, attempt: int) -> float:
        """Seconds before a repetition: doubled for each further one, and up to a quarter added by chance."""
        return first * 2.0 ** (attempt - 1) * (1 + self._clock.chance() / 4)

    def note(self, method: str, reset_at: float | None) -> None:
        """Remember when the host said that a method's operating time is whole again (Unix time)."""
        if reset_at is not None:
            self._reset_at[method] = reset_at

    def block(self, method: str) -> None:
        """Let nobody use a method until its operating time is whole again."""
        left = self._reset_at.get(method, 0.0) - self._clock.now().timestamp()
        self._blocked_until[method] = self._clock.monotonic() + max(OPERATING_BAN, left)
