"""Setting lines back: a title that a failed swap left temporary, and a canary that does not register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sipsync.applying.bind import Bound, PlannedLine
from sipsync.applying.send import SendLog
from sipsync.applying.unanswered import holds
from sipsync.model.fields import FieldName
from sipsync.model.lines import Address, Call, CurrentLine
from sipsync.model.message import Message
from sipsync.model.outcome import LineOutcome
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.planning.conflicts import Titles
from sipsync.portal.protocol import Done, Portal


def stranded(bound: Bound, log: SendLog, outcomes: Mapping[Address, LineOutcome]) -> list[PlannedLine]:
    """The lines that stepped aside to a temporary title and did not go on."""
    return [
        line
        for address, line in bound.lines.items()
        if line.evidence.temporary is not None
        and outcomes[address].result in ("failed", "skipped", "unverified", "stale")
        and (line.state == "temporary" or any(log.results.get(call.id) == "done" for call in line.calls[:1]))
    ]


@dataclass(frozen=True, slots=True)
class Restored:
    """What setting titles back came to."""

    restored: tuple[Address, ...] = ()
    """Addresses that have their old titles again."""
    left: tuple[Diagnostic, ...] = ()
    """One for each line that still has its temporary title; to be told first."""


async def titles_back(lines: Sequence[PlannedLine], portals: Mapping[str, Portal]) -> Restored:
    """Give each line its old title back where that is free."""
    restored: list[Address] = []
    left: list[Diagnostic] = []
    for line in lines:
        try:
            back = await _title_back(line, portals[line.planned.portal])
        except PortalError:
            back = False
        if back:
            restored.append(line.planned.address)
        elif back is False:
            left.append(still_aside(line))
    return Restored(tuple(restored), tuple(left))


async def _title_back(line: PlannedLine, portal: Portal) -> bool | None:
    """Whether the old title is back; None where the line is not at its temporary one."""
    current = line.current
    if current is None or line.state == "temporary":
        return False  # another run moved it: its old title is not known here
    snapshot = await portal.snapshot()
    now = next((each for each in snapshot.lines if each.config_id == current.config_id), None)
    if now is None or now.title != line.evidence.temporary:
        return None
    titles = Titles.of([line.given.reading(snapshot)])
    if titles.holders(current.title, current.config_id):
        return False
    return await _write_back(line, current, ("title",), portal)


async def values_back(line: PlannedLine, portal: Portal) -> bool:
    """Give a line its old values back, the password from memory; whether they are there afterwards."""
    current = line.current
    if current is None:
        return False
    known = tuple(name for name in line.calls[-1].values if name in current.values)
    try:
        return await _write_back(line, current, known, portal) and len(known) == len(line.calls[-1].values)
    except PortalError:
        return False


async def _write_back(line: PlannedLine, old: CurrentLine, fields: tuple[FieldName, ...], portal: Portal) -> bool:
    call = Call(
        f"{line.planned.portal}:back",
        line.planned.address,
        "update",
        {name: old.values[name] for name in fields},
        old.config_id,
        old.type,
    )
    sent = await portal.send([call])
    if not isinstance(sent.replies[0], Done):
        return False
    now = (await portal.lines([old.config_id])).get(old.config_id)
    return now is not None and holds(now, call)


def still_aside(line: PlannedLine) -> Diagnostic:
    """To be told before anything else."""
    return Diagnostic(
        Code.TEMPORARY_LEFT,
        Message(
            'line {config_id} still has the temporary title "{temporary}"',
            config_id=line.planned.config_id,
            temporary=line.evidence.temporary,
        ),
        hint=Message("The next `sipsync apply` gives it its title. Nothing else about the line changed."),
        address=line.planned.address,
    )
