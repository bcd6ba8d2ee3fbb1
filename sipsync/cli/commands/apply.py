"""`sipsync apply`: plan, show, ask, carry out; or carry out a saved plan, which counts as approved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import (
    OUTCOME_FORMATS,
    OperatorOptions,
    format_option,
    input_option,
    json_events_option,
    operator_options,
    pace_options,
    paths_argument,
    report_option,
    selection_options,
    typed,
)
from sipsync.cli.session import Session
from sipsync.cli.types import Duration, Report, Seconds
from sipsync.model.message import Message
from sipsync.model.options import ApplyOptions, PlanOptions, Selection
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, UsageError, worst

if TYPE_CHECKING:
    from sipsync.cli.events import EventStream
    from sipsync.model.lines import Fleet
    from sipsync.model.operator import Operator
    from sipsync.model.outcome import Outcome
    from sipsync.model.plan import Plan


@click.command(
    "apply",
    cls=Command,
    help="Plan, show the plan, ask, and carry it out. With --plan carry out a saved plan, and nothing else.",
    examples=[
        "sipsync apply",
        "sipsync apply --dry-run                 # every step but the writing calls",
        "sipsync apply --plan acme.plan.json     # what was reviewed, or nothing",
        "sipsync apply --yes --wait 60           # unattended; waits for the registrations",
        "sipsync apply --line acme.sales",
    ],
)
@paths_argument
@option("--plan", "plan_file", type=click.Path(path_type=Path), metavar="FILE", help="The saved plan to carry out.")
@option("--yes", "-y", is_flag=True, help="Do not ask.")
@option("--dry-run", is_flag=True, help="Go through all of it and print the exact calls; send no writing call.")
@option("--wait", type=Seconds(), default=0.0, metavar="SECONDS", help="Wait so long for lines to register.")
@option("--canary", is_flag=True, help="Change one line first; if it does not register, set it back and stop.")
@format_option(OUTCOME_FORMATS)
@report_option(OUTCOME_FORMATS)
@selection_options
@option("--expect-plan", "expect", metavar="DIGEST", help="Refuse any plan but the one of this digest.")
@option("--strict", is_flag=True, fleet=True, help="Touch nothing where anything is not as planned.")
@option("--max-failures", type=click.IntRange(1), default=10, fleet=True, help="Stop a portal after so many.")
@option(
    "--check-command", "check_name", metavar="NAME", fleet=True, help="The --secret-command that checks office lines."
)
@option("--lock-timeout", type=Seconds(), default=60.0, metavar="SECONDS", fleet=True, help="Wait for another run.")
@option("--max-plan-age", type=Duration(), default="7d", fleet=True, help="The oldest plan to carry out.")
@input_option
@json_events_option
@pace_options
@operator_options
@click.pass_obj
@typed("selection", Selection)
@typed("options", ApplyOptions)
def command(
    session: Session,
    paths: tuple[Path, ...],
    limits: OperatorOptions,
    options: ApplyOptions,
    portals: tuple[str, ...],
    selection: Selection,
    plan_file: Path | None,
    yes: bool,
    format_: str,
    reports: tuple[Report, ...],
    may_ask: bool,
    json_events: bool,
    check_name: str | None,
) -> Exit:
    from sipsync import api
    from sipsync.cli import streams
    from sipsync.cli.events import EventStream
    from sipsync.cli.output import publish
    from sipsync.cli.work import load

    session.input, session.json = may_ask, format_ == "json" or json_events
    asks = not (plan_file or yes or options.dry_run)
    if plan_file and (portals or selection != Selection()):
        raise _usage(
            Message("the selection is part of a saved plan"),
            Message("Give --portal, --line and the like to plan instead."),
        )
    if asks and not session.can_ask():
        from sipsync.cli.questions import no_terminal

        raise no_terminal("apply", Message("Give --yes, or --plan FILE with a plan that was reviewed."))
    events = EventStream(wanted=json_events)
    try:
        fleet = load(session, paths, limits)
        options = replace(options, check_command=_operators_command(check_name, fleet.operator))
        if plan_file:
            plan = api.read_plan(plan_file)
        else:
            wanted = PlanOptions(portals, selection, parallel=options.parallel, timeout=options.timeout)
            plan = _plan_and_ask(session, fleet, wanted, events, asks=asks)
        outcome, stopped = _carry_out(session, plan, fleet, options, events)
    except SipsyncError as error:
        events.failed(error.diagnostics)
        session.json = session.json and not json_events
        raise
    session.writing = any(line.calls for line in outcome.lines)
    events.applied(outcome)
    # A fresh plan that holds nothing but errors was shown already.
    told = json_events or (format_ == "text" and not plan_file and plan.errored and not _anything_to_do(plan))
    if format_ == "text" and not plan_file and not told:
        streams.write("\n")
    written = publish(session, outcome, None if told else format_, reports)
    if session.writing and written is Exit.ERROR:
        written = Exit.PARTIAL  # lines were written, and the report of that was not
    return worst([written, outcome.exit, Exit.INTERRUPTED if stopped else Exit.OK])


def _plan_and_ask(session: Session, fleet: Fleet, options: PlanOptions, events: EventStream, *, asks: bool) -> Plan:
    """A fresh plan that was shown and, where that is wanted, approved."""
    from sipsync.cli import streams
    from sipsync.cli.questions import approved
    from sipsync.cli.work import make_plan
    from sipsync.report import render

    plan = make_plan(session, fleet, options, events)
    events.planned(plan)
    beside = session.json
    color = session.in_color(err=beside)
    streams.write(render(plan, "text", session.style(err=beside)), err=beside, color=color)
    if asks and _anything_to_do(plan) and not approved(session, destroys=plan.summary.destroy):
        raise SipsyncError(Diagnostic(Code.DECLINED, Message("not approved; nothing was sent")))
    return plan


def _anything_to_do(plan: Plan) -> bool:
    return any(part.changes and part.exit is Exit.OK for part in plan.parts)


def _carry_out(
    session: Session, plan: Plan, fleet: Fleet, options: ApplyOptions, events: EventStream
) -> tuple[Outcome, bool]:
    """What became of the plan, and whether a signal stopped it."""
    from sipsync import api
    from sipsync.cli.progress import progress
    from sipsync.cli.signals import run_stoppable

    session.writing = not options.dry_run
    with progress(session, len(plan.parts), events) as on_event:
        return run_stoppable(lambda stop: api.aapply(plan, fleet, options, on_event, stop))


def _operators_command(name: str | None, operator: Operator) -> tuple[str, ...] | None:
    """The operator's command of that name."""
    if name is not None and name not in operator.commands:
        raise _usage(
            Message("there is no command {name!r}", name=name),
            Message("Define it: --secret-command {name}=COMMAND.", name=name),
        )
    return operator.commands[name] if name is not None else None


def _usage(summary: Message, hint: Message) -> UsageError:
    return UsageError(Diagnostic(Code.USAGE, summary, hint=hint))
