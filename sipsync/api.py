"""The library: everything that a command does can be done from here.

`load` → `plan` → `apply`, each function that asks a portal with an asynchronous twin (`aplan`) for callers that have an
event loop. A plan holds neither secrets nor credentials; `apply` looks them up again. Each function imports what it
needs, so that a check of files does not wait for what a portal needs.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import wraps
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from sipsync.disk.clock import SystemClock
from sipsync.loading import check, find_root, load, select
from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent, ignore
from sipsync.model.frames import forgetful
from sipsync.model.lines import Address, Fleet
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import ApplyOptions, PlanOptions, Selection
from sipsync.model.problems import Code, Diagnostic, UsageError
from sipsync.model.secret import Secret

if TYPE_CHECKING:
    import asyncio

    from sipsync.fleet.opened import OpenHosts as OpenHosts  # a name for annotations
    from sipsync.fleet.status import Reading as Reading  # a name for annotations
    from sipsync.model.findings import Findings
    from sipsync.model.outcome import Outcome
    from sipsync.model.plan import Plan
    from sipsync.model.snapshot import SavedState
    from sipsync.model.status import Diagnosis, Status

__all__ = [
    "ApplyOptions",
    "PlanOptions",
    "Selection",
    "aapply",
    "adoctor",
    "aplan",
    "apply",
    "aread",
    "asnapshot",
    "astatus",
    "averify",
    "check",
    "check_selection",
    "doctor",
    "find_root",
    "keep_password",
    "load",
    "open_hosts",
    "plan",
    "read",
    "read_plan",
    "read_state",
    "select",
    "select_parts",
    "snapshot",
    "status",
    "store_passwords",
    "verify",
    "write_plan",
    "write_state",
]

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(twin: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """The same for callers without an event loop."""

    @wraps(twin)
    def function(*args: P.args, **kwargs: P.kwargs) -> R:
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(twin(*args, **kwargs))
        summary = Message("{name} would block the event loop that runs already", name=f"sipsync.{function.__name__}")
        hint = Message("Write `await sipsync.{twin}(…)`.", twin=twin.__name__)
        raise UsageError(Diagnostic(Code.USAGE, summary, hint=hint))

    function.__name__ = function.__qualname__ = twin.__name__.removeprefix("a")
    return forgetful(function)


# --- plan and apply ---


def check_selection(
    lines: Mapping[str, Sequence[Address]], others: Sequence[str], portals: Sequence[str], selection: Selection
) -> None:
    """Raises UsageError for a glob that names none of these portals and lines; of other portals no lines are known."""
    from sipsync.fleet.selection import check_lines

    check_lines(lines, others, portals, selection)


def select_parts(plan: Plan, portals: Sequence[str] = (), selection: Selection | None = None) -> Plan:
    """The parts of a plan that globs and selection leave in. Raises UsageError for a glob that names nothing."""
    from sipsync.fleet.selection import chosen_parts

    return chosen_parts(plan, portals, selection or Selection())


def open_hosts() -> OpenHosts:
    """To be given to `aplan` and then to `aapply` of one event loop; its `aclose` ends what is left of it."""
    from sipsync.fleet.opened import OpenHosts

    return OpenHosts()


@forgetful
async def aplan(
    fleet: Fleet,
    options: PlanOptions = PlanOptions(),
    on_event: OnEvent = ignore,
    clock: Clock = SystemClock(),
    opened: OpenHosts | None = None,
) -> Plan:
    """The calls that take the portals to what the files say. Only reading methods are sent.

    A portal that can't be planned becomes a part with an error. What is `opened` serves an apply in the same event
    loop. Raises UsageError where the options name nothing.
    """
    from sipsync.fleet.plan import plan_fleet

    return await plan_fleet(fleet, options, clock, on_event, opened)


plan = _blocking(aplan)


@forgetful
async def aapply(
    plan: Plan,
    fleet: Fleet,
    options: ApplyOptions = ApplyOptions(),
    on_event: OnEvent = ignore,
    stop: asyncio.Event | None = None,
    clock: Clock = SystemClock(),
    opened: OpenHosts | None = None,
) -> Outcome:
    """What became of the plan. Setting `stop` ends the run after the calls in flight.

    Hosts that the plan left `opened` are not read again within a minute.

    Raises StalePlan where the plan is not the expected one; everything else is told in the outcome.
    """
    import asyncio

    from sipsync.applying.control import Control
    from sipsync.fleet.apply import apply_fleet

    control = Control(clock, on_event, stop or asyncio.Event(), fleet.operator.environ_for_others())
    return await apply_fleet(plan, fleet, options, control, opened)


apply = _blocking(aapply)


@forgetful
async def averify(plan: Plan, fleet: Fleet, options: ApplyOptions = ApplyOptions()) -> Findings:
    """What can be told of a saved plan without asking a portal: its seal, its age, the files."""
    from sipsync.fleet.apply import verify_plan
    from sipsync.model.findings import Findings

    return Findings(diagnostics=await verify_plan(plan, fleet, options, SystemClock()))


verify = _blocking(averify)


# --- saved plans and states ---


def write_plan(path: str | PathLike[str], plan: Plan) -> None:
    """Save the plan, for this user only; raises SipsyncError with PLAN_KEY where no other job could apply it."""
    from sipsync.disk import planfile

    planfile.write(path, plan)


def read_plan(path: str | PathLike[str]) -> Plan:
    """The saved plan; raises SipsyncError with PLAN_UNREADABLE or PLAN_TOO_NEW."""
    from sipsync.disk import planfile

    return planfile.read(path)


def write_state(path: str | PathLike[str], state: SavedState) -> None:
    """Save the state, readable by this user only."""
    from sipsync.disk import planfile

    planfile.write_state(path, state)


def read_state(path: str | PathLike[str]) -> SavedState:
    """The saved state; raises SipsyncError with SNAPSHOT or PLAN_TOO_NEW."""
    from sipsync.disk import planfile

    return planfile.read_state(path)


# --- reading ---


@forgetful
async def astatus(fleet: Fleet, *, live: bool = False, on_event: OnEvent = ignore) -> Status:
    """The registrations as stored; `live` asks their operators, which may notify portal users."""
    from sipsync.fleet import status as reading

    return await reading.status(fleet, SystemClock(), on_event, live=live)


status = _blocking(astatus)


@forgetful
async def adoctor(fleet: Fleet, on_event: OnEvent = ignore) -> Diagnosis:
    """A check-up of each portal's credential, scope and rights."""
    from sipsync.fleet import status as reading

    return await reading.diagnose(fleet, SystemClock(), on_event)


