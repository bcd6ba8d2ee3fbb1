"""What a plan says besides its changes: what looks fine and isn't, what is lost for good, what is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial

from sipsync.model.lines import ASKED_FOR, REGISTERED, CurrentLine, DesiredLine, DesiredPortal
from sipsync.model.message import Message, counted
from sipsync.model.options import matches
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.guards import some_of
from sipsync.planning.inputs import Create, Delete, LineChange, PlanInput, Update, about
from sipsync.planning.owner import OwnerPlan

_NO_SECOND_TRY = Message("Bitrix24 does not try again: only deleting the line and making it anew repairs it.")
_REMOVALS = 3
"""Lines whose removal a hint spells out."""
_warning = partial(about, severity="warning")


def warnings(owner: OwnerPlan) -> Iterator[Diagnostic]:
    """Warnings, in the order of the file."""
    given, changes = owner.given, owner.diff.changes
    yield from owner.match.warnings
    yield from _not_working(owner)
    for change in changes:
        if isinstance(change, Create) and "password" not in change.desired.values:
            hint = Message("Add `password: env:NAME` to the line.")
            yield _warning(change, Code.NO_PASSWORD, Message("a new line without a password can't register"), hint=hint)
        yield from _registration_is_missing(given, change)
        if change.title is not None and given.selection.allows(Code.TITLE_HELD, change.address):
            summary = Message('whether the title "{title}" is free is left to Bitrix24 (--allow)', title=change.title)
            hint = Message("Where it is not, Bitrix24 refuses this line's change, and nothing of it is written.")
            yield _warning(change, Code.TITLE_HELD, summary, hint=hint)
    yield from _default_line(given, changes)
    for change in changes:
        if isinstance(change, Delete):
            summary = Message(
                "deleting line {config_id} also deletes its queue, voice menu, recording, working hours, CRM "
                "rules and access rights",
                config_id=change.config_id,
            )
            hint = Message("A line made anew has another config_id and none of these.")
            yield _warning(change, Code.LOST_FOR_GOOD, summary, hint=hint)
    if owner.match.unmanaged and given.desired.policy.unmanaged == "report":
        summary = counted(
            len(owner.match.unmanaged),
            "1 line in Bitrix24 is not in your file (left alone): {lines}",
            "{count} lines in Bitrix24 are not in your file (left alone): {lines}",
            lines=some_of(owner.match.unmanaged),
        )
        hint = Message("`sipsync import` adds them; `policy: {unmanaged: ignore}` silences this.")
        if removal := _removal(given.desired, owner.match.unmanaged):
            hint = Message("{hint} {removal}", hint=hint, removal=removal)
        yield _warning(given.desired, Code.UNMANAGED, summary, hint=hint)


def _removal(desired: DesiredPortal, lines: Sequence[CurrentLine]) -> Message | None:
    """What to paste into the file so that lines are deleted; None where a title is none that can be pasted."""
    keys = {line.address.key for line in desired.lines} | {line.address.key for line in desired.removed}
    told = [
        line
        for line in lines
        if f"line-{line.config_id}" not in keys
        if line.title.isprintable() and line.title.strip() == line.title != "" and "`" not in line.title
    ][:_REMOVALS]
    if not told:
        return None
    entries = ", ".join(
        f"line-{line.config_id}: {{config_id: {line.config_id}, title: {json.dumps(line.title, ensure_ascii=False)}}}"
        for line in told
    )
    block = Message("`removed: {{{entries}}}`", entries=entries)
    if desired.removed:
        block = Message("under `removed:` `{entries}`", entries=entries)
    if not desired.policy.delete:
        block = Message("{block}, and `delete: true` under `policy:`", block=block)
    return counted(
        len(told),
        "To delete one in Bitrix24, write {block}.",
        "To delete lines in Bitrix24, write {block}. This block deletes all {count} ({ids}); leave out what stays.",
        block=block,
        ids=", ".join(str(line.config_id) for line in told),
    )


def _not_working(owner: OwnerPlan) -> Iterator[Diagnostic]:
    """The lines that match the file and yet do not work; those whose registration is waited for are told together."""
    waiting = [pair for pair in owner.diff.unchanged if _is_waiting(pair[1])]
    for line, current in owner.diff.unchanged:
        if len(waiting) < 2 or not _is_waiting(current):
            yield from _unregistered(line, current)
    if len(waiting) > 1:
        summary = Message(
            "{count} lines are as desired, and their registrations were not seen since they were changed: {lines}",
            count=len(waiting),
            lines=some_of([current for _, current in waiting]),
        )
        hint = Message("`sipsync status --live` asks how they are; --reregister ADDRESS registers one again.")
        yield _warning(owner.given.desired, Code.NEVER_REGISTERED, summary, hint=hint)


def _is_waiting(current: CurrentLine) -> bool:
    return current.type == "cloud" and bool(current.reg_id) and current.status_code == ASKED_FOR


def _unregistered(line: DesiredLine, current: CurrentLine) -> Iterator[Diagnostic]:
    config_id, status = current.config_id, current.status_code
    if current.type != "cloud":
        return
    if not current.reg_id:
        summary = Message("line {config_id} was never registered (REG_ID 0)", config_id=config_id)
        hint = _NO_SECOND_TRY
    elif status == ASKED_FOR:
        summary = Message(
            "line {config_id} is as desired, but its registration was never confirmed", config_id=config_id
        )
        hint = Message(
            "`sipsync status --live` asks how it is; --reregister {address} registers it again.", address=line.address
        )
    elif status not in (None, REGISTERED):
        summary = Message(
            "line {config_id} is as desired, but its registration failed (status {status})",
            config_id=config_id,
            status=f"{status}: {current.status_message}" if current.status_message else status,
        )
        hint = Message(
            "Check server, login and password with the provider; --reregister {address} tries again.",
            address=line.address,
        )
    else:
        return
    yield _warning(line, Code.NEVER_REGISTERED, summary, hint=hint)


def _registration_is_missing(given: PlanInput, change: LineChange) -> Iterator[Diagnostic]:
    """A change of connection data that can't bring the line to life."""
    if not isinstance(change, Update) or change.current.registered:
        return
    if change.type == "cloud":
        summary = Message(
            "line {config_id} was never registered (REG_ID 0): new values are stored only", config_id=change.config_id
        )
        yield _warning(change, Code.NEVER_REGISTERED, summary, hint=_NO_SECOND_TRY)
    elif matches(change.address, given.selection.reregister):
        summary = Message("an office line has no registration to renew: the values are stored only")
        hint = Message("The office PBX registers by itself, with the data that `sipsync status --incoming` shows.")
        yield _warning(change, Code.NEVER_REGISTERED, summary, hint=hint)


def _default_line(given: PlanInput, changes: Sequence[LineChange]) -> Iterator[Diagnostic]:
    """What the adds and deletes do to the portal's default outgoing line."""
    default = given.current.default_line
    for change in changes:
        if isinstance(change, Delete) and default == change.current.line_id:
            summary = Message(
                "line {config_id} is the default outgoing line: after the delete there is none",
                config_id=change.config_id,
            )
            hint = Message("No line takes over by itself. Choose another default line in Bitrix24 first.")
            yield _warning(change, Code.DEFAULT_LINE, summary, hint=hint)
    first_add = next((change for change in changes if isinstance(change, Create)), None)
    if default == "" and first_add is not None:
        summary = Message("the portal has no default outgoing line: the new line becomes it")
        hint = Message("Choose another one in Bitrix24 afterwards if that is not wanted.")
        yield _warning(first_add, Code.DEFAULT_LINE, summary, hint=hint)
