"""`sipsync doctor`: what is in the way between here and the lines, and what to do about it in Bitrix24."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from sipsync.cli.group import Command
from sipsync.cli.options import OperatorOptions, format_option, operator_options, paths_argument
from sipsync.cli.session import Session
from sipsync.model.problems import Exit


@click.command(
    "doctor",
    cls=Command,
    help="Check credential, scope, rights, clock and connector of each portal; say what to do. Changes nothing.",
    examples=["sipsync doctor", "sipsync doctor portals/acme.yaml --format json"],
)
@paths_argument
@format_option(("text", "json"))
@operator_options
@click.pass_obj
def command(session: Session, paths: tuple[Path, ...], limits: OperatorOptions, format_: str) -> Exit:
    from sipsync import api
    from sipsync.cli.output import publish
    from sipsync.cli.progress import progress
    from sipsync.cli.work import load

    session.json = format_ == "json"
    fleet = load(session, paths, limits)
    with progress(session, len(fleet.portals)) as on_event:
        diagnosis = asyncio.run(api.adoctor(fleet, on_event=on_event))
    publish(session, diagnosis, format_)
    return diagnosis.exit
