"""What several commands do with the library: load files, plan, check and read portals, with progress shown."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sipsync.cli.output import publish
from sipsync.cli.progress import progress
from sipsync.cli.session import Session
from sipsync.cli.types import Output
from sipsync.model.events import OnEvent, ignore
from sipsync.model.lines import DesiredPortal, Fleet, Snapshot, WebhookAccess
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import PlanOptions
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, Span
from sipsync.model.secret import SecretRef

if TYPE_CHECKING:
    import asyncio

    from sipsync.api import OpenHosts, Reading
    from sipsync.model.plan import Plan

T = TypeVar("T")


def fleet_of(name: str, variable: str, file: Path, operator: Operator) -> Fleet:
    """A fleet of one portal that no file names yet, without lines; its webhook is in a variable of the operator's."""
    access = WebhookAccess(SecretRef("env", variable))
    return Fleet((DesiredPortal(name, Span(str(file), 1), access, ()),), operator)


def make_plan(session: Session, fleet: Fleet, options: PlanOptions, events: OnEvent = ignore) -> Plan:
    """The plan of a fleet."""
    from sipsync import api

    with progress(session, len(fleet.portals), events) as on_event:
        return api.plan(fleet, options, on_event)


@contextmanager
def one_loop(opened: OpenHosts | None) -> Iterator[asyncio.Runner]:
    """An event loop for several pieces of work; what they leave open is closed with it."""
    import asyncio

    with asyncio.Runner() as runner:
        try:
            yield runner
        finally:
            if opened:
                runner.run(opened.aclose())


def ask(session: Session, fleet: Fleet, question: Callable[[Fleet, OnEvent], Coroutine[Any, Any, T]]) -> T:
    """What a question to all portals brought, asked with progress shown."""
    import asyncio

    with progress(session, len(fleet.portals)) as on_event:
        return asyncio.run(question(fleet, on_event))


def check(session: Session, fleet: Fleet) -> None:
    """Show what `doctor` finds; raises where that is in the way."""
    from sipsync import api

    diagnosis = ask(session, fleet, api.adoctor)
    publish(session, diagnosis, Output())
    if diagnosis.exit is not Exit.OK:
        summary = Message("the webhook did not pass the check; nothing was written")
        raise SipsyncError(Diagnostic(Code.CREDENTIAL, summary, hint=Message("See above.")))


def read(session: Session, fleet: Fleet) -> list[tuple[Reading, Snapshot]]:
    """Each portal as it is, and what it holds; raises where one can't be read."""
    from sipsync import api

    readings = ask(session, fleet, api.aread)
    if failures := [reason for reading in readings if reading.snapshot is None for reason in reading.diagnostics]:
        raise SipsyncError(*failures)
    return [(reading, reading.snapshot) for reading in readings if reading.snapshot is not None]
