"""`sipsync snapshot`: what the portals hold, without passwords, for plans that have no credential."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, operator_options, paths_argument
from sipsync.cli.progress import progress
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE
from sipsync.model.message import Message
from sipsync.model.problems import Exit


@make_command(
    "snapshot",
    "Save what the portals hold now: dated, sealed, without passwords. plan --against compares with it.",
    "sipsync snapshot --out snapshot.json",
    "sipsync plan --against snapshot.json",
)
@paths_argument
@option("--out", type=FILE, required=True, help="The file to write.")
@operator_options
def command(session: Session, paths: tuple[Path, ...], limits: OperatorOptions, out: Path) -> Exit:
    from sipsync import api
    from sipsync.report.wording import count

    fleet = api.load(paths, limits.operator(session, paths))
    with progress(session, len(fleet.portals)) as on_event:
        state = asyncio.run(api.asnapshot(fleet, on_event))
    api.write_state(out, state)
    lines = count(sum(len(portal.lines) for portal in state.portals), "line")
    portals = count(len(state.portals), "portal")
    write(Message("{out}: {lines} of {portals}, without passwords.\n", out=out, lines=lines, portals=portals))
    return Exit.OK
