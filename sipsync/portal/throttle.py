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
from sipsync.portal.errors import Overdue
from sipsync.rules.errors import rule
from sipsync.rules.limits import LeakyBucket, Limit, Turns, growing

Reason: TypeAlias = Limit | Literal["retry"]

FULL_BUCKET: Final = "QUERY_LIMIT_EXCEEDED"
OPERATING_TIME: Final = "OPERATION_TIME_LIMIT"
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
        self._turns = Turns(LeakyBucket(max(1, limits.burst - 1), limits.rate))
        self._host = host
        self.clock = clock
        self._deadline = clock.monotonic() + seconds
        self._on_wait = on_wait
        self._reset_at: dict[str, float] = {}

    async def turn(self, methods: Iterable[str], fresh_until: float | None = None) -> tuple[float, float]:
        """Come back when a request with these methods may be sent: the time, and the seconds that it may take.

        It is counted. Raises PortalError at once where that would be after the time given, and Overdue where its turn
        comes after `fresh_until`.
        """
        methods = frozenset(methods)
        while True:
            now = self.clock.monotonic()
            seconds, reason = self._turns.wait(methods, now)
            if seconds <= 0:
                break
            await self._wait(seconds, reason)
        if now >= self._deadline:
            summary = Message("the time given for {host} is over", host=self._host)
            hint = Message("Give more time (--timeout SECONDS); what was done stays done, and the next run goes on.")
            raise PortalError(Diagnostic(Code.TIMEOUT, summary, hint=hint))
        if fresh_until is not None and now > fresh_until:
            raise Overdue(self._host)
        self._turns = self._turns.take(now)
        return now, self._deadline - now

    def grant(self, seconds: float) -> None:
        """Let there be so much time from now on, whatever was given before."""
        self._deadline = max(self._deadline, self.clock.monotonic() + seconds)

    async def back_off(self, first: float, attempt: int) -> None:
        """Wait before a repetition."""
        await self._wait(growing(first, attempt, self.clock.chance()), "retry")

    async def _wait(self, seconds: float, reason: Reason) -> None:
        if self.clock.monotonic() + seconds > self._deadline:
            summary = Message(
                "{host} makes us wait {seconds:.0f} seconds for {reason}, longer than what is left of the time given",
                host=self._host,
                seconds=seconds,
                reason=_REASONS[reason],
            )
            hint = Message("Try again later, or give more time: --timeout SECONDS.")
            if reason == "rate limit" and self._turns.refusals:
                hint = Message("{busy} --timeout SECONDS gives more time.", busy=rule(FULL_BUCKET).advice)
            raise PortalError(Diagnostic(Code.TIMEOUT if reason == "retry" else Code.RATE_LIMIT, summary, hint=hint))
        self._on_wait(seconds, reason)
        await self.clock.sleep(seconds)

    def obey(self, error: str, first: float, method: str) -> bool:
        """Let the pace obey an error, so that the next turn waits by itself; False for one that is about no pace."""
        now = self.clock.monotonic()
        if error == FULL_BUCKET:
            self._turns = self._turns.refused(now, first, self.clock.chance())
        elif error == OPERATING_TIME:
            left = self._reset_at.get(method, 0.0) - self.clock.now().timestamp()
            self._turns = self._turns.blocked(method, now + max(OPERATING_BAN, left))
        else:
            return False
        return True

    def note(self, method: str, reset_at: float | None) -> None:
        """Remember of an answer when the host said that the method's operating time is whole again (Unix time)."""
        self._turns = self._turns.answered()
        if reset_at is not None:
            self._reset_at[method] = reset_at
