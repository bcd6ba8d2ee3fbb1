"""The plan of one portal: compares, orders, proves, and writes the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sipsync.model.document import canonical, digest_of
from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.lines import ACTIONS, Address, Call, CurrentLine, DesiredLine
from sipsync.model.plan import Change, PlannedCall, PortalPlan, ResourceChange, Source, Summary
from sipsync.model.problems import Exit
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning import guards, warnings
from sipsync.planning.conflicts import Titles, cloud_room, conflicts, left_to_server
from sipsync.planning.evidence import desired_digest, evidence_of
from sipsync.planning.inputs import Delete, LineChange, PlanInput, Update, call_for
from sipsync.planning.order import Write, order
from sipsync.planning.owner import OwnerPlan
from sipsync.planning.proof import prove, writing_requests
from sipsync.rules.limits import expected_seconds
from sipsync.rules.lines import reregisters


def build(inputs: Sequence[PlanInput], now: datetime, *, no_ops: bool = False) -> tuple[PortalPlan, ...]:
    """One part for each owner of one portal; they are ordered and proved together, since titles are the portal's.

    `now` is aware, UTC. `no_ops` lists the lines that do not differ as well.
    """
    owners = {given.desired.name: OwnerPlan.of(given, now.date()) for given in inputs}
    titles = Titles.of(inputs)
    # An owner with errors changes nothing, which may leave a title taken that another owner waits for.
    while blocked := conflicts(list(owners.values()), titles):
        for diagnostic in blocked:
            owners[diagnostic.portal].errors.append(diagnostic)
    changes = [change for owner in owners.values() for change in owner.changes]
    writes = order(changes, titles, cloud_room(inputs))
    calls = _calls(writes)
    left = left_to_server([(change.address, change.title) for change in changes], inputs)
    wrong = prove(calls, changes, inputs, left)
    for owner in owners.values():
        owner.errors.extend(wrong)
    temporary = {write.change.address: write.temporary for write in writes if write.temporary}
    return tuple(_part(owner, calls, temporary, now, no_ops) for owner in owners.values())


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
    owner: OwnerPlan, calls: Sequence[Call], temporary: Mapping[Address, str], now: datetime, no_ops: bool
) -> PortalPlan:
    given, name = owner.given, owner.given.desired.name
    stops, allowed = guards.check(owner)
    own = [] if owner.errors else [call for call in calls if call.address.portal == name]
    resources = [_resource(change) for change in owner.changes]
    found = (*owner.errors, *stops, *allowed, *owner.diff.warnings, *warnings.warnings(owner))
    part = PortalPlan(
        portal=name,
        host=given.host,
        owner=given.owner,
        created=now.isoformat(timespec="seconds"),
        desired=desired_digest(given.desired),
        selection=given.selection,
        resource_changes=(*resources, *(_unchanged(*pair) for pair in owner.diff.unchanged if no_ops)),
        calls=tuple(map(planned, own)),
        evidence={
            change.address: evidence_of(change, temporary.get(change.address), given.seal) for change in owner.changes
        },
        summary=_summary(owner, resources, own),
        diagnostics=tuple(each.about(name, given.desired.at) for each in found),
        exit=Exit.ERROR if owner.errors else Exit.GUARD if stops else Exit.OK,
    )
    part = part.model_copy(update={"digest": digest_of(part.substance())})
    return part.model_copy(update={"seal": seal_of(part, given)})


def seal_of(part: PortalPlan, given: PlanInput) -> str:
    """The keyed fingerprint of a part.

    It covers all of it, what is told to people as well: a plan can't be moved to another portal, made younger, let
    through where a safety limit stopped it, or shown without its warnings.
    """
    return given.seal(canonical(["plan", part.model_dump(mode="json", exclude={"seal"})]))


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
    current, goes = change.current, isinstance(change, Delete)
    registers = isinstance(change, Update) and reregisters(change.type, change.current.reg_id, tuple(change.values))
    connects = isinstance(change, Update) and any(FIELDS[name].registers for name in change.values)
    shown = tuple(FIELDS) if goes else tuple(change.values)
    sensitive: dict[str, bool] = {name: True for name in shown if FIELDS[name].secret}
    wanted = {} if isinstance(change, Delete) else change.desired.values
    return ResourceChange(
        address=change.address,
        name=change.address.key,
        portal=change.address.portal,
        config_id=change.config_id,
        line_type=change.type,
        title=current.title if current else change.title or "",
        source=Source(file=change.at.file, line=change.at.line),
        reregisters=registers,
        stored_only=connects and not registers,
        unchanged_fields=len(change.desired.values.keys() - change.values.keys()) if isinstance(change, Update) else 0,
        change=Change(
            actions=(ACTIONS[change.verb],),
            before=_public({name: current.values.get(name, "") for name in shown}) if current else None,
            after=None if goes else _public(change.values),
            before_sensitive=sensitive if current else {},
            after_sensitive={} if goes else sensitive,
            references={name: str(wanted[name]) for name in shown if isinstance(wanted.get(name), SecretRef)},
        ),
    )


def _public(values: Mapping[FieldName, str | Secret]) -> dict[str, str | None]:
    return {name: None if FIELDS[name].secret else str(value) for name, value in values.items()}


def _unchanged(line: DesiredLine, current: CurrentLine) -> ResourceChange:
    resource = _resource(Update(line, current, {}))
    return resource.model_copy(update={"change": Change(actions=("no-op",), before={}, after={})})


def _summary(owner: OwnerPlan, resources: Sequence[ResourceChange], calls: Sequence[Call]) -> Summary:
    limits = owner.given.desired.limits
    requests = writing_requests(calls)
    actions = Counter(resource.action for resource in resources)
    return Summary(
        add=actions["create"],
        change=actions["update"],
        destroy=actions["delete"],
        unchanged=len(owner.diff.unchanged),
        unmanaged=len(owner.match.unmanaged),
        calls=len(calls),
        requests=requests,
        reregistrations=sum(resource.reregisters for resource in resources),
        seconds=round(expected_seconds(requests, limits.burst, limits.rate), 1),
        failed=bool(owner.errors),
    )
