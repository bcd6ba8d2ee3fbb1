"""Failures on order: `{"match": {"method", "nth"?, "times"?}, "do": …}`.

`do` is `{"status": 503, "body": "…"}`, `{"error": "ANY_CODE"}`, `"reset-before"` (the connection breaks and nothing
was done), `"reset-after"` (done, and the answer is lost), `{"delay": seconds}`, `"truncate"` (half of the answer),
`"registration-fails"` (the telephony provider refuses what is asked for this method) or `{"mutate": {…}}` (just
before, somebody else changes a line: its `config_id` and what changes, as in a seed, or `"delete": true`).

A fault counts the calls of its method, those inside batches too, without a method all. It is due from the `nth` one
on, `times` times; without `nth` always, with it once. `oauth.token` is the token endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError

_WORDS = frozenset({"reset-before", "reset-after", "truncate", "registration-fails"})
_MAPS: dict[str, type | tuple[type, ...]] = {"status": int, "error": (str, int), "delay": (int, float), "mutate": dict}


@dataclass(frozen=True, slots=True)
class FaultAction:
    """What a fault does."""

    kind: str
    value: Any = None
    body: str = ""


@dataclass(slots=True)
class Fault:
    """One order, and how often it was met."""

    action: FaultAction
    method: str | None
    nth: int
    times: int | None
    met: int = 0
    done: int = 0

    def is_due(self, method: str) -> bool:
        """Whether it is due at this call, which is counted."""
        if self.method not in (None, method):
            return False
        self.met += 1
        if self.met < self.nth or (self.times is not None and self.done >= self.times):
            return False
        self.done += 1
        return True


def parse(orders: object) -> list[Fault]:
    """The faults that a JSON list orders."""
    if not isinstance(orders, list):
        raise _wrong(Message("faults are a list"))
    return [_fault(order) for order in orders]


def _fault(order: object) -> Fault:
    if not isinstance(order, Mapping) or set(order) - {"match", "do"} or "do" not in order:
        raise _wrong(Message('a fault has `match` and `do`, as in {"match": {"method": "batch"}, "do": "reset-after"}'))
    match = order.get("match") or {}
    if not isinstance(match, Mapping) or set(match) - {"method", "nth", "times"}:
        raise _wrong(Message("a fault's `match` knows `method`, `nth` and `times`"))
    method = match.get("method")
    nth, times = match.get("nth"), match.get("times")
    if any(not isinstance(number, int) or number < 1 for number in (nth, times) if number is not None):
        raise _wrong(Message("`nth` and `times` are whole numbers from 1"))
    return Fault(
        _action(order["do"]),
        None if method in (None, "*") else str(method).lower(),
        nth or 1,
        1 if nth is not None and times is None else times,
    )


def _action(do: object) -> FaultAction:
    if isinstance(do, str) and do in _WORDS:
        return FaultAction(do)
    if isinstance(do, Mapping):
        for kind, types in _MAPS.items():
            if isinstance(do.get(kind), types) and set(do) <= {kind, "body"}:
                return FaultAction(kind, do[kind], str(do.get("body", "")))
    words, maps = ", ".join(sorted(_WORDS)), ", ".join(_MAPS)
    raise _wrong(Message("a fault's `do` is one of {words} or a map with one of {maps}", words=words, maps=maps))


def due(faults: list[Fault], method: str) -> list[FaultAction]:
    """What is to be done at this call of a method."""
    return [fault.action for fault in faults if fault.is_due(method)]


def _wrong(problem: Message) -> SipsyncError:
    return SipsyncError(Diagnostic(Code.BAD_VALUE, problem, hint=Message("See `sipsync sandbox serve --help`.")))
