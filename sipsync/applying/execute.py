"""Carries a bound plan out on one portal: sends, reads back, sets back what must not stay, asks after registrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sipsync.applying import health, rollback
from sipsync.applying.bind import Bound, PlannedLine
from sipsync.applying.control import Control
from sipsync.applying.send import CallSender, SendLog
from sipsync.applying.unanswered import Before
from sipsync.applying.verify import outcomes, read_back
from sipsync.model.lines import Address, Call, Registration
from sipsync.model.message import Message
from sipsync.model.options import ApplyOptions
from sipsync.model.outcome import LineOutcome
from sipsync.model.problems import Code, Diagnostic, Exit
from sipsync.planning.inputs import about
from sipsync.portal.protocol import Portal

CANARY_SECONDS = 60.0
"""How long a canary may take to register where no `wait` is given."""


@dataclass(slots=True)
class Result:
    """What it came to."""

    lines: dict[Address, LineOutcome]
    """By address."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    """What ends the run besides the lines' own results."""

    def note(self, line: PlannedLine, **more: object) -> None:
        """Add to what is said of a line."""
        address = line.planned.address
        self.lines[address] = self.lines[address].model_copy(update=more)

    def fail(self, exit_: Exit, diagnostic: Diagnostic) -> None:
        """End the run so, for this reason."""
        self.exits.append(exit_)
        self.diagnostics.append(diagnostic)


async def execute(
    bound: Bound, portals: Mapping[str, Portal], options: ApplyOptions, control: Control, read_at: float
) -> Result:
    """What became of the plan; `read_at` is the clock's time of the reading that it was bound to.

    Raises only what breaks before anything was sent: after that the report is made, whatever happens.
    """
    snapshots = {line.planned.portal: line.given.current for line in bound.lines.values()}
    known = Before({line.config_id: line for snapshot in snapshots.values() for line in snapshot.lines})
    sender = CallSender(SendLog(bound), portals, options.max_failures, control, read_at, known)
    calls = bound.calls
    watched = health.to_watch(line for line in bound.lines.values() if line.calls)
    asks = (options.wait or options.canary) and not control.stop.is_set()
    before = await health.ask(watched, portals) if asks else {}
    if asks:
        known.asked({bound.lines[one].planned.config_id or 0: before.get(one) for one in watched})
    canary = _canary(bound) if options.canary else None
    if canary is not None:
        result = await _apply_canary(canary, sender, options, before)
        if result is not None:
            return _whole(result, sender.log)
        calls = [call for call in calls if call is not canary]
    result = await _send(sender, calls)
    if options.canary and canary is None and watched:
        result.diagnostics.append(_NO_CANARY)
    with sender.log.kept():
        await _set_titles_back(sender, result)
    with sender.log.kept():
        await _ask_after(sender, options, before, result)
    return _whole(result, sender.log)


def _whole(result: Result, log: SendLog) -> Result:
    """The result with why sending ended, and with what nobody foresaw: that is never a success."""
    stopped = [log.stopped] if log.stopped is not None and log.stopped not in log.faults else []
    aside = sum(found.code is Code.TEMPORARY_LEFT for found in result.diagnostics)
    result.diagnostics[aside:aside] = [*log.faults, *stopped]
    result.exits += [Exit.INTERRUPTED for found in stopped if found.code is Code.INTERRUPTED]
    result.exits += [Exit.PARTIAL for _ in log.faults]
    return result


_NO_CANARY = Diagnostic(
    Code.UNHEALTHY,
    Message("there was no canary: each line that registers anew is part of a renaming, so all were applied together"),
    hint=Message("Apply one line first with --line ADDRESS, where that matters."),
    severity="warning",
)


async def _send(sender: CallSender, calls: list[Call]) -> Result:
    """What became of all lines, after these calls."""
    await sender.send(calls)
    log, lines = sender.log, None
    with log.kept():
        lines = await read_back(log, sender.portals)
    sent = {line.planned.address for line in log.touched()}
    result = Result(
        {one: line.outcome("unverified" if one in sent else "skipped") for one, line in log.bound.lines.items()}
    )
    with log.kept():
        result.lines = outcomes(log, lines)
    return result


def _canary(bound: Bound) -> Call | None:
    """The first update that registers a cloud line anew and has nothing to do with titles."""
    awaited = {earlier for call in bound.calls for earlier in call.after}
    for call in bound.calls:
        planned = bound.lines[call.address].planned
        if planned.reregisters and "title" not in call.values and not call.after and call.id not in awaited:
            return call
    return None


