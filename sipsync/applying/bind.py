"""Is each line as planned? A plan made a second ago and a plan from a file go through the same door.

Binding puts each planned line into one of its four states, and the secrets back into the calls that are still to be
sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.globs import fits
from sipsync.model.lines import Address, Call, CurrentLine, DesiredLine, RemovedLine
from sipsync.model.message import Message
from sipsync.model.outcome import LineOutcome, LineResult
from sipsync.model.plan import LineEvidence, PlannedCall, PortalPlan, ResourceChange
from sipsync.model.problems import Code, Diagnostic, Exit
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning import guards
from sipsync.planning.conflicts import left_to_server
from sipsync.planning.evidence import LineState, is_planned, moves, state_of
from sipsync.planning.inputs import Create, Delete, LineChange, PlanInput, Update, about, call_for
from sipsync.planning.owner import OwnerPlan
from sipsync.planning.proof import prove
from sipsync.rules.values import title_key


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """One planned line, and how the portal stands to it now."""

    given: PlanInput
    planned: ResourceChange
    evidence: LineEvidence
    desired: DesiredLine | RemovedLine
    current: CurrentLine | None
    """As it was just read; of a create, the line that has its title."""
    state: LineState = "stale"
    change: LineChange | None = None
    """None where nothing is to be done."""
    calls: tuple[Call, ...] = ()
    """What is still to be sent for it."""
    diagnostic: Diagnostic | None = None
    """Why it is stale."""

    def outcome(self, result: LineResult, **more: Any) -> LineOutcome:
        """What became of it, as a document."""
        planned = self.planned
        known = {
            "action": planned.action,
            "config_id": planned.config_id,
            "source": planned.source,
            "change": planned.change,
        }
        return LineOutcome(address=planned.address, portal=planned.portal, result=result, **{**known, **more})


@dataclass(slots=True)
class Bound:
    """The plan of one portal, ready to be sent."""

    lines: dict[Address, PlannedLine] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    """What is still to be sent, in order; what depends on a stale line is left out."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    exit: Exit = Exit.OK
    """Not OK: nothing may be sent."""


def bind(
    parts: Sequence[PortalPlan], inputs: Sequence[PlanInput], *, strict: bool = False, proved: bool = False
) -> Bound:
    """The plan of one portal (one part for each owner), against what was just read, or `proved` on it already."""
    bound = Bound()
    for part, given in zip(parts, inputs, strict=True):
        bound.lines |= {line.planned.address: line for line in _planned_lines(part, given)}
    stale = [line.diagnostic for line in bound.lines.values() if line.diagnostic is not None]
    if stale:
        bound.diagnostics += [*stale, _number_of_stale(stale)]
        bound.exit = Exit.STALE if strict else Exit.OK
    live = {call.id: call for line in bound.lines.values() for call in line.calls}
    to_send = _without_blocked(bound, [call for part in parts for call in part.calls])
    bound.calls = [live[call.id] for call in to_send if call.id in live]
    if proved:
        return bound
    sending = {call.address for call in bound.calls}
    changes = [line.change for address, line in bound.lines.items() if line.change and address in sending]
    titles = [(change.address, (change.change.after or {}).get("title")) for part in parts for change in part.changes]
    if wrong := prove(bound.calls, changes, inputs, left_to_server(titles, inputs)):
        # The plan was proved when it was made, so it is the portal that moved.
        bound.diagnostics.append(_moved(wrong, inputs))
        bound.exit = Exit.STALE
    return bound


def stops(bound: Bound, part: PortalPlan, given: PlanInput) -> list[Diagnostic]:
    """The safety limits against what is left of this part, which may be other ones than when it was planned.

    What the operator allows only now is noted.
    """
    sending = {call.address for call in bound.calls if call.address.portal == part.portal}
    changes = [line.change for address, line in bound.lines.items() if line.change and address in sending]
    if not changes:
        return []
    stopped, allowed = guards.check(OwnerPlan.to_judge(given, changes))
    bound.diagnostics += [one for one in allowed if not part.selection.allows(one.code, one.address)]
    return stopped


def _without_blocked(bound: Bound, calls: Sequence[PlannedCall]) -> list[PlannedCall]:
    """The calls that do not wait, directly or in a row, for a stale line."""
    blocked = {call.id for call in calls if bound.lines[call.address].state == "stale"}
    left = []
    for call in _in_order(calls):
        if call.id in blocked or blocked & set(call.depends_on):
            blocked.add(call.id)
        else:
            left.append(call)
    return left


def _in_order(calls: Sequence[PlannedCall]) -> list[PlannedCall]:
    """The calls of all owners, each behind what it waits for; within a portal the planned order stays."""
    left, ordered, placed = list(calls), list[PlannedCall](), set[str]()
    while left:
        waiting = []
        for call in left:
            if placed.issuperset(call.depends_on):
                ordered.append(call)
                placed.add(call.id)
            else:
                waiting.append(call)
        if len(waiting) == len(left):
            break  # they wait for a portal that this run leaves out
        left = waiting
    return ordered


def _planned_lines(part: PortalPlan, given: PlanInput) -> Iterator[PlannedLine]:
    """Each change of one owner's plan beside what the portal has now."""
    wanted: tuple[DesiredLine | RemovedLine, ...] = (*given.desired.lines, *given.desired.removed)
    desired = {line.address: line for line in wanted}
    by_id = {line.config_id: line for line in given.current.lines}
    # What the plan itself moves or deletes may still hold a title that it is to give to a new line.
    others = [line for line in given.current.lines if line.config_id not in {one.config_id for one in part.changes}]
    by_title = {title_key(line.title): line for line in reversed(others)}
    calls: dict[Address, list[PlannedCall]] = defaultdict(list)
    for call in part.calls:
        calls[call.address].append(call)
    for planned in part.changes:
        creates = planned.config_id is None
        current = by_title.get(title_key(planned.title)) if creates else by_id.get(planned.config_id or 0)
        evidence, address = part.evidence[planned.address], planned.address
        yield _in_its_state(PlannedLine(given, planned, evidence, desired[address], current), calls[address])


