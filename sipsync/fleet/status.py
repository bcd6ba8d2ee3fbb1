"""Reading a whole fleet: registrations, check-ups, what `import` and `snapshot` write down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sipsync.applying.bind import check_plan
from sipsync.fleet.apply import no_file
from sipsync.fleet.connect import connected, embedded_in
from sipsync.fleet.doctor import check_up
from sipsync.fleet.host import Job, prepare
from sipsync.fleet.options import ApplyOptions
from sipsync.fleet.parallel import each
from sipsync.fleet.registrations import statuses
from sipsync.fleet.snapshot import save
from sipsync.fleet.work import host_in_plan, inputs_of
from sipsync.model.events import OnEvent
from sipsync.model.lines import CurrentLine, DesiredPortal, Fleet, Snapshot
from sipsync.model.looks import Check, Diagnosis, LineStatus, SavedPortal, SavedState, Status
from sipsync.model.operator import Operator
from sipsync.model.plan import Plan, Selection
from sipsync.model.problems import Diagnostic, SipsyncError
from sipsync.model.secret import Secret
from sipsync.planning.inputs import PlanInput
from sipsync.portal.client import seal_for
from sipsync.portal.clock import SystemClock
from sipsync.secrets import store

T = TypeVar("T")
TIMEOUT_SECONDS = 120.0
PARALLEL = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """One portal as it is, or why it could not be read."""

    portal: DesiredPortal
    snapshot: Snapshot | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


async def _look(
    fleet: Fleet, work: Callable[[Job], Awaitable[T]], on_event: OnEvent, *, secrets: bool = False
) -> tuple[list[tuple[Job, T]], dict[str, tuple[Diagnostic, ...]]]:
    """What was seen of each host, and by portal why nothing was. Passwords are not resolved."""
    selection = Selection(secrets=secrets)
    prepared = await prepare(fleet.portals, fleet.operator, {portal.name: selection for portal in fleet.portals})
    results = await each(prepared.jobs, work, parallel=PARALLEL, kind="read", on_event=on_event)
    failed = dict(prepared.failed)
    seen = []
    for job, result in zip(prepared.jobs, results, strict=True):
        if isinstance(result, SipsyncError):
            failed |= {portal.name: result.diagnostics for portal in job.portals}
        else:
            seen.append((job, result))
    return seen, failed


async def _views(fleet: Fleet, on_event: OnEvent) -> tuple[list[PlanInput], dict[str, tuple[Diagnostic, ...]]]:
    clock = SystemClock()

    async def one(job: Job) -> list[PlanInput]:
        async with connected(job, clock, TIMEOUT_SECONDS, on_event) as portals:
            return await inputs_of(job, portals)

    seen, failed = await _look(fleet, one, on_event)
    return [given for _job, inputs in seen for given in inputs], failed


async def read(fleet: Fleet, on_event: OnEvent) -> list[Reading]:
    """Each portal as it is, in the order of the files."""
    inputs, failed = await _views(fleet, on_event)
    readings = {given.desired.name: Reading(given.desired, given.current) for given in inputs}
    return [readings.get(portal.name) or Reading(portal, None, failed[portal.name]) for portal in fleet.portals]


async def save_all(fleet: Fleet, on_event: OnEvent) -> SavedState:
    """The state of all portals. Raises SipsyncError where one can't be read: a part of the state would mislead."""
    inputs, failed = await _views(fleet, on_event)
    if failed:
        raise SipsyncError(*(found for one in failed.values() for found in one))
    now = SystemClock().now()
    saved: list[SavedPortal] = [save(given, now) for given in inputs]
    return SavedState(timestamp=now.isoformat(timespec="seconds"), portals=tuple(saved))


async def status(fleet: Fleet, live: bool, on_event: OnEvent) -> Status:
    """The registrations of all lines that the credentials see."""
    clock = SystemClock()

    async def one(job: Job) -> list[LineStatus]:
        return await statuses(job, clock, TIMEOUT_SECONDS, on_event, live=live)

    seen, failed = await _look(fleet, one, on_event)
    return Status(
        lines=tuple(line for _job, lines in seen for line in lines),
        diagnostics=tuple(found for one_ in failed.values() for found in one_),
    )


async def diagnose(fleet: Fleet, on_event: OnEvent) -> Diagnosis:
    """The check-ups of all portals; one that can't even be asked has a failed check that says why."""
    clock = SystemClock()

    async def one(job: Job) -> list[Check]:
        return await check_up(job, clock, TIMEOUT_SECONDS, on_event)

    seen, failed = await _look(fleet, one, on_event)
    checks = [check for _job, checks in seen for check in checks]
    for name, found in failed.items():
        checks += [
            Check(portal=name, name="credential", result="failed", detail=one_.summary, advice=one_.hint)
            for one_ in found
        ]
    return Diagnosis(checks=tuple(checks))


async def verify(plan: Plan, fleet: Fleet, options: ApplyOptions) -> tuple[Diagnostic, ...]:
    """What can be said of a saved plan without asking a portal."""
    by_name = {portal.name: portal for portal in fleet.portals}
    parts = {part.portal: part for part in plan.parts}
    portals = [by_name[name] for name in parts if name in by_name]
    prepared = await prepare(portals, fleet.operator, {portal.name: Selection(secrets=False) for portal in portals})
    found = [no_file(part) for name, part in parts.items() if name not in by_name]
    found += [one for each_ in prepared.failed.values() for one in each_]
    for job in prepared.jobs:
        for portal in job.portals:
            identity = job.identities[portal.name]
            seal = seal_for(portal.access, job.secrets, job.operator, embedded_in(portal.access))
            given = PlanInput(portal, Snapshot((), {}), {}, seal, host_in_plan(portal, identity), identity.owner)
            reason = check_plan(parts[portal.name], given, options.clock.now(), options.max_plan_age)
            if reason is not None:
                found.append(reason)
    return tuple(found)


def store_passwords(kind: str, reading: Reading, where: str, operator: Operator) -> Mapping[int, str]:
    """Stores the passwords that a portal returned; config_id → the reference to write into the file."""
    lines = reading.snapshot.lines if reading.snapshot else ()
    passwords = {line.config_id: password for line in lines if (password := _password(line))}
    names = {config_id: f"SIP_{reading.portal.name}_{config_id}".upper().replace("-", "_") for config_id in passwords}
    values: dict[str, Secret] = {names[config_id]: password for config_id, password in passwords.items()}
    match kind:
        case "env":
            references = store.store_env(values, Path(where))
        case "sops":
            references = store.store_sops(values, Path(where), operator)
        case _:
            references = store.store_keyring(values, where or f"sipsync-{reading.portal.name}")
    return {config_id: references[name] for config_id, name in names.items()}


def _password(line: CurrentLine) -> Secret | None:
    password = line.values.get("password")
    return password if isinstance(password, Secret) and password else None
