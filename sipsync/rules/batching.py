"""How calls share requests: what `batch` takes, and what it would rewrite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

BATCH_SIZE = 50
"""Commands that one batch runs; further ones are refused (server source)."""

_REFERENCE = re.compile(r"\$(result|next|total|time|error)\S*\[", re.IGNORECASE)


def is_rewritten(values: Iterable[str]) -> bool:
    """Whether a batch would take any of the values for a reference to an earlier answer (server source, measured).

    There is no way to escape one, so such a call has to travel alone.
    """
    return any(_REFERENCE.search(value) for value in values)


def in_requests(alone: Sequence[bool], size: int = BATCH_SIZE) -> list[range]:
    """Which calls share a request, in their order; each that must travel alone has one of its own."""
    requests: list[range] = []
    start = 0
    for place, by_itself in enumerate(alone):
        if by_itself or place - start == size:
            if start < place:
                requests.append(range(start, place))
            start = place
        if by_itself:
            requests.append(range(place, place + 1))
            start = place + 1
    if start < len(alone):
        requests.append(range(start, len(alone)))
    return requests
