"""Carries a bound plan out on one portal: sends, reads back, sets back what must not stay, asks after registrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sipsync.applying import health, rollback
from sipsync.applying.bind import Bound
from sipsync.applying.control import Control
from sipsync.applying.send import CallSender
from sipsync.applying.verify import outcomes, read_back
from sipsync.model.lines import Address, Call, Registration
from sipsync.model.message import Message
from sipsync.model.options import ApplyOptions
from sipsync.model.outcome import LineOutcome
from sipsync.model.problems import Code, Diagnostic, Exit
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


async def execute(
    bound: Bound, portals: Mapping[str, Portal], options: ApplyOptions, control: Control, read_at: float
) -> Result:
    """What became of the plan; `read_at` is the clock's time of the reading that it was bound to."""
    sender = CallSender(bound, portals, options.max_failures, control, read_at)
    calls = bound.calls
    watched = health.to_watch(bound)
    asks = (options.wait or options.canary) and not control.stop.is_set()
    before = await health.ask(watched, portals) if asks else {}
    canary = _canary(bound) if options.canary else None
    if canary is not None:
        result = await _apply_canary(canary, sender, options, before)
        if result is not None:
            return result
        calls = [call for call in calls if call is not canary]
    result = await _send(sender, calls)
    if options.canary and canary is None and watched:
        result.diagnostics.append(_NO_CANARY)
    await _set_titles_back(sender, result)
    if not control.stop.is_set():
        await _ask_after(sender, options, before, result)
    return result


_NO_CANARY = Diagnostic(
    Code.UNHEALTHY,
    Message("there was no canary: each line that registers anew is part of a renaming, so all were applied together"),
    hint=Message("Apply one line first with --line ADDRESS, where that matters."),
    severity="warning",
)


async def _send(sender: CallSender, calls: list[Call]) -> Result:
    """What became of all lines, after these calls."""
    log = await sender.send(calls)
    result = Result(outcomes(sender.bound, log, await read_back(sender.bound, log, sender.portals)))
    if log.stopped is not None:
        result.diagnostics.append(log.stopped)
        if log.stopped.code is Code.INTERRUPTED:
            result.exits.append(Exit.INTERRUPTED)
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
    bound, portals, control, address = sender.bound, sender.portals, sender.control, call.address
    result = await _send(sender, [call])
    if result.lines[address].result != "applied":
        result.diagnostics.append(
            Diagnostic(Code.UNHEALTHY, Message("the canary was not written: nothing else was sent"), address=address)
        )
        return result
    watched = health.to_watch(bound, {address: result.lines[address]})
    wait = options.wait or CANARY_SECONDS
    told = await health.await_registered(watched, before, portals, wait, control)
    state = told.get(address)
    if state is not None and state.result == "success":
        return None
    if control.stop.is_set():
        result.exits.append(Exit.INTERRUPTED)
        result.diagnostics.append(
            Diagnostic(
                Code.INTERRUPTED,
                Message("interrupted while the canary registered: it has its new values, nothing else was sent"),
                hint=Message("`sipsync status --live` tells how it is; run it again to go on."),
                at=bound.lines[address].desired.at,
                address=address,
            )
        )
        return result
    restored = await rollback.values_back(bound.lines[address], portals[call.address.portal])
    kept = Message("its old values could NOT be set back")
    back = Message("it has its old values again") if restored else kept
    result.lines[address] = result.lines[address].model_copy(
        update={"result": "restored" if restored else "failed", "registration": state, "message": back}
    )
    result.exits.append(Exit.UNHEALTHY)
    result.diagnostics.append(
        Diagnostic(
            Code.UNHEALTHY,
            Message(
                "the canary did not register: {in_words}; {back}; nothing else was sent",
                in_words=health.in_words(state),
                back=back,
            ),
            hint=Message("Check server, login and password with the provider, then plan again."),
            at=bound.lines[address].desired.at,
            address=address,
        )
    )
    return result


async def _set_titles_back(sender: CallSender, result: Result) -> None:
    """Lines that a failed swap left at a temporary title: set back, or told first. An interrupted run goes on later."""
    aside = rollback.stranded(sender.bound, sender.log, result.lines)
    if sender.control.stop.is_set():
        result.diagnostics[:0] = [rollback.still_aside(line) for line in aside]
        return
    back = await rollback.titles_back(aside, sender.portals)
    result.diagnostics[:0] = back.left
    if back.left:
        result.exits.append(Exit.PARTIAL)
    for address in back.restored:
        line = result.lines[address]
        result.lines[address] = line.model_copy(
            update={"message": Message("{message}; it has its old title again", message=line.message)}
        )


async def _ask_after(
    sender: CallSender, options: ApplyOptions, before: Mapping[Address, Registration], result: Result
) -> None:
    """Add to each re-registered line what its operator's side says, where the operator asked for that."""
    bound = sender.bound
    if options.wait:
        watched = health.to_watch(bound, result.lines)
        told = await health.await_registered(watched, before, sender.portals, options.wait, sender.control)
        for address in watched:
            state = told.get(address)
            result.lines[address] = result.lines[address].model_copy(update={"registration": state})
            if state is None or state.result != "success":
                _unhealthy(bound, result, address, health.in_words(state))
    office = [address for address, line in result.lines.items() if _is_stored_only(bound, line)]
    if options.check_command is not None:
        for address in office:
            config_id = result.lines[address].config_id or 0
            if trouble := await health.check_office(options.check_command, address, config_id):
                _unhealthy(bound, result, address, trouble)
    elif options.wait and office:
        result.diagnostics.append(
            Diagnostic(
                Code.UNHEALTHY,
                Message(
                    "{count} office line{value} can't be checked: such a PBX registers by itself",
                    count=len(office),
                    value="s" * (len(office) > 1),
                ),
                hint=Message("--check-command NAME lets a command of yours check them."),
                severity="warning",
            )
        )


def _is_stored_only(bound: Bound, line: LineOutcome) -> bool:
    """Whether connection data of an office line was written."""
    planned = bound.lines[line.address].planned
    return line.result == "applied" and planned.stored_only and planned.line_type == "office"


def _unhealthy(bound: Bound, result: Result, address: Address, what: str) -> None:
    result.exits.append(Exit.UNHEALTHY)
    result.diagnostics.append(
        Diagnostic(
            Code.UNHEALTHY,
            Message("the line was written, but its registration is not confirmed: {what}", what=what),
            hint=Message("Check server, login and password with the provider; `sipsync status --live` asks again."),
            at=bound.lines[address].desired.at,
            address=address,
        )
    )
