"""`sipsync schema`: the JSON Schema of the file, for editors; of the plan and of the events, for programs."""

from __future__ import annotations

import json

from sipsync.cli.group import make_command, option
from sipsync.cli.output import usage_error
from sipsync.cli.session import Session, write
from sipsync.model.message import Message
from sipsync.model.problems import Exit


@make_command(
    "schema",
    "Print the JSON Schema of the file. Editors complete and explain its keys with it.",
    "sipsync schema > .sipsync/schema.json",
    "# the first line of the file:  # yaml-language-server: $schema=.sipsync/schema.json",
    "sipsync schema --plan > plan.schema.json",
)
@option("--plan", "of_plan", is_flag=True, help="The schema of plan --format json.")
@option("--events", "of_events", is_flag=True, help="The schema of one line of --json-events.")
def command(_session: Session, of_plan: bool, of_events: bool) -> Exit:
    from sipsync.config.schema import json_schema
    from sipsync.report.schemas import schema

    if of_plan and of_events:
        raise usage_error(Message("--plan and --events are two schemas"), Message("Give one of them."))
    wanted = schema("plan") if of_plan else schema("events") if of_events else json_schema()
    write(json.dumps(wanted, indent=2, ensure_ascii=False) + "\n")
    return Exit.OK
