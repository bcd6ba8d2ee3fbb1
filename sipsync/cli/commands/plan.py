"""`sipsync plan`: what would change, in every form that people and programs read. Only reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sipsync.cli.group import make_command, option
from sipsync.cli.options import (
    OperatorOptions,
    files_options,
    fleet_option,
    json_events_option,
    output_options,
    pace_options,
    selection_options,
    typed,
)
from sipsync.cli.output import digest_of, publish, show, tell_github
from sipsync.cli.progress import EventStream
from sipsync.cli.session import Session
from sipsync.cli.types import FILE, Duration, Output
from sipsync.cli.work import make_plan
from sipsync.disk.clock import SystemClock
from sipsync.model.message import Message
from sipsync.model.options import PlanOptions, Selection
from sipsync.model.problems import Exit, SipsyncError, worst

if TYPE_CHECKING:
    from sipsync.model.plan import Plan


@make_command(
    "plan",
    "Show what would change in the portals. Changes nothing: only reading methods are called.",
    "sipsync plan",
    "sipsync plan portals/acme.yaml --out acme.plan.json",
    "sipsync plan --portal 'acme*' --format json",
    "sipsync plan --report markdown=plan.md --report gitlab=plan-report.json",
    "sipsync plan --against snapshot.json   # without any credential",
    "sipsync plan --drift --report junit=drift.xml",
)
@option("--out", type=FILE, help="Save the plan, for apply --plan FILE.")
@output_options("Plan")
@option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something would change.")
@option("--drift", is_flag=True, help="Look for drift: reports tell what differs as that; exits with 2 where it does.")
@selection_options
@option(
    "--no-secrets",
    "secrets",
    is_flag=True,
    callback=lambda _ctx, _param, unread: not unread,
    help="Read no passwords; they are not compared.",
)
@option(
    "--against",
    "snapshot",
    type=FILE,
    metavar="SNAPSHOT",
    help="Compare with a saved snapshot: no portal is asked, no secret is read.",
)
@option("--max-age", type=Duration(), default="1d", show_default=True, help="The oldest snapshot to compare with.")
@option("--all", "no_ops", is_flag=True, help="List every line, those that do not differ, too.")
@fleet_option("--github", is_flag=True, help="Write the step's summary and outputs of a GitHub job.")
@json_events_option
@pace_options
@files_options
@typed("selection", Selection)
@typed("options", PlanOptions)
def command(
    session: Session,
    limits: OperatorOptions,
    options: PlanOptions,
    snapshot: Path | None,
    out: Path | None,
    output: Output,
    detailed_exitcode: bool,
    drift: bool,
    github: bool,
    json_events: bool,
) -> Exit:
    from sipsync import api

    session.json = output.format == "json"
    events = EventStream(wanted=json_events)
    failure = None
    try:
        fleet = limits.fleet(session, options.portals)
        against = api.read_state(snapshot) if snapshot else None
        plan = make_plan(session, fleet, replace(options, against=against), events)
    except SipsyncError as error:
        failure, plan = error, _failed(error)
        events.failed(error.diagnostics)
    else:
        events.planned(plan)
    if json_events or (failure and output.format == "text"):
        output = replace(output, format=None)
    exits = [plan.exit, publish(session, plan, output, everything=options.no_ops, drift=drift)]
    saved = _save(session, plan, out) if out else Exit.OK
    if github:
        exits.append(tell_github(session, plan, out, drift=drift))
    if failure:
        session.json = False
        raise failure
    if out and saved is Exit.OK:
        _tell_saved(session, plan, out)
    if (detailed_exitcode or drift) and plan.has_changes:
        exits.append(Exit.CHANGES)
    return worst([*exits, saved])


def _failed(error: SipsyncError) -> Plan:
    """A plan that says why there is none, so that reports have something to show."""
    from sipsync.model.plan import Plan

    return Plan(timestamp=SystemClock().now().isoformat(timespec="seconds"), problems=error.diagnostics)


def _tell_saved(session: Session, plan: Plan, out: Path) -> None:
    """Say what the file is good for. A plan against a snapshot is for review, and what was reviewed is its changes."""
    if plan.applyable:
        session.hint(Message("\nSaved. To carry out exactly this plan: sipsync apply --plan {out}", out=out))
        session.hint(digest_of(plan))
    elif plan.has_changes and not plan.errored:
        told = "\nSaved for review. Once it is approved and merged: sipsync apply --expect-changes {digest}"
        session.hint(Message(told, digest=plan.changes_digest))


def _save(session: Session, plan: Plan, file: Path) -> Exit:
    from sipsync import api

    try:
        api.write_plan(file, plan)
    except SipsyncError as error:
        show(error.diagnostics, session)
        return Exit.ERROR
    return Exit.OK
