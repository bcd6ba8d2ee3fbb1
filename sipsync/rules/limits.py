"""How much the server takes at once: lines of a page, calls of a request, requests of a portal.

The limit of requests is arithmetic on given times; who asks has the clock. Each request adds one to a counter that
drains at a steady rate; a request that would lift it above the burst is refused (documented: 50 and 2 a second, for
Enterprise 250 and 5). A batch counts once. Whether refused requests count as well is not known; here they do not
(unverified).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

BATCH_SIZE = 50
"""Commands that one batch runs; further ones are refused (server source)."""
PAGE = 50
"""Lines that one `voximplant.sip.get` returns (server source)."""
_REFERENCE = re.compile(r"\$(result|next|total|time|error)\S*\[", re.IGNORECASE | re.ASCII)
"""Blanks of ASCII end a reference, others do not (server source)."""
_ROUNDING = 1e-9


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


def expected_seconds(requests: int, burst: int, rate: float) -> float:
    """How long so many requests take at least, if the bucket is empty before."""
    return max(0, requests - burst) / rate
