"""Sends the calls of a bound plan in their order, and says what became of each.

A line that fails takes along only those that wait for it. A call whose answer was lost is looked up before it is sent
again, since an update registers the line anew and an add would make a second one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal, TypeAlias

from sipsync.applying.bind import Bound, PlannedLine
from sipsync.applying.control import Control
from sipsync.applying.unanswered import Before, settle
from sipsync.model.events import LineDone, LineStarted
from sipsync.model.lines import Address, Call, CurrentLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, PortalError, SipsyncError, internal
from sipsync.planning.evidence import state_of
from sipsync.portal.protocol import Done, Lost, Portal, Refused, Unsent
from sipsync.rules.limits import BATCH_SIZE

FRESH_SECONDS = 60.0
"""How old a reading may be when a line is written; an older one is repeated."""

CallResult: TypeAlias = Literal["done", "failed", "lost", "skipped", "stale"]


@dataclass(slots=True)
class SendLog:
    """What became of the calls of one portal."""

    bound: Bound
    results: dict[str, CallResult] = field(default_factory=dict)
    """By call id; a call that is missing was not reached."""
    errors: dict[str, PortalError] = field(default_factory=dict)
    """Of calls that failed, or whose answer was lost."""
    sent: Counter[str] = field(default_factory=Counter)
    """How often each call was sent."""
    made: dict[Address, int] = field(default_factory=dict)
    """Address → config_id of lines that were added."""
    read: Mapping[int, CurrentLine] | None = None
    """The lines read back in the last writing request, if they were."""
    stopped: Diagnostic | None = None
    """Why the rest was not sent."""
    faults: list[Diagnostic] = field(default_factory=list)
    """What nobody foresaw."""

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Once something was sent, nothing that breaks in here costs the report: it is noted, and sending ends."""
        try:
            yield
        except Exception as error:
            if not self.touched():
                raise
            fault = error.diagnostics[0] if isinstance(error, SipsyncError) else internal(error)
            self.faults.append(fault)
            self.stopped = self.stopped or fault

    def touched(self) -> list[PlannedLine]:
        """The lines for which anything was sent."""
        return [line for line in self.bound.lines.values() if any(self.sent[call.id] for call in line.calls)]


