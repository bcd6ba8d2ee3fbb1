"""`sipsync snapshot`: what the portals hold, without passwords, for plans that have no credential."""

from __future__ import annotations

from pathlib import Path

from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, PortalsOptions, files_options, portals_options
from sipsync.cli.output import show
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE
from sipsync.cli.work import ask
from sipsync.model.message import Message
from sipsync.model.problems import Exit


@make_command(
    "snapshot",
    "Save what the portals hold now: dated, sealed, without passwords. plan --against compares with it.",
    "sipsync snapshot --out snapshot.json",
    "sipsync plan --against snapshot.json",
)
@option("--out", type=FILE, required=True, help="The file to write.")
@portals_options
@files_options
def command(session: Session, limits: OperatorOptions, select: PortalsOptions, out: Path) -> Exit:
    from sipsync import api
    from sipsync.report.wording import count

    state = ask(session, select.of(limits.fleet(session, select.portals)), api.asnapshot)
    api.write_state(out, state)
    lines = count(sum(len(portal.lines) for portal in state.portals), "line")
    portals = count(len(state.portals), "portal")
    write(Message("{out}: {lines} of {portals}, without passwords.\n", out=out, lines=lines, portals=portals))
    if state.diagnostics:
        show(state.diagnostics, session)
    return state.exit
