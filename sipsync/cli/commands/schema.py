"""`sipsync schema`: the JSON Schema of the file, for editors; of the plan and of the events, for programs."""

from __future__ import annotations

import json

from sipsync.cli import scaffold
from sipsync.cli.group import make_command, option
from sipsync.cli.output import usage_error
from sipsync.cli.session import Session, write
from sipsync.model.message import Message
from sipsync.model.problems import Exit


@make_command(
    "schema",
    "Print the JSON Schema of the file. Editors complete and explain its keys with it.",
    "sipsync schema --write                  # into .sipsync/schema.json, which files name in their first line",
    "sipsync schema --plan > plan.schema.json",
)
@option("--write", "into_file", is_flag=True, help="Write it where the first line of the files looks for it.")
@option("--plan", "of_plan", is_flag=True, help="The schema of plan --format json.")
@option("--events", "of_events", is_flag=True, help="The schema of one line of --json-events.")
def command(_session: Session, into_file: bool, of_plan: bool, of_events: bool) -> Exit:
    from sipsync.report.schemas import schema

    if of_plan + of_events + into_file > 1:
        summary = Message("--plan, --events and --write exclude each other")
        raise usage_error(summary, Message("Give one of the three."))
    if into_file:
        from sipsync import api

        write(f"{scaffold.write_schema(api.find_root()).as_posix()}\n")
    elif of_plan or of_events:
        write(json.dumps(schema("plan" if of_plan else "events"), indent=2, ensure_ascii=False) + "\n")
    else:
        write(scaffold.schema_text())
    return Exit.OK