@dataclass(slots=True)
class CallSender:
    """One portal's calls on their way. `portals` maps a portal's name to its connection: one for each owner."""

    log: SendLog
    portals: Mapping[str, Portal]
    max_failures: int
    control: Control
    read_at: float
    """The clock's time of the last reading."""
    before: Before
    _pending: list[Call] = field(default_factory=list)

    async def send(self, calls: list[Call]) -> None:
        """Send these calls; never raises for what a portal does, nor for anything once one was sent."""
        self._pending = list(calls)
        with self.log.kept():
            while self._pending and not self._is_over():
                await self._reread_if_old()
                self._skip_dependants()
                if self._pending and self.log.stopped is None:
                    await self._send_batch()
        for call in calls:
            if call.id not in self.log.results:
                # What was sent may yet be carried out.
                self.log.results[call.id] = "lost" if self.log.sent[call.id] else "skipped"
                if self.log.sent[call.id] and call.id not in self.log.errors:
                    self.log.errors[call.id] = PortalError(self.log.faults[-1])

    def _is_over(self) -> bool:
        failures = sum(result == "failed" for result in self.log.results.values())
        if self.control.stop.is_set():
            hint = Message("Run it again: what is done stays done.")
            self._stop(Diagnostic(Code.INTERRUPTED, Message("interrupted"), hint=hint))
        elif failures >= self.max_failures:
            summary = Message("stopped after {failures} failures", failures=failures)
            hint = Message("See what failed above; --max-failures lets more pass.")
            self._stop(Diagnostic(Code.WRITE_FAILED, summary, hint=hint))
        return self.log.stopped is not None

    def _stop(self, why: Diagnostic) -> None:
        self.log.stopped = self.log.stopped or why

    def _skip_dependants(self) -> None:
        """Take out of the queue what waits for a call that did not succeed."""
        left = []
        for call in self._pending:
            if any(self.log.results.get(earlier, "done") != "done" for earlier in call.after):
                self.log.results[call.id] = "skipped"
            else:
                left.append(call)
        self._pending = left

    async def _send_batch(self) -> None:
        """Send the next calls that go to one owner."""
        owner = self._pending[0].address.portal
        batch = list(takewhile(lambda call: call.address.portal == owner, self._pending[:BATCH_SIZE]))
        self._pending = self._pending[len(batch) :]
        for call in batch:
            if self._line(call).calls[0] is call:
                self.control.on_event(LineStarted(call.address, call.action))
        self.log.sent.update(call.id for call in batch)
        addresses = {call.address for call in batch}
        self.control.in_flight.update(addresses)
        try:
            read_back = () if self._pending else self._to_read_back()
            sent = await self.portals[owner].send(batch, read_back, fresh_until=self.read_at + FRESH_SECONDS)
        finally:
            self.control.in_flight.difference_update(addresses)
        self.log.read = sent.lines
        lost: list[Call] = []
        again: list[Call] = []
        for call, reply in zip(batch, sent.replies, strict=True):
            match reply:
                case Done(made):
                    if made is not None and call.verb == "add":
                        self.log.made[call.address] = made
                    self._end(call, "done")
                case Refused(error):
                    self.log.errors[call.id] = error
                    self._end(call, "failed")
                case Lost(error):
                    self.log.errors[call.id] = error
                    lost.append(call)
                case Unsent(reason):
                    self.log.sent[call.id] -= 1
                    again.append(call)
                    if reason is not None:
                        self._stop(reason.diagnostics[0])
        if len(again) == len(batch) and not self._is_old():
            self._stop(Diagnostic(Code.REFUSED, Message("the portal ran none of the calls")))
        again += await self._settle(lost)
        self._pending = sorted(again, key=batch.index) + self._pending

    def _line(self, call: Call) -> PlannedLine:
        return self.log.bound.lines[call.address]

    def _end(self, call: Call, result: CallResult) -> None:
        """Note what became of a call, and tell it where that is the end of its line."""
        self.log.results[call.id] = result
        if result == "done":
            self.log.errors.pop(call.id, None)
        if result != "done" or self._line(call).calls[-1] is call:
            self.control.on_event(LineDone(call.address, call.action, ok=result == "done"))

    def _to_read_back(self) -> list[int]:
        """What to read in the last request: all that was written. Several owners do not see each other's lines."""
        if len(self.portals) > 1:
            return []
        return sorted({line.planned.config_id for line in self.log.touched() if line.planned.config_id})

    async def _settle(self, lost: list[Call]) -> list[Call]:
        """Settle calls whose answers were lost by reading; returns those that surely were not carried out."""
        if not lost:
            return []
        again = []
        last = {call.address: self._line(call).calls[-1] for call in lost}
        settled = await settle(lost, last, self.portals[lost[0].address.portal], self.before)
        for call, one in zip(lost, settled, strict=True):
            if one.made is not None:
                self.log.made[call.address] = one.made
            if one.carried_out:
                self._end(call, "done")
            elif one.carried_out is None or self.log.sent[call.id] > 1:
                self._end(call, "lost")
            else:
                again.append(call)
        return again

    def _is_old(self) -> bool:
        return self.control.clock.monotonic() > self.read_at + FRESH_SECONDS

    async def _reread_if_old(self) -> None:
        """Read what is still to be written again where the last reading is too old; leave alone what moved."""
        if not self._is_old():
            return
        times = []
        for name, portal in self.portals.items():
            calls = [call for call in self._pending if call.address.portal == name]
            ids = sorted({call.config_id for call in calls if call.config_id is not None})
            try:
                lines = await portal.lines(ids) if ids else {}
            except PortalError as error:
                return self._stop(error.diagnostics[0])
            times += [portal.read_at] if ids else []
            self.before.read(lines)
            for call in calls:
                if call.config_id is not None:
                    self._compare(call, lines.get(call.config_id))
        self.read_at = min(times, default=self.control.clock.monotonic())
        self._pending = [call for call in self._pending if call.id not in self.log.results]

    def _compare(self, call: Call, current: CurrentLine | None) -> None:
        line = self._line(call)
        stepped_aside = any(self.log.results.get(earlier.id) == "done" for earlier in line.calls)
        expected = "temporary" if stepped_aside or line.state == "temporary" else "before"
        state = state_of(line.evidence, current, call.address, line.given.seal)
        if state == "after" and "registration" in line.evidence.before:
            state = "before"  # asking after the registration brought its status up to date
        if state == "after" and self.log.sent[call.id]:
            self._end(call, "done")  # it was carried out late
        elif state != expected:
            self.log.results[call.id] = "stale"
