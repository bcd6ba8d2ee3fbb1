"""`sipsync plan`: what would change, in every form that people and programs read. Only reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import (
    PLAN_FORMATS,
    OperatorOptions,
    format_option,
    json_events_option,
    operator_options,
    pace_options,
    paths_argument,
    report_option,
    selection_options,
    typed,
)
from sipsync.cli.session import Session
from sipsync.cli.types import Duration, Report
from sipsync.model.options import PlanOptions, Selection
from sipsync.model.problems import Exit, SipsyncError, worst

if TYPE_CHECKING:
    from sipsync.model.plan import Plan


@click.command(
    "plan",
    cls=Command,
    help="Show what would change in the portals. Changes nothing: only reading methods are called.",
    examples=[
        "sipsync plan",
        "sipsync plan portals/acme.yaml --out acme.plan.json",
        "sipsync plan --portal 'acme*' --format json",
        "sipsync plan --report markdown=plan.md --report gitlab=plan-report.json",
        "sipsync plan --against snapshot.json   # without any credential",
    ],
)
@paths_argument
@option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, for apply --plan FILE.")
@format_option(PLAN_FORMATS)
@report_option(PLAN_FORMATS)
@option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something would change.")
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
    type=click.Path(path_type=Path),
    metavar="SNAPSHOT",
    help="Compare with a saved snapshot: no portal is asked, no secret is read.",
)
@option("--max-age", type=Duration(), default="1d", show_default=True, help="The oldest snapshot to compare with.")
@option("--all", "no_ops", is_flag=True, help="List the lines that do not differ, too.")
@option("--github", is_flag=True, fleet=True, help="Write the step's summary and outputs of a GitHub job.")
@json_events_option
@pace_options
@operator_options
@click.pass_obj
@typed("selection", Selection)
@typed("options", PlanOptions)
def command(
    session: Session,
    paths: tuple[Path, ...],
    limits: OperatorOptions,
    options: PlanOptions,
    snapshot: Path | None,
    out: Path | None,
    format_: str,
    reports: tuple[Report, ...],
    detailed_exitcode: bool,
    github: bool,
    json_events: bool,
) -> Exit:
    from sipsync import api
    from sipsync.cli.events import EventStream
    from sipsync.cli.output import publish
    from sipsync.cli.work import load, make_plan

    session.json = format_ == "json"
    events = EventStream(wanted=json_events)
    failure = None
    try:
        fleet = load(session, paths, limits, partly=True)
        compared = api.read_state(snapshot) if snapshot else None
        plan = make_plan(session, fleet, replace(options, against=compared), events)
    except SipsyncError as error:
        failure, plan = error, _failed(error)
        events.failed(error.diagnostics)
    else:
        events.planned(plan)
    shown = None if json_events or (failure and format_ == "text") else format_
    exits = [publish(session, plan, shown, reports, everything=options.no_ops)]
    if out:
        exits.append(_save(session, plan, out))
    if github:
        from sipsync.cli.github import tell_github

        exits.append(tell_github(session, plan, out))
    if failure:
        session.json = False
        raise failure
    if out and plan.applyable and exits[-1] is Exit.OK:
        session.hint(f"\nSaved. To carry out exactly this plan: sipsync apply --plan {out}")
    if detailed_exitcode and plan.has_changes:
        exits.append(Exit.CHANGES)
    return worst([plan.exit, *exits])


def _failed(error: SipsyncError) -> Plan:
    """A plan that says why there is none, so that reports have something to show."""
    from sipsync.model.plan import Plan

    return Plan(timestamp=datetime.now(UTC).isoformat(timespec="seconds"), problems=error.diagnostics)


def _save(session: Session, plan: Plan, file: Path) -> Exit:
    from sipsync import api
    from sipsync.cli import failures

    try:
        api.write_plan(file, plan)
    except SipsyncError as error:
        failures.show(error.diagnostics, session)
        return Exit.ERROR
    return Exit.OK
