"""A portal that no file names yet: built in memory around a credential, checked as `doctor` does, and read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from sipsync.model.lines import DesiredPortal, Fleet, WebhookAccess
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, Span
from sipsync.model.secret import SecretRef

if TYPE_CHECKING:
    from sipsync.api import Reading
    from sipsync.cli.session import Session
    from sipsync.model.lines import Snapshot
    from sipsync.model.operator import Operator


def fleet_of(name: str, variable: str, file: Path, operator: Operator) -> Fleet:
    """A fleet of one portal without lines, whose webhook is in a variable of the operator's."""
    access = WebhookAccess(SecretRef("env", variable))
    return Fleet((DesiredPortal(name, Span(str(file), 1), access, ()),), operator)


def check(session: Session, fleet: Fleet) -> None:
    """Show what `doctor` finds; raises where that is in the way."""
    from sipsync import api
    from sipsync.cli.output import publish
    from sipsync.cli.progress import progress

    with progress(session, 1) as on_event:
        diagnosis = asyncio.run(api.adoctor(fleet, on_event))
    publish(session, diagnosis, "text")
    if diagnosis.exit is not Exit.OK:
        raise SipsyncError(
            Diagnostic(
                Code.CREDENTIAL,
                Message("the webhook did not pass the check; nothing was written"),
                hint=Message("See above."),
            )
        )


def read(session: Session, fleet: Fleet) -> list[tuple[Reading, Snapshot]]:
    """Each portal as it is, and what it holds; raises where one can't be read."""
    from sipsync import api
    from sipsync.cli.progress import progress

    with progress(session, len(fleet.portals)) as on_event:
        readings = asyncio.run(api.aread(fleet, on_event))
    failures = [found for reading in readings if reading.snapshot is None for found in reading.diagnostics]
    if failures:
        raise SipsyncError(*failures)
    return [(reading, reading.snapshot) for reading in readings if reading.snapshot is not None]