doctor = _blocking(adoctor)


@forgetful
async def aread(fleet: Fleet, on_event: OnEvent = ignore) -> list[Reading]:
    """Each portal as it is, for `import`."""
    from sipsync.fleet import status as reading

    return await reading.read(fleet, SystemClock(), on_event)


read = _blocking(aread)


@forgetful
async def asnapshot(fleet: Fleet, on_event: OnEvent = ignore) -> SavedState:
    """The state of the portals without secrets, sealed; `diagnostics` say why one is missing. Raises where all are."""
    from sipsync.fleet import status as reading

    return await reading.save_all(fleet, SystemClock(), on_event)


snapshot = _blocking(asnapshot)


@forgetful
def store_passwords(
    kind: str, reading: Reading, where: str, operator: Operator, names: Mapping[int, str]
) -> Mapping[int, str]:
    """Stores the passwords that a portal returned, those that `names` has; config_id → the reference for the file."""
    from sipsync.fleet import status as fleet_status

    return fleet_status.store_passwords(kind, reading, where, operator, names)


@forgetful
def keep_password(key: str, value: str, folder: Path, *, keyring: str | None = None) -> str:
    """Keeps a password for this user alone: below `.sipsync` in the folder, or in a service of the system's keyring.

    The answer is the reference for a file of the folder. Raises SecretError where it can't be a line's password.
    """
    from sipsync.secrets.store import keep

    return keep(key, Secret(value), folder, keyring)
