"""How much the server takes at once: lines of a page, calls of a request, requests of a portal.

The limit of requests is arithmetic on given times; who asks has the clock. Each request adds one to a counter that
drains at a steady rate; a request that would lift it above the burst is refused (documented: 50 and 2 a second, for
Enterprise 250 and 5). A batch counts once. Whether refused requests count as well is not known; here they do not
(unverified).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

Limit: TypeAlias = Literal["rate limit", "operating time"]

BATCH_SIZE = 50
"""Commands that one batch runs; further ones are refused (server source)."""
PAGE = 50
"""Lines that one `voximplant.sip.get` returns (server source)."""
_REFERENCE = re.compile(r"\$(result|next|total|time|error)\S*\[", re.IGNORECASE | re.ASCII)
"""Blanks of ASCII end a reference, others do not (server source)."""
_ROUNDING = 1e-9
LONGEST_PAUSE = 8.0
"""Seconds between two attempts at a bucket that others keep full: whoever asks more seldom gets no place in it."""


def is_rewritten(values: Iterable[str]) -> bool:
    """Whether a batch would take any of the values for a reference to an earlier answer (server source, measured).

    There is no way to escape one, so such a call has to travel alone.
    """
    return any(_REFERENCE.search(value) for value in values)


def in_requests(alone: Sequence[bool], size: int = BATCH_SIZE) -> list[range]:
    """Which calls share a request, in their order; each that must travel alone has one of its own."""
    requests: list[range] = []
    for place, by_itself in enumerate(alone):
        last = requests[-1] if requests else None
        if last is None or by_itself or alone[last.start] or len(last) == size:
            requests.append(range(place, place + 1))
        else:
            requests[-1] = range(last.start, place + 1)
    return requests


@dataclass(frozen=True, slots=True)
class LeakyBucket:
    """How full the counter was at a moment, and so at any later one."""

    burst: float
    """Requests that may come at once."""
    rate: float
    """Requests a second that drain."""
    filled: float = 0.0
    """The counter at the time `at`."""
    at: float = 0.0

    def level(self, now: float) -> float:
        """The counter now."""
        return max(0.0, self.filled - max(0.0, now - self.at) * self.rate)

    def wait(self, now: float) -> float:
        """Seconds until one more request is allowed; 0 if it is already."""
        over = self.level(now) + 1 - self.burst
        return over / self.rate if over > _ROUNDING else 0.0

    def take(self, now: float) -> LeakyBucket:
        """The bucket after one request now, which the caller has found allowed."""
        return replace(self, filled=self.level(now) + 1, at=max(now, self.at))


@dataclass(frozen=True, slots=True)
class Turns:
    """What a host lets through when: its bucket, the pause after a refusal, and methods out of operating time."""

    bucket: LeakyBucket
    refusals: int = 0
    """How often in a row the host said that its bucket is full."""
    paused_until: float = 0.0
    blocked_until: Mapping[str, float] = field(default_factory=dict)

    def wait(self, methods: Iterable[str], now: float) -> tuple[float, Limit]:
        """Seconds until a request with these methods may be sent, 0 if it may at once; and what it waits for."""
        room = max(0.0, self.bucket.wait(now), self.paused_until - now)
        time = max((self.blocked_until.get(method, now) - now for method in methods), default=0.0)
        return (time, "operating time") if time > room else (room, "rate limit")

    def take(self, now: float) -> Turns:
        """After one request now, which the caller has found allowed."""
        return replace(self, bucket=self.bucket.take(now))

    def refused(self, now: float, first: float, chance: float) -> Turns:
        """After the host said that its bucket is full: nobody sends for a while, longer with each refusal in a row."""
        seconds = min(growing(first, self.refusals + 1, chance), LONGEST_PAUSE)
        return replace(self, refusals=self.refusals + 1, paused_until=max(self.paused_until, now + seconds))

    def answered(self) -> Turns:
        """After the host carried a request out."""
        return replace(self, refusals=0)

    def blocked(self, method: str, until: float) -> Turns:
        """After the host said that a method used up its operating time."""
        return replace(self, blocked_until={**self.blocked_until, method: until})


def growing(first: float, attempt: int, chance: float) -> float:
    """Seconds before a repetition: doubled for each further one, and up to a quarter added by chance."""
    return first * 2.0 ** min(attempt - 1, 16) * (1 + chance / 4)


def expected_seconds(requests: int, burst: int, rate: float) -> float:
    """How long so many requests take at least, if the bucket is empty before."""
    return max(0, requests - burst) / rate
