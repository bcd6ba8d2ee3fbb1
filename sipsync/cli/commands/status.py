"""`sipsync status`: whether the lines are registered, as the portal stored it or, with --live, as it is now."""

from __future__ import annotations

from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, PortalsOptions, files_options, format_option, portals_options
from sipsync.cli.output import publish
from sipsync.cli.session import Session
from sipsync.cli.types import Output
from sipsync.cli.work import ask
from sipsync.model.message import Message
from sipsync.model.problems import Exit


@make_command(
    "status",
    "Show every line's registration as the portal stored it; that may be old.",
    "sipsync status",
    "sipsync status --live",
    "sipsync status --incoming --format json",
)
@option("--live", is_flag=True, help="Ask the telephony operator. Portal users may get a notification.")
@option("--incoming", is_flag=True, help="Show the server and login that an office PBX has to use.")
@format_option("text", "json")
@portals_options
@files_options
def command(
    session: Session, limits: OperatorOptions, select: PortalsOptions, live: bool, incoming: bool, output: Output
) -> Exit:
    from sipsync import api

    session.json = output.format == "json"
    fleet = select.of(limits.fleet(session, select.portals), by_line=True)
    if live:
        session.say(Message("Asking the telephony operator; where a registration changed, portal users are notified."))
    status = ask(session, fleet, lambda fleet, on_event: api.astatus(fleet, live=live, on_event=on_event))
    if select.lines or select.exclude:
        wanted = select.selection()
        lines = tuple(
            line
            for line in status.lines
            if (wanted.selects(line.address) if line.address is not None else not select.lines)
        )
        status = status.model_copy(update={"lines": lines})
    if not incoming:  # what an office PBX signs in with is nobody else's business
        hidden = {"incoming_server": "", "incoming_login": ""}
        lines = tuple(line.model_copy(update=hidden) for line in status.lines)
        status = status.model_copy(update={"lines": lines})
    publish(session, status, output)
    return status.exit
