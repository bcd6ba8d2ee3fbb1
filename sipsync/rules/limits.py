"""The portal's limit of requests, as arithmetic on given times; who asks has the clock.

Each request adds one to a counter that drains at a steady rate; a request that would lift it above the burst is
refused (documented: 50 and 2 a second, for Enterprise 250 and 5). A batch counts once. Whether refused requests
count as well is not known; here they do not (unverified).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_ROUNDING = 1e-9


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


def expected_seconds(requests: int, burst: int, rate: float) -> float:
    """How long so many requests take at least, if the bucket is empty before."""
    return max(0, requests - burst) / rate
