"""Is each line as planned? A plan made a second ago and a plan from a file go through the same door.

Binding checks that the plan is whole and ours, puts each planned line into one of its four states, and puts the
secrets back into the calls that are still to be sent.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sipsync.model.document import digest_of
from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.lines import Address, Call, CurrentLine, DesiredLine
from sipsync.model.message import Message
from sipsync.model.plan import LineEvidence, PlannedCall, PortalPlan, ResourceChange
from sipsync.model.problems import Code, Diagnostic, Exit, Span
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning.evidence import LineState, desired_digest, is_planned, state_of
from sipsync.planning.inputs import Create, Delete, LineChange, PlanInput, Update, call_for
from sipsync.planning.plan import seal_of
from sipsync.planning.proof import left_to_server, prove
from sipsync.rules.values import title_key

_FIELD_OF = {row.wire: name for name, row in FIELDS.items()}


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """One planned line, and how the portal stands to it now."""

    given: PlanInput
    planned: ResourceChange
    evidence: LineEvidence
    state: LineState
    current: CurrentLine | None
    """As it was just read; of a create, the line that has its title."""
    change: LineChange | None
    """None where its line is gone."""
    calls: tuple[Call, ...]
    """What is still to be sent for it."""
    problem: Diagnostic | None = None
    """Why it is stale."""

    @property
    def at(self) -> Span:
        """Where the file declares it."""
        return Span(self.planned.source.file, self.planned.source.line)


@dataclass(slots=True)
class Bound:
    """The plan of one portal, ready to be sent."""

    lines: dict[Address, PlannedLine] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    """What is still to be sent, in order; what depends on a stale line is left out."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    exit: Exit = Exit.OK
    """Not OK: nothing may be sent."""


def check_plan(part: PortalPlan, given: PlanInput, now: datetime, max_age: timedelta) -> Diagnostic | None:
    """Why this part of a plan may not be applied at all: edited, another credential's, too old, another file's."""
    name = given.desired.name
    if (part.host, part.owner) != (given.host, given.owner) or not _seal_holds(part, given):
        return Diagnostic(
            Code.PLAN_SEAL,
            Message("the plan was made with another credential, or edited"),
            hint=Message(
                "Make a new plan with the credential that applies it. Jobs with different credentials "
                "share a plan by SIPSYNC_PLAN_KEY, set to the same random value for both."
            ),
            address=name,
        )
    age = now - datetime.fromisoformat(part.created)
    if age > max_age:
        return Diagnostic(
            Code.PLAN_TOO_OLD,
            Message("the plan was made on {created}, which is too long ago", created=part.created),
            hint=Message("Make a new plan, or allow an older one with --max-plan-age."),
            address=name,
        )
    if part.desired != desired_digest(given.desired):
        return Diagnostic(
            Code.STALE_FILE,
            Message("the file no longer says what it said when the plan was made"),
            hint=Message("Make a new plan, or apply from the commit that was planned."),
            at=given.desired.at,
            address=name,
        )
    return None


def _seal_holds(part: PortalPlan, given: PlanInput) -> bool:
    whole = part.digest == digest_of(part.substance())
    # As bytes, since an edited seal may be any text.
    return whole and hmac.compare_digest(part.seal.encode(), seal_of(part, given).encode())


def bind(parts: Sequence[PortalPlan], inputs: Sequence[PlanInput], *, strict: bool = False) -> Bound:
    """The plan of one portal (one part for each owner), against what was just read."""
    bound = Bound()
    for part, given in zip(parts, inputs, strict=True):
        calls: dict[Address, list[PlannedCall]] = {}
        for call in part.calls:
            calls.setdefault(call.address, []).append(call)
        lookup = _Lookup(given, part)
        for planned in part.changes:
            line = _planned_line(part, given, planned, calls.get(planned.address, []), lookup)
            bound.lines[planned.address] = line
            if line.problem is not None:
                bound.diagnostics.append(line.problem)
    if any(line.state == "stale" for line in bound.lines.values()):
        bound.diagnostics.append(_summary_of_stale(bound))
        if strict:
            bound.exit = Exit.STALE
    to_send = _without_blocked(bound, [call for part in parts for call in part.calls])
    live = {call.id: call for line in bound.lines.values() for call in line.calls}
    bound.calls = [live[call.id] for call in to_send if call.id in live]
    sending = {call.address for call in bound.calls}
    wrong = prove(
        bound.calls,
        [line.change for line in bound.lines.values() if line.change and line.planned.address in sending],
        inputs,
        left_to_server(
            (line.change for line in bound.lines.values() if line.change), inputs
        ),  # of lines that are done as well
    )
    if wrong:
        # The plan was proved when it was made, so it is the portal that moved.
        bound.diagnostics.append(_moved(wrong, inputs))
        bound.exit = Exit.STALE
    return bound


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


class _Lookup:
    """The lines of an input: as desired by address, as current by id and by title."""

    def __init__(self, given: PlanInput, part: PortalPlan) -> None:
        self.desired = {line.address: line for line in given.desired.lines}
        self._by_id = {line.config_id: line for line in given.current.lines}
        # What the plan itself moves or deletes may still hold a title that it is to give to a new line.
        planned = {change.config_id for change in part.changes}
        self._by_title = {
            title_key(line.title): line for line in reversed(given.current.lines) if line.config_id not in planned
        }

    def find(self, planned: ResourceChange) -> CurrentLine | None:
        """The line that a change is about; of an add, the line that has its title."""
        if planned.config_id is not None:
            return self._by_id.get(planned.config_id)
        return self._by_title.get(title_key(planned.title))


