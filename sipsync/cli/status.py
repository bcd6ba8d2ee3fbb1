"""`sipsync status`: whether the lines are registered, as the portal stored it or, with --live, as it is now."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import Limits, format_option, operator_options, paths_argument
from sipsync.cli.session import Session
from sipsync.model.problems import Exit


@click.command(
    "status",
    cls=Command,
    help="Show every line's registration as the portal stored it; that may be old.",
    examples=["sipsync status", "sipsync status --live", "sipsync status --incoming --format json"],
)
@paths_argument
@option("--live", is_flag=True, help="Ask the telephony operator. Portal users may get a notification.")
@option("--incoming", is_flag=True, help="Show the server and login that an office PBX has to use.")
@format_option(("text", "json"))
@operator_options
@click.pass_obj
def command(
    session: Session, paths: tuple[Path, ...], limits: Limits, live: bool, incoming: bool, format_: str
) -> Exit:
    from sipsync import api
    from sipsync.cli.output import publish
    from sipsync.cli.progress import progress
    from sipsync.cli.work import load

    session.json = format_ == "json"
    fleet = load(session, paths, limits)
    if live:
        session.say("Asking the telephony operator; where a registration changed, portal users are notified.")
    with progress(session, len(fleet.portals)) as on_event:
        status = asyncio.run(api.astatus(fleet, live=live, on_event=on_event))
    publish(session, status, format_, everything=incoming)
    return status.exit
