"""The plan of one portal: compares, orders, proves, and writes the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sipsync.model.document import canonical, digest_of
from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.lines import ACTIONS, Address, Call, CurrentLine, DesiredLine
from sipsync.model.plan import Change, LineEvidence, PlannedCall, PortalPlan, ResourceChange, Source, Summary
from sipsync.model.problems import Diagnostic, Exit
from sipsync.model.secret import Secret
from sipsync.planning import guards, warnings
from sipsync.planning.conflicts import Titles, collisions
from sipsync.planning.diff import Diff, diff
from sipsync.planning.evidence import desired_digest, evidence_of
from sipsync.planning.inputs import Delete, LineChange, PlanInput, Update, call_for
from sipsync.planning.match import Match, match
from sipsync.planning.order import Write, order
from sipsync.planning.proof import left_to_server, prove, writing_requests
from sipsync.rules.limits import expected_seconds
from sipsync.rules.lines import reregisters


def build(inputs: Sequence[PlanInput], now: datetime, *, no_ops: bool = False) -> tuple[PortalPlan, ...]:
    """One part for each owner of one portal; they are ordered and proved together, since titles are the portal's.

    `now` is aware, UTC. `no_ops` lists the lines that do not differ as well.
    """
    owner_of = {given.desired.name: place for place, given in enumerate(inputs)}
    matches = [match(given) for given in inputs]
    compared = [diff(given, found, now.date()) for given, found in zip(inputs, matches, strict=True)]
    errors = [[*found.problems, *seen.problems] for found, seen in zip(matches, compared, strict=True)]
    cloud_lines = sum(warnings.cloud_lines(given, inputs) for given in inputs)
    cloud_limit = min(given.desired.limits.cloud_lines for given in inputs)
    titles = Titles.of(inputs)
    managed = {now.config_id: line.address for found in matches for line, now in found.pairs}
    managed |= {now.config_id: gone.address for found in matches for gone, now in found.deletes}
    # An owner with errors changes nothing, which may leave a title taken that another owner waits for.
    while True:
        steps = [change for seen, own in zip(compared, errors, strict=True) if not own for change in seen.changes]
        blocked = [
            *collisions(steps, titles, managed, inputs),
            *warnings.too_many_cloud_lines(steps, cloud_lines, cloud_limit),
        ]
        for finding in blocked:
            errors[owner_of[finding.portal]].append(finding)
        if not blocked:
            break
    writes = order(steps, titles, cloud_lines, cloud_limit)
    calls = _calls(writes)
    wrong = prove(calls, steps, inputs, left_to_server(steps, inputs))
    return tuple(
        _part(given, found, seen, [*own, *wrong], writes, calls, now, no_ops)
        for given, found, seen, own in zip(inputs, matches, compared, errors, strict=True)
    )


def _calls(writes: Sequence[Write]) -> list[Call]:
    """The REST calls of the writes, numbered within each portal."""
    calls: list[Call] = []
    numbers: Counter[str] = Counter()
    for write in writes:
        portal = write.change.address.portal
        numbers[portal] += 1
        after = tuple(calls[place].id for place in write.after)
        calls.append(call_for(write.change, f"{portal}:{numbers[portal]}", after, write.temporary))
    return calls


def _part(
    given: PlanInput,
    found: Match,
    seen: Diff,
    errors: Sequence[Diagnostic],
    writes: Sequence[Write],
    calls: Sequence[Call],
    now: datetime,
    no_ops: bool,
) -> PortalPlan:
    name = given.desired.name
    changes = [] if errors else seen.changes
    stops, allowed = guards.check(guards.Proposal(given, found, changes))
    own = [] if errors else [call for call in calls if call.address.portal == name]
    temporary = {write.change.address: write.temporary for write in writes if write.temporary}
    evidence: dict[Address, LineEvidence] = {
        change.address: evidence_of(change, temporary.get(change.address), given.seal) for change in changes
    }
    resources = [_resource(change) for change in changes]
    still = [_unchanged(line, current) for line, current in seen.unchanged] if no_ops else []
    part = PortalPlan(
        portal=name,
        host=given.host,
        owner=given.owner,
        created=now.isoformat(timespec="seconds"),
        desired=desired_digest(given.desired),
        selection=given.selection,
        resource_changes=(*resources, *still),
        calls=tuple(planned(call) for call in own),
        evidence=evidence,
        summary=_summary(given, found, seen, resources, own),
        diagnostics=(*errors, *stops, *allowed, *seen.warnings, *warnings.warnings(given, found, seen)),
        exit=Exit.ERROR if errors else Exit.GUARD if stops else Exit.OK,
    )
    return sealed(part, given)


def sealed(part: PortalPlan, given: PlanInput) -> PortalPlan:
    """The part with its digest and seal."""
    part = part.model_copy(update={"digest": digest_of(part.substance())})
    return part.model_copy(update={"seal": seal_of(part, given)})


def seal_of(part: PortalPlan, given: PlanInput) -> str:
    """The keyed fingerprint of a part.

    Besides the digest it covers whose plan it is, its age and whether a safety limit stopped it: a plan can't be moved
    to another portal, made younger or let through.
    """
    return given.seal(canonical(["plan", part.digest, part.created, part.host, part.owner, int(part.exit)]))


def planned(call: Call) -> PlannedCall:
    """The call as a document: secrets are null."""
    params = call.params()
    return PlannedCall(
        id=call.id,
        portal=call.address.portal,
        address=call.address,
        method=call.method,
        params={name: None if isinstance(value, Secret) else value for name, value in params.items()},
        sensitive=tuple(name for name, value in params.items() if isinstance(value, Secret)),
        depends_on=call.after,
    )


def _resource(change: LineChange) -> ResourceChange:
    current = change.current
    updates, leaves = isinstance(change, Update), not isinstance(change, Delete)
    registers = isinstance(change, Update) and reregisters(change.type, change.current.reg_id, tuple(change.wanted))
    shown = tuple(change.wanted) if leaves else tuple(FIELDS)
    sensitive: dict[str, bool] = {name: True for name in shown if FIELDS[name].secret}
    return ResourceChange(
        address=change.address,
        name=change.address.key,
        portal=change.address.portal,
        config_id=change.config_id,
        line_type=change.type,
        title=current.title if current else change.title or "",
        source=Source(file=change.at.file, line=change.at.line),
        reregisters=registers,
        stored_only=updates and not registers and any(FIELDS[name].registers for name in change.wanted),
        unchanged_fields=change.unchanged,
        change=Change(
            actions=(ACTIONS[change.verb],),
            before=_public({name: current.values.get(name, "") for name in shown}) if current else None,
            after=_public(change.wanted) if leaves else None,
            before_sensitive=sensitive if current else {},
            after_sensitive=sensitive if leaves else {},
        ),
    )


def _public(values: Mapping[FieldName, str | Secret]) -> dict[str, str | None]:
    return {name: None if FIELDS[name].secret else str(value) for name, value in values.items()}


def _unchanged(line: DesiredLine, current: CurrentLine) -> ResourceChange:
    resource = _resource(Update(line.address, line.at, current, {}, len(line.values)))
    return resource.model_copy(update={"change": Change(actions=("no-op",), before={}, after={})})


def _summary(
    given: PlanInput, found: Match, seen: Diff, resources: Sequence[ResourceChange], calls: Sequence[Call]
) -> Summary:
    limits = given.desired.limits
    requests = writing_requests(calls)
    return Summary(
        add=sum(resource.action == "create" for resource in resources),
        change=sum(resource.action == "update" for resource in resources),
        destroy=sum(resource.action == "delete" for resource in resources),
        unchanged=len(seen.unchanged),
        unmanaged=len(found.unmanaged),
        calls=len(calls),
        requests=requests,
        reregistrations=sum(resource.reregisters for resource in resources),
        seconds=round(expected_seconds(requests, limits.burst, limits.rate), 1),
    )
