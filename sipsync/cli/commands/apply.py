"""`sipsync apply`: plan, show, ask, carry out; or carry out a saved plan, which counts as approved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sipsync.cli.group import make_command, option
from sipsync.cli.options import (
    OperatorOptions,
    files_options,
    fleet_option,
    input_option,
    json_events_option,
    output_options,
    pace_options,
    selection_options,
    typed,
)
from sipsync.cli.output import publish, usage_error
from sipsync.cli.progress import EventStream, progress
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE, Duration, Output, Seconds
from sipsync.cli.work import one_loop
from sipsync.model.message import Message, counted
from sipsync.model.operator import Operator
from sipsync.model.options import ApplyOptions, PlanOptions, Selection
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, worst

if TYPE_CHECKING:
    from sipsync.model.outcome import Outcome
    from sipsync.model.plan import Plan


_WAIT = 30.0
"""Seconds: for lines to register, where somebody looks on and said nothing else."""


@make_command(
    "apply",
    "Plan, show the plan, ask, and carry it out. With --plan carry out a saved plan, and nothing else.",
    "sipsync apply",
    "sipsync apply --dry-run                 # every step but the writing calls",
    "sipsync apply --plan acme.plan.json     # what was reviewed, or nothing",
    "sipsync apply --yes --wait 60           # unattended; waits for the registrations",
    "sipsync apply --line acme.sales",
)
@option("--plan", "plan_file", type=FILE, help="The saved plan to carry out.")
@option("--yes", "-y", is_flag=True, help="Do not ask.")
@option("--dry-run", is_flag=True, help="Go through all of it and print the exact calls; send no writing call.")
@option("--wait", "seconds", type=Seconds(), help="Wait so long for lines to register; 30 at a terminal, else 0.")
@option("--all", "everything", is_flag=True, help="List every line, also where many have an equal change.")
@option("--canary", is_flag=True, help="Change one line first; if it does not register, set it back and stop.")
@output_options("Outcome")
@selection_options
@option("--expect-changes", metavar="DIGEST", help="Refuse any changes but those that were approved with this digest.")
@option("--expect-plan", "expect", metavar="DIGEST", help="Refuse any saved plan but the one of this digest.")
@fleet_option("--strict", is_flag=True, help="Touch nothing where anything is not as planned.")
@fleet_option("--max-failures", type=click.IntRange(1), default=10, help="Stop a portal after so many.")
@fleet_option("--check-command", "checks", metavar="NAME", help="The --secret-command that checks office lines.")
@fleet_option("--lock-timeout", type=Seconds(), default=60.0, help="Wait for another run.")
@fleet_option("--max-plan-age", type=Duration(), default="7d", help="The oldest plan to carry out.")
@input_option
@json_events_option
@pace_options
@files_options
@typed("selection", Selection)
@typed("options", ApplyOptions)
def command(  # long by its parameters, one for each group of options
    session: Session,
    limits: OperatorOptions,
    options: ApplyOptions,
    portals: tuple[str, ...],
    selection: Selection,
    plan_file: Path | None,
    yes: bool,
    output: Output,
    may_ask: bool,
    seconds: float | None,
    json_events: bool,
    checks: str | None,
    everything: bool,
) -> Exit:
    from sipsync import api
    from sipsync.cli.signals import run_stoppable

    session.input, session.json = may_ask, output.format == "json" or json_events
    patient = _WAIT if session.is_watched() else 0.0
    options = replace(options, wait=patient if seconds is None else seconds, must_register=seconds is not None)
    asks = not (plan_file or yes or options.dry_run)
    opened = None if plan_file or asks else api.open_hosts()
    if plan_file and (portals or replace(selection, allow=()) != Selection()):
        hint = Message("Give --portal, --line and the like to plan instead.")
        raise usage_error(Message("the selection is part of a saved plan"), hint)
    events = EventStream(wanted=json_events)
    with one_loop(opened) as runner:
        try:
            plan = api.read_plan(plan_file) if plan_file else None
            fleet = limits.fleet(session, [part.portal for part in plan.parts] if plan else portals)
            options = replace(options, allow=selection.allow, check_command=_operators_command(checks, fleet.operator))
            if plan is None:
                wanted = PlanOptions(portals, selection, parallel=options.parallel, timeout=options.timeout)
                with progress(session, len(fleet.portals), events) as on_event:
                    plan = runner.run(api.aplan(fleet, wanted, on_event, opened=opened))
                _show_and_ask(session, plan, events, asks=asks, everything=everything)
            session.writing = not options.dry_run
            with progress(session, len(plan.parts), events) as on_event:
                outcome, stopped = run_stoppable(
                    runner, lambda stop: api.aapply(plan, fleet, options, on_event, stop, opened=opened)
                )
        except SipsyncError as error:
            events.failed(error.diagnostics)
            session.json = session.json and not json_events
            raise
    events.applied(outcome)
    # A fresh plan that holds nothing but errors was shown already.
    shown = json_events or (not plan_file and output.format == "text" and plan.errored and not plan.applyable)
    output = replace(output, format=None) if shown else output
    told = None if plan_file else fleet.broken
    written = _publish(session, outcome, output, told_above=told, everything=everything)
    return worst([written, outcome.exit, Exit.INTERRUPTED if stopped else Exit.OK])


def _publish(
    session: Session, outcome: Outcome, output: Output, *, told_above: Sequence[str] | None, everything: bool
) -> Exit:
    """Print the outcome and write its reports; a plan that was shown told why these portals' files are wrong."""
    session.writing = any(line.calls for line in outcome.lines)
    shown = outcome
    if told_above is not None and output.format == "text":
        write("\n")
        shown = _without(outcome, told_above)
    written = publish(session, shown, replace(output, reports=()), everything=everything)
    written = worst([written, publish(session, outcome, replace(output, format=None), everything=everything)])
    return Exit.PARTIAL if session.writing and written is Exit.ERROR else written  # lines were written, untold


