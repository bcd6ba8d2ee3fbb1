"""`sipsync show`: a saved plan in any format, offline."""

from __future__ import annotations

from pathlib import Path

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import (
    PLAN_FORMATS,
    OperatorOptions,
    format_option,
    operator_options,
    paths_argument,
    report_option,
)
from sipsync.cli.session import Session
from sipsync.cli.types import Report
from sipsync.model.problems import Code, Exit, worst

_STALE = (Code.PLAN_SEAL, Code.PLAN_TOO_OLD, Code.PLAN_UNEXPECTED, Code.STALE_FILE)
"""Findings by which the plan is stale; others are in the way of telling."""


@click.command(
    "show",
    cls=Command,
    help="Show a saved plan. No portal is asked.",
    examples=[
        "sipsync show acme.plan.json",
        "sipsync show acme.plan.json --format html > plan.html",
        "sipsync show acme.plan.json --verify    # is it whole, ours, young enough, of these files?",
    ],
)
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path), help="The file that plan --out wrote.")
@paths_argument
@format_option(PLAN_FORMATS)
@report_option(PLAN_FORMATS)
@option("--all", "everything", is_flag=True, help="List the lines that do not differ, too.")
@option("--verify", is_flag=True, help="Check seal, age and files as far as that goes offline.")
@operator_options
@click.pass_obj
def command(
    session: Session,
    plan_file: Path,
    paths: tuple[Path, ...],
    limits: OperatorOptions,
    format_: str,
    reports: tuple[Report, ...],
    everything: bool,
    verify: bool,
) -> Exit:
    from sipsync import api
    from sipsync.cli import failures
    from sipsync.cli.output import publish
    from sipsync.cli.work import load

    session.json = format_ == "json"
    plan = api.read_plan(plan_file)
    exits = [publish(session, plan, format_, reports, everything=everything)]
    if verify:
        findings = api.verify(plan, load(session, paths, limits))
        if findings.diagnostics:
            failures.show(findings.diagnostics, session)
        exits += [Exit.STALE if found.code in _STALE else Exit.ERROR for found in findings.diagnostics]
        if findings.valid:
            session.say(f"Verified: the plan {plan.plan_id} is whole, sealed with this credential, and of these files.")
    return worst(exits)