def _planned_line(
    part: PortalPlan, given: PlanInput, planned: ResourceChange, calls: Sequence[PlannedCall], lookup: _Lookup
) -> PlannedLine:
    current = lookup.find(planned)
    evidence = part.evidence[planned.address]
    address = Address(planned.portal, planned.name)
    state = state_of(evidence, current, address, given.seal)
    known = _Known(given, evidence, address, current, lookup.desired.get(address))
    wanted = known.wanted(calls[-1]) if calls else {}
    change = _change(planned, current, wanted or {})
    problem = None
    if state == "stale":
        problem = _stale_line(planned, current)
    elif state != "after" and wanted is None:
        state, problem = "stale", _stale_secret(planned, part)
    sending = [] if state in ("after", "stale") else calls[-1:] if state == "temporary" else calls
    live = tuple(_live(call, change, evidence.temporary) for call in sending) if change else ()
    return PlannedLine(given, planned, evidence, state, current, change, live, problem)


def _change(
    planned: ResourceChange, current: CurrentLine | None, wanted: Mapping[FieldName, str | Secret]
) -> LineChange | None:
    """What is to happen to the line as it was just read; None where it is gone."""
    at = Span(planned.source.file, planned.source.line)
    if planned.action == "create":
        return Create(planned.address, at, planned.line_type, wanted)
    if current is None:
        return None
    return (
        Delete(planned.address, at, current)
        if planned.action == "delete"
        else Update(planned.address, at, current, wanted)
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one line when its plan is bound: where its secrets are to be had."""

    given: PlanInput
    evidence: LineEvidence
    address: Address
    current: CurrentLine | None
    desired: DesiredLine | None

    def wanted(self, call: PlannedCall) -> dict[FieldName, str | Secret] | None:
        """The values to send, secrets put back; None where a secret is not what was planned."""
        wanted: dict[FieldName, str | Secret] = {}
        for wire, value in call.params.items():
            name = _FIELD_OF.get(wire)
            if name is None:
                continue
            if wire not in call.sensitive:
                wanted[name] = str(value)
                continue
            secret = next((one for one in self._secrets(name) if self._is_planned(name, one)), None)
            if secret is None:
                return None
            wanted[name] = secret
        return wanted

    def _secrets(self, name: FieldName) -> Iterator[str | Secret | None]:
        """What the file refers to; of a field that it leaves alone (a line registered again), what the line has."""
        reference = self.desired.values.get(name) if self.desired is not None else None
        rules = self.given.desired.policy.ignore_fields
        left_alone = any(rule.field == name and fnmatchcase(self.address.key, rule.line) for rule in rules)
        managed = isinstance(reference, SecretRef) and self.given.selection.secrets
        if isinstance(reference, SecretRef) and managed:
            yield self.given.secrets.get(reference)
        if self.current is not None and (left_alone or not managed):
            yield self.current.values.get(name)

    def _is_planned(self, name: FieldName, value: str | Secret | None) -> bool:
        return is_planned(self.evidence, self.address, name, value, self.given.seal)


def _live(call: PlannedCall, change: LineChange, temporary: str | None) -> Call:
    aside = call.params.get("TITLE") == temporary
    return call_for(change, call.id, call.depends_on, temporary if aside else None)


def _stale_line(planned: ResourceChange, current: CurrentLine | None) -> Diagnostic:
    if planned.config_id is None:
        what = Message("another line in Bitrix24 has taken this title since the plan was made")
    elif current is None:
        what = Message("line {config_id} is gone, or this credential no longer sees it", config_id=planned.config_id)
    else:
        what = Message(
            'line {config_id} ("{title}") was changed in Bitrix24 after this plan was made',
            config_id=planned.config_id,
            title=current.title,
        )
    return Diagnostic(
        Code.STALE_LINE,
        what,
        hint=Message("It was not touched. Make a new plan."),
        at=Span(planned.source.file, planned.source.line),
        address=planned.address,
    )


def _stale_secret(planned: ResourceChange, part: PortalPlan) -> Diagnostic:
    what = Message("the password's reference no longer gives the value that was planned")
    if not part.selection.secrets:
        what = Message("the plan was made without reading secrets, so the line's password is not in it")
    return Diagnostic(
        Code.STALE_SECRET,
        what,
        hint=Message("The line was not touched. Make a new plan."),
        at=Span(planned.source.file, planned.source.line),
        address=planned.address,
    )


def _summary_of_stale(bound: Bound) -> Diagnostic:
    count = sum(line.state == "stale" for line in bound.lines.values())
    subject = "1 line was" if count == 1 else f"{count} lines were"
    return Diagnostic(
        Code.STALE_LINE,
        Message("{subject} changed in Bitrix24 after this plan was made; make a new plan", subject=subject),
        severity="warning",
        address=next(iter(bound.lines.values())).given.desired.name,
    )


def _moved(wrong: Sequence[Diagnostic], inputs: Sequence[PlanInput]) -> Diagnostic:
    return Diagnostic(
        Code.STALE_LINE,
        Message(
            "the portal changed after this plan was made, and the plan no longer holds: {summary}",
            summary=wrong[0].summary,
        ),
        hint=Message("Nothing was sent. Make a new plan."),
        address=inputs[0].desired.name,
    )
