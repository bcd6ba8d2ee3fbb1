"""`sipsync snapshot`: what the portals hold, without passwords, for plans that have no credential."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import OperatorOptions, operator_options, paths_argument
from sipsync.cli.session import Session
from sipsync.model.problems import Exit


@click.command(
    "snapshot",
    cls=Command,
    help="Save what the portals hold now: dated, sealed, without passwords. plan --against compares with it.",
    examples=["sipsync snapshot --out snapshot.json", "sipsync plan --against snapshot.json"],
)
@paths_argument
@option("--out", type=click.Path(path_type=Path), metavar="FILE", required=True, help="The file to write.")
@operator_options
@click.pass_obj
def command(session: Session, paths: tuple[Path, ...], limits: OperatorOptions, out: Path) -> Exit:
    from sipsync import api
    from sipsync.cli import streams
    from sipsync.cli.progress import progress
    from sipsync.cli.work import load
    from sipsync.report.wording import count

    fleet = load(session, paths, limits)
    with progress(session, len(fleet.portals)) as on_event:
        state = asyncio.run(api.asnapshot(fleet, on_event=on_event))
    api.write_state(out, state)
    lines = count(sum(len(portal.lines) for portal in state.portals), "line")
    streams.write(f"{out}: {lines} of {count(len(state.portals), 'portal')}, without passwords.\n")
    return Exit.OK
