"""What a plan says besides its changes: what looks fine and isn't, what is lost for good, what is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sipsync.model.lines import ASKED_FOR, REGISTERED, CurrentLine, DesiredLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.diff import Diff
from sipsync.planning.guards import describe_unmanaged
from sipsync.planning.inputs import Create, Delete, LineChange, PlanInput, Update, matches
from sipsync.planning.match import Match


def warnings(given: PlanInput, found: Match, seen: Diff) -> Iterator[Diagnostic]:
    """Warnings, in the order of the file."""
    for line, current in seen.unchanged:
        yield from _unregistered(line, current)
    for change in seen.changes:
        yield from _registration_is_missing(given, change)
        if change.title is not None and given.selection.allows(Code.TITLE_HELD, change.address):
            yield _warning(
                Code.TITLE_HELD,
                Message('whether the title "{title}" is free is left to Bitrix24 (--allow)', title=change.title),
                Message("Where it is not, Bitrix24 refuses the change of this line, and nothing of it is written."),
                change,
            )
    yield from _default_line(given, seen.changes)
    for change in seen.changes:
        if isinstance(change, Delete):
            yield _warning(
                Code.LOST_FOR_GOOD,
                Message(
                    "deleting line {value} also deletes its queue, voice menu, recording, working hours, CRM "
                    "rules and access rights",
                    value=change.config_id,
                ),
                Message("A line made anew has another config_id and none of these."),
                change,
            )
    if found.unmanaged and given.desired.policy.unmanaged == "report":
        yield Diagnostic(
            Code.UNMANAGED,
            describe_unmanaged(found.unmanaged, " (left alone)"),
            hint=Message("`sipsync import` adds them; `policy: {unmanaged: ignore}` silences this."),
            at=given.desired.at,
            address=given.desired.name,
            severity="warning",
        )


def _unregistered(line: DesiredLine, current: CurrentLine) -> Iterator[Diagnostic]:
    """A line that matches the file and yet does not work."""
    if current.type != "cloud":
        return
    if not current.reg_id:
        reason = "was never registered (REG_ID 0)"
        hint = Message("Bitrix24 does not try again: only deleting the line and making it anew repairs it.")
    elif current.status_code == ASKED_FOR:
        reason = "is as desired, but its registration was never confirmed"
        hint = Message(
            "`sipsync status --live` asks how it is; --reregister {address} registers it again.", address=line.address
        )
    elif current.status_code not in (None, REGISTERED):
        stored = f": {current.status_message}" if current.status_message else ""
        reason = f"is as desired, but its registration failed (status {current.status_code}{stored})"
        hint = Message(
            "Check server, login and password with the provider; --reregister {address} tries again.",
            address=line.address,
        )
    else:
        return
    yield Diagnostic(
        Code.NEVER_REGISTERED,
        Message("line {config_id} {reason}", config_id=current.config_id, reason=reason),
        hint=hint,
        at=line.at,
        address=line.address,
        severity="warning",
    )


def _registration_is_missing(given: PlanInput, change: LineChange) -> Iterator[Diagnostic]:
    """A change of connection data that can't bring the line to life."""
    if not isinstance(change, Update) or change.current.registered:
        return
    current = change.current
    if current.type == "cloud":
        yield _warning(
            Code.NEVER_REGISTERED,
            Message(
                "line {config_id} was never registered (REG_ID 0): new values are stored only",
                config_id=current.config_id,
            ),
            Message("Bitrix24 does not try again: only deleting the line and making it anew repairs it."),
            change,
        )
    elif matches(change.address, given.selection.reregister):
        yield _warning(
            Code.NEVER_REGISTERED,
            Message("an office line has no registration to renew: the values are stored only"),
            Message("The office PBX registers by itself, with the data that `sipsync status --incoming` shows."),
            change,
        )


def _default_line(given: PlanInput, changes: Sequence[LineChange]) -> Iterator[Diagnostic]:
    """What the adds and deletes do to the portal's default outgoing line."""
    default = given.current.default_line
    for change in changes:
        if isinstance(change, Delete) and default == change.current.line_id:
            yield _warning(
                Code.DEFAULT_LINE,
                Message(
                    "line {config_id} is the default outgoing line: after the delete there is none",
                    config_id=change.config_id,
                ),
                Message("No line takes over by itself. Choose another default line in Bitrix24 first."),
                change,
            )
    first_add = next((change for change in changes if isinstance(change, Create)), None)
    if default == "" and first_add is not None:
        yield _warning(
            Code.DEFAULT_LINE,
            Message("the portal has no default outgoing line: the new line becomes it"),
            Message("Choose another one in Bitrix24 afterwards if that is not wanted."),
            first_add,
        )


def cloud_lines(given: PlanInput, inputs: Sequence[PlanInput]) -> int:
    """The cloud lines that only this owner sees; the first one also counts those that no credential here sees."""
    own = sum(line.type == "cloud" for line in given.current.lines)
    if given is not inputs[0]:
        return own
    seen = {line.line_id for each in inputs for line in each.current.lines}
    return own + sum(line_id.startswith("reg") and line_id not in seen for line_id in given.current.names)


def too_many_cloud_lines(steps: Sequence[LineChange], lines: int, limit: int) -> list[Diagnostic]:
    """The adds for which the portal has no room, after all deletes."""
    adds = [step for step in steps if isinstance(step, Create) and step.type == "cloud"]
    room = limit - lines + sum(isinstance(step, Delete) and step.type == "cloud" for step in steps)
    return [
        Diagnostic(
            Code.CLOUD_LIMIT,
            Message(
                "the portal has room for {limit} cloud lines, and this would be number {limit2}",
                limit=limit,
                limit2=limit + number,
            ),
            hint=Message(
                "Delete a line first, or make it an office line. If the portal allows more, set "
                "portal.limits.cloud_lines."
            ),
            at=add.at,
            address=add.address,
        )
        for number, add in enumerate(adds[max(room, 0) :], 1)
    ]


def _warning(code: Code, summary: Message, hint: Message, change: LineChange) -> Diagnostic:
    return Diagnostic(code, summary, hint=hint, at=change.at, address=change.address, severity="warning")
