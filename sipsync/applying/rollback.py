"""Setting lines back: a title that a failed swap left temporary, and a canary that does not register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sipsync.applying.bind import PlannedLine
from sipsync.applying.send import FRESH_SECONDS, CallResult, SendLog
from sipsync.applying.unanswered import holds
from sipsync.model.fields import FieldName
from sipsync.model.lines import Address, Call, CurrentLine
from sipsync.model.message import Message
from sipsync.model.outcome import LineOutcome
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.planning.conflicts import Titles
from sipsync.portal.protocol import Done, Lost, Portal, Reply, Unsent

SET_BACK_SECONDS = 120.0
"""The time that setting a line back has of its own: a run that took too long must not leave that undone."""


def stranded(log: SendLog, outcomes: Mapping[Address, LineOutcome]) -> list[PlannedLine]:
    """The lines that stepped aside to a temporary title, or may have done so, and did not go on."""
    return [
        line
        for address, line in log.bound.lines.items()
        if line.evidence.temporary is not None
        and outcomes[address].result in ("failed", "skipped", "unverified", "stale")
        and (line.state == "temporary" or _stepped_aside(line, log) in ("done", "lost"))
    ]


def _stepped_aside(line: PlannedLine, log: SendLog) -> CallResult | None:
    return log.results.get(line.calls[0].id) if line.calls else None


@dataclass(slots=True)
class Restored:
    """What setting titles back came to."""

    back: list[PlannedLine] = field(default_factory=list)
    """They have their old titles again."""
    left: list[PlannedLine] = field(default_factory=list)
    """They still have their temporary titles."""


async def titles_back(lines: Sequence[PlannedLine], log: SendLog, portals: Mapping[str, Portal]) -> Restored:
    """Give each line its old title back where that is free."""
    restored = Restored()
    for line in lines:
        is_back: bool | None = False
        with log.kept(), suppress(PortalError):
            is_back = await _title_back(line, log, portals[line.planned.portal])
        if is_back is not None:
            (restored.back if is_back else restored.left).append(line)
    return restored


async def _title_back(line: PlannedLine, log: SendLog, portal: Portal) -> bool | None:
    """Whether the old title is back; None where the line is not at its temporary one."""
    old = line.current
    if old is None or line.state == "temporary":
        return False  # another run moved it: its old title is not known here
    portal.grant(SET_BACK_SECONDS)
    snapshot = await portal.snapshot()
    current = next((each for each in snapshot.lines if each.config_id == old.config_id), None)
    if current is None or current.title != line.evidence.temporary:
        return None
    log.results[line.calls[0].id] = "done"
    if Titles.of([line.given.reading(snapshot)]).holders(old.title, old.config_id):
        return False
    return await _write_back(line, old, ("title",), portal, lambda found: found.title == line.evidence.temporary)


async def values_back(line: PlannedLine, portal: Portal) -> bool:
    """Give a line its old values back, the password from memory; whether they are there afterwards."""
    old, call = line.current, line.calls[-1]
    portal.grant(SET_BACK_SECONDS)
    known = tuple(name for name in call.values if old is not None and name in old.values)
    try:
        return (
            old is not None
            and await _write_back(line, old, known, portal, lambda found: holds(found, call))
            and len(known) == len(call.values)
        )
    except PortalError:
        return False


async def _write_back(
    line: PlannedLine,
    old: CurrentLine,
    fields: tuple[FieldName, ...],
    portal: Portal,
    is_ours: Callable[[CurrentLine], bool],
) -> bool:
    """Whether a line has its old values again; one that is no longer as this run left it is left alone."""
    values = {name: old.values[name] for name in fields}
    planned = line.planned
    call = Call(f"{planned.portal}:back", planned.address, "update", values, old.config_id, planned.line_type)
    reply: Reply = Unsent()
    while reply == Unsent():  # its turn came too late: somebody may have changed the line meanwhile
        current = (await portal.lines([old.config_id])).get(old.config_id)
        if current is None or not is_ours(current):
            return False
        (reply,) = (await portal.send([call], fresh_until=portal.read_at + FRESH_SECONDS)).replies
    if not isinstance(reply, Done | Lost):
        return False
    current = (await portal.lines([old.config_id])).get(old.config_id)
    return current is not None and holds(current, call)


def still_aside(line: PlannedLine, log: SendLog) -> Diagnostic:
    """To be told before anything else."""
    values = {"config_id": line.planned.config_id, "temporary": line.evidence.temporary}
    summary = Message('line {config_id} still has the temporary title "{temporary}"', **values)
    if _stepped_aside(line, log) == "lost":
        summary = Message('line {config_id} may still have the temporary title "{temporary}"', **values)
    hint = Message("The next `sipsync apply` gives it its title. Nothing else about the line changed.")
    return Diagnostic(Code.TEMPORARY_LEFT, summary, hint=hint, address=line.planned.address)