def _in_its_state(line: PlannedLine, calls: Sequence[PlannedCall]) -> PlannedLine:
    """The line with its state, and with what is still to be done for it."""
    state = state_of(line.evidence, line.current, line.planned.address, line.given.seal)
    values = _values(line, calls[-1]) if calls else {}
    if state == "stale":
        return replace(line, diagnostic=_stale_line(line))
    if state == "after":
        return replace(line, state=state)
    if values is None:
        return replace(line, diagnostic=_stale_secret(line))
    change, temporary = _change(line, values), line.evidence.temporary
    live = [
        call_for(change, call.id, call.depends_on, temporary if call.params.get("TITLE") == temporary else None)
        for call in (calls[-1:] if state == "temporary" else calls)
    ]
    return replace(line, state=state, change=change, calls=tuple(live))


def _change(line: PlannedLine, values: Mapping[FieldName, str | Secret]) -> LineChange:
    """What is to be done with a line that is not as planned yet: of one that is there, its state says that it is."""
    match line.desired, line.current:
        case RemovedLine() as removed, CurrentLine() as current:
            return Delete(removed, current)
        case DesiredLine() as desired, CurrentLine() as current:
            return Update(desired, current, values)
        case DesiredLine() as desired, _:
            return Create(desired, values)
    raise AssertionError(line.planned.address)


def _values(line: PlannedLine, call: PlannedCall) -> dict[FieldName, str | Secret] | None:
    """The values that the call sends, secrets put back; None where a secret is not what was planned."""
    values: dict[FieldName, str | Secret] = {}
    for name, row in FIELDS.items():
        if row.wire in call.sensitive:
            secret = next((one for one in _secrets(line, name) if _is_planned(line, name, one)), None)
            if secret is None:
                return None
            values[name] = secret
        elif row.wire in call.params:
            values[name] = str(call.params[row.wire])
    return values


def _secrets(line: PlannedLine, name: FieldName) -> Iterator[str | Secret]:
    """What the file refers to; of a field that it leaves alone (a line registered again), what the line has."""
    given = line.given
    reference = line.desired.values.get(name) if isinstance(line.desired, DesiredLine) else None
    managed = isinstance(reference, SecretRef) and given.selection.secrets
    if isinstance(reference, SecretRef) and managed and reference in given.secrets:
        yield given.secrets[reference]
    rules = [rule for rule in given.desired.policy.ignore_fields if rule.field == name]
    left_alone = any(fits(line.desired.address.key, rule.line) for rule in rules)
    if line.current is not None and name in line.current.values and (left_alone or not managed):
        yield line.current.values[name]


def _is_planned(line: PlannedLine, name: FieldName, value: str | Secret) -> bool:
    return is_planned(line.evidence, line.desired.address, name, value, line.given.seal)


def _stale_line(line: PlannedLine) -> Diagnostic:
    config_id = line.planned.config_id
    if config_id is None:
        summary = Message("another line in Bitrix24 has taken this title since the plan was made")
    elif line.current is None:
        summary = Message("line {config_id} is gone, or this credential no longer sees it", config_id=config_id)
    else:
        # What the plan did not mean to change was what the file says.
        known: dict[str, object] = dict(line.planned.change.before or {})
        if isinstance(line.desired, DesiredLine):
            known = {**{str(name): value for name, value in line.desired.values.items()}, **known}
        summary = Message(
            'line {config_id} ("{title}") was changed in Bitrix24 after this plan was made: {moves}',
            config_id=config_id,
            title=line.current.title,
            moves=moves(line.evidence, line.current, known, line.planned.address, line.given.seal),
        )
    return about(line.desired, Code.STALE_LINE, summary, hint=Message("It was not touched. Make a new plan."))


def _stale_secret(line: PlannedLine) -> Diagnostic:
    summary = Message("the password's reference no longer gives the value that was planned")
    hint = Message("The line was not touched. Make a new plan.")
    if not line.given.selection.secrets:
        summary = Message("the plan was made without reading secrets, so the line's password is not in it")
    if line.given.desired.access.embedded and not line.given.selection.secrets:
        summary = Message("real secrets are not read for an embedded portal, so the line's password is not known")
        hint = Message("The line was not touched. Make a new plan and apply it, both with --sandbox-secrets.")
    return about(line.desired, Code.STALE_SECRET, summary, hint=hint)


def _number_of_stale(stale: Sequence[Diagnostic]) -> Diagnostic:
    count = len(stale)
    summary = Message("1 line was changed in Bitrix24 after this plan was made; make a new plan")
    if count > 1:
        summary = Message(
            "{count} lines were changed in Bitrix24 after this plan was made; make a new plan", count=count
        )
    return Diagnostic(Code.STALE_LINE, summary, address=stale[0].portal, severity="warning")


def _moved(wrong: Sequence[Diagnostic], inputs: Sequence[PlanInput]) -> Diagnostic:
    summary = Message(
        "the portal changed after this plan was made, and the plan no longer holds: {summary}", summary=wrong[0].summary
    )
    hint = Message("Nothing was sent. Make a new plan.")
    return Diagnostic(Code.STALE_LINE, summary, hint=hint, address=inputs[0].desired.name)
