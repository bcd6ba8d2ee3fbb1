"""`sipsync doctor`: what is in the way between here and the lines, and what to do about it in Bitrix24."""

from __future__ import annotations

from sipsync.cli.group import make_command
from sipsync.cli.options import OperatorOptions, PortalsOptions, files_options, format_option, portals_options
from sipsync.cli.output import publish
from sipsync.cli.session import Session
from sipsync.cli.types import Output
from sipsync.cli.work import ask
from sipsync.model.problems import Exit


@make_command(
    "doctor",
    "Check credential, scope, rights, clock and connector of each portal; say what to do. Changes nothing.",
    "sipsync doctor",
    "sipsync doctor --portal 'acme*'",
    "sipsync doctor portals/acme.yaml --format json",
)
@format_option("text", "json")
@portals_options
@files_options
def command(session: Session, limits: OperatorOptions, select: PortalsOptions, output: Output) -> Exit:
    from sipsync import api

    session.json = output.format == "json"
    diagnosis = ask(session, select.of(limits.fleet(session, select.portals)), api.adoctor)
    publish(session, diagnosis, output)
    return diagnosis.exit
