"""`sipsync schema`: the JSON Schema of the file, for editors; of the plan and of the events, for programs."""

from __future__ import annotations

import json

import click

from sipsync.cli.group import Command, option
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, UsageError


@click.command(
    "schema",
    cls=Command,
    help="Print the JSON Schema of the file. Editors complete and explain its keys with it.",
    examples=[
        "sipsync schema > .sipsync/schema.json",
        "# the first line of the file:  # yaml-language-server: $schema=.sipsync/schema.json",
        "sipsync schema --plan > plan.schema.json",
    ],
)
@option("--plan", "of_plan", is_flag=True, help="The schema of plan --format json.")
@option("--events", "of_events", is_flag=True, help="The schema of one line of --json-events.")
@click.pass_obj
def command(_session: Session, of_plan: bool, of_events: bool) -> Exit:
    from sipsync.cli import streams

    if of_plan and of_events:
        raise UsageError(
            Diagnostic(Code.USAGE, Message("--plan and --events are two schemas"), hint=Message("Give one of them."))
        )
    streams.write(json.dumps(_schema(of_plan=of_plan, of_events=of_events), indent=2, ensure_ascii=False) + "\n")
    return Exit.OK


def _schema(*, of_plan: bool, of_events: bool) -> object:
    if of_plan or of_events:
        from sipsync.report.schemas import schema

        return schema("plan" if of_plan else "events")
    from sipsync.config.schema import json_schema

    return json_schema()
