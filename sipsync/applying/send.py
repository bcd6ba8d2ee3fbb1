"""Sends the calls of a bound plan in their order, and says what became of each.

A line that fails takes along only those that wait for it. A call whose answer was lost is looked up before it is sent
again, since an update registers the line anew and an add would make a second one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sipsync.applying.bind import Bound, PlannedLine
from sipsync.applying.control import Control
from sipsync.applying.unanswered import settle
from sipsync.model.events import LineDone, LineStarted
from sipsync.model.lines import Address, Call, CurrentLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.planning.evidence import state_of
from sipsync.portal.protocol import Done, Lost, Portal, Refused, Reply, Unsent
from sipsync.rules.batching import BATCH_SIZE

FRESH_SECONDS = 60.0
"""How old a reading may be when a line is written; an older one is repeated."""

CallResult: TypeAlias = Literal["done", "failed", "lost", "skipped", "stale"]


@dataclass(slots=True)
class SendLog:
    """What became of the calls of one portal."""

    results: dict[str, CallResult] = field(default_factory=dict)
    """By call id; a call that is missing was not reached."""
    errors: dict[str, PortalError] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    """How often each call was sent."""
    made: dict[Address, int] = field(default_factory=dict)
    """Address → config_id of lines that were added."""
    read: Mapping[int, CurrentLine] | None = None
    """The lines read back in the last writing request, if they were."""
    stopped: Diagnostic | None = None
    """Why the rest was not sent."""


def touched(bound: Bound, log: SendLog) -> list[PlannedLine]:
    """The lines for which anything was sent."""
    return [line for line in bound.lines.values() if any(log.sent[call.id] for call in line.calls)]


@dataclass(slots=True)
class CallSender:
    """One portal's calls on their way. `portals` maps a portal's name to its connection: one for each owner."""

    bound: Bound
    portals: Mapping[str, Portal]
    max_failures: int
    control: Control
    read_at: float
    log: SendLog = field(default_factory=SendLog)
    _pending: list[Call] = field(default_factory=list)

    async def send(self, calls: list[Call]) -> SendLog:
        """Send these calls; never raises for what a portal does."""
        self._pending = list(calls)
        while self._pending and not self._stop_now():
            await self._reread_if_old()
            self._skip_dependants()
            if self.log.stopped is None and (batch := self._next_batch()):
                await self._send_batch(batch)
        for call in self._pending:
            self.log.results.setdefault(call.id, "skipped")
        return self.log

    def _stop_now(self) -> bool:
        failures = sum(result == "failed" for result in self.log.results.values())
        if self.log.stopped is None and self.control.stop.is_set():
            self.log.stopped = Diagnostic(
                Code.INTERRUPTED, Message("interrupted"), hint=Message("Run it again: what is done stays done.")
            )
        elif self.log.stopped is None and failures >= self.max_failures:
            self.log.stopped = Diagnostic(
                Code.WRITE_FAILED,
                Message("stopped after {failures} failures", failures=failures),
                hint=Message("See what failed above; --max-failures lets more pass."),
            )
        return self.log.stopped is not None

    def _skip_dependants(self) -> None:
        """Take out of the queue what waits for a call that did not succeed."""
        left = []
        for call in self._pending:
            if any(self.log.results.get(earlier, "done") != "done" for earlier in call.after):
                self.log.results[call.id] = "skipped"
            else:
                left.append(call)
        self._pending = left

    def _next_batch(self) -> list[Call]:
        """The next calls that go to one owner, at most a batch of them."""
        if not self._pending:
            return []
        portal = self._pending[0].address.portal
        batch: list[Call] = []
        for call in self._pending[:BATCH_SIZE]:
            if call.address.portal != portal:
                break
            batch.append(call)
        return batch

    async def _send_batch(self, batch: list[Call]) -> None:
        portal = self.portals[batch[0].address.portal]
        self._pending = self._pending[len(batch) :]
        for call in batch:
            self.log.sent[call.id] += 1
            self.control.in_flight.add(call.address)
            if self._line(call).calls[0] is call:
                self.control.on_event(LineStarted(call.address, call.action))
        sent = await portal.send(batch, self._read_back() if not self._pending else ())
        self.control.in_flight.difference_update(call.address for call in batch)
        self.log.read = sent.lines
        lost: list[Call] = []
        again: list[Call] = []
        for call, reply in zip(batch, sent.replies, strict=True):
            if isinstance(reply, Lost):
                self.log.errors[call.id] = reply.error
                lost.append(call)
            elif isinstance(reply, Unsent):
                self.log.sent[call.id] -= 1
                again.append(call)
                if reply.error is not None:
                    self._give_up(reply.error)
            else:
                self._settle(call, reply)
        again = [*await self._look_up(lost), *again]
        if len(again) == len(batch) and not lost and self.log.stopped is None:
            self._give_up(PortalError(Diagnostic(Code.REFUSED, Message("the portal ran none of the calls"))))
        order = {call.id: place for place, call in enumerate(batch)}
        self._pending = sorted(again, key=lambda call: order[call.id]) + self._pending

    def _line(self, call: Call) -> PlannedLine:
        return self.bound.lines[call.address]

    def _give_up(self, error: PortalError) -> None:
        if self.log.stopped is None:
            self.log.stopped = error.diagnostics[0]

    def _settle(self, call: Call, reply: Reply) -> None:
        if isinstance(reply, Done):
            self._done(call)
            if call.verb == "add":
                self._remember(call, reply.value)
        elif isinstance(reply, Refused):
            self.log.results[call.id] = "failed"
            self.log.errors[call.id] = reply.error
            self.control.on_event(LineDone(call.address, call.action, ok=False))

    def _done(self, call: Call) -> None:
        self.log.results[call.id] = "done"
        self.log.errors.pop(call.id, None)
        if self._line(call).calls[-1] is call:
            self.control.on_event(LineDone(call.address, call.action, ok=True))

    def _remember(self, call: Call, row: object) -> None:
        if isinstance(row, Mapping) and str(row.get("CONFIG_ID", "")).isdigit():
            self.log.made[call.address] = int(str(row["CONFIG_ID"]))

    def _read_back(self) -> list[int]:
        """What to read in the last request: all that was written. Several owners do not see each other's lines."""
        if len(self.portals) > 1:
            return []
        return sorted({line.planned.config_id for line in touched(self.bound, self.log) if line.planned.config_id})

    # --- lost answers ---

    async def _look_up(self, calls: list[Call]) -> list[Call]:
        """Settle calls whose answers were lost by reading; returns those that surely were not carried out."""
        if not calls:
            return []
        again = []
        last = {call.address: self._line(call).calls[-1] for call in calls}
        before = self._line(calls[0]).given.current
        answers = await settle(calls, last, self.portals[calls[0].address.portal], before)
        for call, found in zip(calls, answers, strict=True):
            if found.made is not None:
                self.log.made[call.address] = found.made
            if found.carried_out:
                self._done(call)
            elif found.carried_out is None or self.log.sent[call.id] > 1:
                self._lost(call)
            else:
                again.append(call)
        return again

    def _lost(self, call: Call) -> None:
        self.log.results[call.id] = "lost"
        self.control.on_event(LineDone(call.address, call.action, ok=False))

    # --- old readings ---

    async def _reread_if_old(self) -> None:
        """Read what is still to be written again where the last reading is too old; leave alone what moved."""
        if self.control.clock.monotonic() - self.read_at <= FRESH_SECONDS:
            return
        self.read_at = self.control.clock.monotonic()
        for name, portal in self.portals.items():
            calls = [call for call in self._pending if call.address.portal == name]
            ids = sorted({call.config_id for call in calls if call.config_id is not None})
            try:
                now = await portal.lines(ids) if ids else {}
            except PortalError as error:
                self._give_up(error)
                return
            for call in calls:
                if call.config_id is not None:
                    self._compare(call, now.get(call.config_id))
        self._pending = [call for call in self._pending if call.id not in self.log.results]

    def _compare(self, call: Call, line: CurrentLine | None) -> None:
        planned = self._line(call)
        stepped_aside = any(self.log.results.get(earlier.id) == "done" for earlier in planned.calls)
        expected = "temporary" if stepped_aside or planned.state == "temporary" else "before"
        state = state_of(planned.evidence, line, call.address, planned.given.seal)
        if state == "after" and "registration" in planned.evidence.before:
            state = "before"  # asking after the registration brought its status up to date
        if state == "after" and self.log.sent[call.id]:
            self._done(call)  # it was carried out late
        elif state != expected:
            self.log.results[call.id] = "stale"