async def _apply_canary(
    call: Call, sender: CallSender, options: ApplyOptions, before: Mapping[Address, Registration]
) -> Result | None:
    """Apply one line and wait for its registration; None where it came back and the rest may follow."""
    line = sender.log.bound.lines[call.address]
    result = await _send(sender, [call])
    if result.lines[call.address].result != "applied":
        summary = Message("the canary is not known to be written: nothing else was sent")
        result.diagnostics.append(Diagnostic(Code.UNHEALTHY, summary, address=call.address))
        return result
    wait, watched = options.wait or CANARY_SECONDS, health.to_watch([line])
    state = None
    with sender.log.kept():
        states = await health.await_registered(watched, before, sender.portals, wait, sender.control)
        state = states.get(call.address)
    if state is not None and state.result == "success":
        return None
    if sender.control.stop.is_set():
        summary = Message("interrupted while the canary registered: it has its new values, nothing else was sent")
        hint = Message("`sipsync status --live` tells how it is; run it again to go on.")
        result.fail(Exit.INTERRUPTED, about(line.desired, Code.INTERRUPTED, summary, hint=hint))
        return result
    restored = False
    with sender.log.kept():
        restored = await rollback.values_back(line, sender.portals[line.planned.portal])
    back = Message("it has its old values again") if restored else Message("its old values could NOT be set back")
    result.note(line, result="restored" if restored else "failed", registration=state, message=back)
    summary = Message(
        "the canary did not register: {state}; {back}; nothing else was sent", state=health.in_words(state), back=back
    )
    hint = Message("Check server, login and password with the provider, then plan again.")
    result.fail(Exit.UNHEALTHY, about(line.desired, Code.UNHEALTHY, summary, hint=hint))
    return result


async def _set_titles_back(sender: CallSender, result: Result) -> None:
    """Lines that a failed swap left at a temporary title: set back, or told first. An interrupted run goes on later."""
    stranded = rollback.stranded(sender.log, result.lines)
    if sender.control.stop.is_set():
        result.diagnostics[:0] = [rollback.still_aside(line, sender.log) for line in stranded]
        return
    restored = await rollback.titles_back(stranded, sender.log, sender.portals)
    result.diagnostics[:0] = [rollback.still_aside(line, sender.log) for line in restored.left]
    if restored.left:
        result.exits.append(Exit.PARTIAL)
    for line in restored.back:
        said = result.lines[line.planned.address].message
        result.note(line, message=Message("{said}; it has its old title again", said=said))


async def _ask_after(
    sender: CallSender, options: ApplyOptions, before: Mapping[Address, Registration], result: Result
) -> None:
    """Add to each re-registered line what its operator's side says, where the operator asked for that."""
    if sender.control.stop.is_set():
        return
    written = [line for address, line in sender.log.bound.lines.items() if result.lines[address].result == "applied"]
    watched = health.to_watch(written) if options.wait else {}
    states = await health.await_registered(watched, before, sender.portals, options.wait, sender.control)
    for line in written:
        if line.planned.address in watched:
            state = states.get(line.planned.address)
            result.note(line, registration=state)
            if state is None or state.result != "success":
                failed = options.must_register or (state is not None and state.result == "error")
                (_unhealthy if failed else _not_yet)(result, line, health.in_words(state))
    office = [line for line in written if line.planned.stored_only and line.planned.line_type == "office"]
    if options.check_command is not None:
        for line in office:
            if trouble := await health.check_office(options.check_command, line, sender.control.environ):
                _unhealthy(result, line, trouble)
    elif options.wait and office:
        summary = Message("1 office line can't be checked: such a PBX registers by itself")
        if len(office) > 1:
            summary = Message(
                "{count} office lines can't be checked: such a PBX registers by itself", count=len(office)
            )
        hint = Message("--check-command NAME lets a command of yours check them.")
        result.diagnostics.append(Diagnostic(Code.UNHEALTHY, summary, hint=hint, severity="warning"))


def _not_yet(result: Result, line: PlannedLine, said: Message) -> None:
    summary = Message("the line was written, and its registration is not confirmed yet: {said}", said=said)
    hint = Message("`sipsync status --live` asks again.")
    result.diagnostics.append(about(line.desired, Code.UNHEALTHY, summary, hint=hint, severity="warning"))


def _unhealthy(result: Result, line: PlannedLine, trouble: Message) -> None:
    summary = Message("the line was written, but its registration is not confirmed: {trouble}", trouble=trouble)
    hint = Message("Check server, login and password with the provider; `sipsync status --live` asks again.")
    result.fail(Exit.UNHEALTHY, about(line.desired, Code.UNHEALTHY, summary, hint=hint))
