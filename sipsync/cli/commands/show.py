"""`sipsync show`: a saved plan in any format, offline."""

from __future__ import annotations

from pathlib import Path

import click

from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, PortalsOptions, files_options, output_options, portals_options
from sipsync.cli.output import digest_of, publish, show
from sipsync.cli.session import Session
from sipsync.cli.types import FILE, Output
from sipsync.model.message import Message
from sipsync.model.problems import Code, Exit, worst

_STALE = (Code.PLAN_SEAL, Code.PLAN_TOO_OLD, Code.PLAN_UNEXPECTED, Code.STALE_FILE)
"""Findings by which the plan is stale; others are in the way of telling."""


@make_command(
    "show",
    "Show a saved plan. No portal is asked.",
    "sipsync show acme.plan.json",
    "sipsync show acme.plan.json --format html > plan.html",
    "sipsync show fleet.plan.json --portal acme",
    "sipsync show acme.plan.json --verify    # is it unedited, ours, young enough, of these files?",
)
@click.argument("plan_file", metavar="PLAN", type=FILE, help="The file that plan --out wrote.")
@output_options("Plan")
@option("--all", "everything", is_flag=True, help="List every line, those that do not differ, too.")
@option("--verify", is_flag=True, help="Check seal, age and files as far as that goes offline.")
@portals_options
@files_options
def command(
    session: Session,
    plan_file: Path,
    limits: OperatorOptions,
    select: PortalsOptions,
    output: Output,
    everything: bool,
    verify: bool,
) -> Exit:
    from sipsync import api

    session.json = output.format == "json"
    plan = api.read_plan(plan_file)
    shown = api.select_parts(plan, select.portals, select.selection()) if select else plan
    exits = [publish(session, shown, output, everything=everything)]
    if verify:
        findings = api.verify(plan, limits.fleet(session, [part.portal for part in plan.parts]))
        if findings.diagnostics:
            show(findings.diagnostics, session)
        exits += [Exit.STALE if reason.code in _STALE else Exit.ERROR for reason in findings.diagnostics]
        if findings.valid:
            told = (
                "Verified: each portal's part is as it was sealed with this credential's key, young enough, and of "
                "these files. That no part is missing, only the digest tells: {digest}"
            )
            session.say(Message(told, digest=plan.digest))
    else:
        told = "Nothing was verified: `sipsync show {file} --verify` does, and so does `sipsync apply`."
        if plan.has_changes and not plan.applyable:
            told = (
                "Nothing was verified, and `sipsync apply` does not take this plan: it is for review, as one against a "
                "snapshot is."
            )
        session.say(Message(told, file=plan_file))
        session.say(digest_of(plan))
    return worst(exits)
