"""`sipsync doctor`: what is in the way between here and the lines, and what to do about it in Bitrix24."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sipsync.cli.group import make_command
from sipsync.cli.options import OperatorOptions, format_option, operator_options, paths_argument
from sipsync.cli.output import publish
from sipsync.cli.progress import progress
from sipsync.cli.session import Session
from sipsync.cli.types import Output
from sipsync.model.problems import Exit


@make_command(
    "doctor",
    "Check credential, scope, rights, clock and connector of each portal; say what to do. Changes nothing.",
    "sipsync doctor",
    "sipsync doctor portals/acme.yaml --format json",
)
@paths_argument
@format_option("text", "json")
@operator_options
def command(session: Session, paths: tuple[Path, ...], limits: OperatorOptions, output: Output) -> Exit:
    from sipsync import api

    session.json = output.format == "json"
    fleet = api.load(paths, limits.operator(session, paths))
    with progress(session, len(fleet.portals)) as on_event:
        diagnosis = asyncio.run(api.adoctor(fleet, on_event))
    publish(session, diagnosis, output)
    return diagnosis.exit
