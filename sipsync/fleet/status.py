"""Reading a whole fleet: what is there, how it is registered, what is in the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sipsync.fleet.doctor import check_up
from sipsync.fleet.host import HostJob, connected
from sipsync.fleet.parallel import run_all
from sipsync.fleet.snapshot import save
from sipsync.fleet.work import inputs_of, read_host
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent
from sipsync.model.lines import Address, CurrentLine, DesiredPortal, Fleet, Registration, Snapshot
from sipsync.model.operator import Operator
from sipsync.model.options import Selection
from sipsync.model.problems import Diagnostic, SipsyncError
from sipsync.model.secret import Secret
from sipsync.model.snapshot import SavedState
from sipsync.model.status import Check, Diagnosis, LineStatus, Status
from sipsync.planning.inputs import PlanInput
from sipsync.planning.match import match
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


async def _ask(
    fleet: Fleet,
    work: Callable[[HostJob], Awaitable[Mapping[str, T | SipsyncError]]],
    clock: Clock,
    on_event: OnEvent,
    *,
    writes: bool = False,
) -> tuple[dict[str, T], dict[str, SipsyncError]]:
    """What was seen of each portal, or why nothing was. Passwords are not resolved."""
    selection = Selection(secrets=False)
    return await run_all(
        fleet.portals,
        fleet.operator,
        selection,
        work,
        clock,
        parallel=PARALLEL,
        kind="read",
        on_event=on_event,
        writes=writes,
    )


async def _inputs(
    fleet: Fleet, clock: Clock, on_event: OnEvent
) -> tuple[dict[str, PlanInput], dict[str, SipsyncError]]:
    return await _ask(fleet, lambda job: read_host(job, TIMEOUT_SECONDS, clock, on_event), clock, on_event)


async def read(fleet: Fleet, clock: Clock, on_event: OnEvent) -> list[Reading]:
    """Each portal as it is, in the order of the files."""
    inputs, failed = await _inputs(fleet, clock, on_event)
    return [
        Reading(portal, inputs[portal.name].current)
        if portal.name in inputs
        else Reading(portal, None, failed[portal.name].diagnostics)
        for portal in fleet.portals
    ]


async def save_all(fleet: Fleet, clock: Clock, on_event: OnEvent) -> SavedState:
    """The state of the portals that can be read, and why others are missing. Raises SipsyncError where all are."""
    inputs, failed = await _inputs(fleet, clock, on_event)
    missing = _errors(fleet, failed)
    if missing and not inputs:
        raise SipsyncError(*missing)
    now = clock.now()
    return SavedState(
        timestamp=now.isoformat(timespec="seconds"),
        portals=tuple(save(given, fleet.operator, now) for given in inputs.values()),
        diagnostics=missing,
    )


def _errors(fleet: Fleet, failed: Mapping[str, SipsyncError]) -> tuple[Diagnostic, ...]:
    """Why there is nothing of some portals: their files are wrong, or they could not be asked."""
    of_files = (found for found in fleet.diagnostics if found.severity == "error")
    return (*of_files, *(diagnostic for error in failed.values() for diagnostic in error.diagnostics))


async def diagnose(fleet: Fleet, clock: Clock, on_event: OnEvent) -> Diagnosis:
    """The check-ups of all portals; one that can't even be asked has a failed check that says why."""
    checks, failed = await _ask(fleet, lambda job: check_up(job, TIMEOUT_SECONDS, clock, on_event), clock, on_event)
    for name, error in failed.items():
        checks[name] = [
            Check(portal=name, name="credential", result="failed", detail=reason.summary, advice=reason.hint)
            for reason in error.diagnostics
        ]
    return Diagnosis(
        checks=tuple(check for of_portal in checks.values() for check in of_portal), diagnostics=_errors(fleet, {})
    )


async def status(fleet: Fleet, clock: Clock, on_event: OnEvent, *, live: bool) -> Status:
    """The registrations of all lines that the credentials see. `live` asks their operators, which may notify users."""

    async def one(job: HostJob) -> dict[str, list[LineStatus] | SipsyncError]:
        async with connected(job, clock, TIMEOUT_SECONDS, on_event) as portals:
            inputs, failed = await inputs_of(job, portals)
            lines: dict[str, list[LineStatus] | SipsyncError] = dict(failed)
            for name, given in inputs.items():
                addresses = {current.config_id: line.address for line, current in match(given).pairs}
                asked: Mapping[int, Registration] = {}
                if live:
                    reg_ids = [line.reg_id for line in given.current.lines if line.reg_id]
                    try:
                        asked = await portals[name].statuses(reg_ids)
                    except SipsyncError as error:
                        lines[name] = error
                        continue
                lines[name] = [
                    _line_status(name, addresses.get(line.config_id), line, asked.get(line.reg_id or 0))
                    for line in given.current.lines
                ]
            return lines

    lines, failed = await _ask(fleet, one, clock, on_event, writes=live)
    return Status(
        lines=tuple(line for of_portal in lines.values() for line in of_portal),
        diagnostics=_errors(fleet, failed),
    )


def _line_status(portal: str, address: Address | None, line: CurrentLine, live: Registration | None) -> LineStatus:
    return LineStatus(
        portal=portal,
        config_id=line.config_id,
        address=address,
        title=line.title,
        type=line.type,
        reg_id=line.reg_id,
        status_code=live.status_code if live else line.status_code,
        status_message=live.message if live else line.status_message,
        live=live,
        incoming_server=line.incoming_server,
        incoming_login=line.incoming_login,
    )


def store_passwords(
    kind: str, reading: Reading, where: str, operator: Operator, names: Mapping[int, str]
) -> Mapping[int, str]:
    """Stores the passwords that a portal returned, under `names`; config_id → the reference to write into the file."""
    lines = reading.snapshot.lines if reading.snapshot else ()
    values = {
        names[line.config_id]: password for line in lines if line.config_id in names and (password := _password(line))
    }
    match kind:
        case "env":
            references = store.store_env(values, Path(where))
        case "sops":
            references = store.store_sops(values, Path(where), operator)
        case _:
            references = store.store_keyring(values, where or f"sipsync-{reading.portal.name}")
    return {config_id: references[name] for config_id, name in names.items() if name in references}


def _password(line: CurrentLine) -> Secret | None:
    password = line.values.get("password")
    return password if isinstance(password, Secret) and password else None
