"""What several commands do with the library: load files and plan, with progress shown meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sipsync.cli.progress import progress
from sipsync.model.events import OnEvent, ignore

if TYPE_CHECKING:
    from sipsync.cli.options import OperatorOptions
    from sipsync.cli.session import Session
    from sipsync.model.lines import Fleet
    from sipsync.model.options import PlanOptions
    from sipsync.model.plan import Plan


def load(session: Session, paths: Sequence[Path], limits: OperatorOptions, *, partly: bool = False) -> Fleet:
    """The fleet of some files, under the operator's limits; `partly`: of those that are in order."""
    from sipsync import api

    return api.load(paths, limits.operator(session, paths), partly=partly)


def make_plan(session: Session, fleet: Fleet, options: PlanOptions, events: OnEvent = ignore) -> Plan:
    """The plan of a fleet."""
    from sipsync import api

    with progress(session, len(fleet.portals), events) as on_event:
        return api.plan(fleet, options, on_event)