def _without(outcome: Outcome, broken: Sequence[str]) -> Outcome:
    """The outcome with the errors of the files, which the plan has told, counted."""
    parts, told = [], [*outcome.problems]
    for part in outcome.parts:
        if part.portal in broken:
            told += part.diagnostics
            part = part.model_copy(update={"diagnostics": ()})
        parts.append(part)
    summary = counted(
        len(told),
        "an error of the files, told above, keeps its portal out",
        "{count} errors of the files, told above, keep their portals out",
    )
    problems = tuple(Diagnostic(first.code, summary) for first in told[:1])
    return outcome.model_copy(update={"problems": problems, "parts": tuple(parts)})


def _show_and_ask(session: Session, plan: Plan, events: EventStream, *, asks: bool, everything: bool) -> None:
    """Show a fresh plan and, where that is wanted, have it approved."""
    from sipsync.report import render
    from sipsync.report.wording import count

    events.planned(plan)
    beside = session.json
    style = session.style(err=beside, everything=everything)
    write(render(plan, "text", style), err=beside, color=session.in_color(err=beside))
    destroys = plan.summary.destroy
    warning = Message("  This deletes {lines} for good.\n", lines=count(destroys, "line")) if destroys else Message()
    question = Message(
        "\nDo you want to perform these actions?\n{warning}  sipsync will perform the actions described above.\n"
        "  Only 'yes' will be accepted to approve.\n\n  Enter a value: ",
        warning=warning,
    )
    if asks and plan.applyable:
        session.must_ask("apply", Message("Give --yes, or --plan FILE with a plan that was reviewed."))
        if not session.approved(question):
            raise SipsyncError(Diagnostic(Code.DECLINED, Message("not approved; nothing was sent")))


def _operators_command(name: str | None, operator: Operator) -> tuple[str, ...] | None:
    """The operator's command of that name."""
    if name is not None and name not in operator.commands:
        hint = Message("Give --secret-command {name}=COMMAND as well.", name=name)
        raise usage_error(Message("--check-command names {name!r}, which nothing defines", name=name), hint)
    return operator.commands[name] if name is not None else None
