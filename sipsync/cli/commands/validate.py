"""`sipsync validate`: all findings in files, without asking any portal."""

from __future__ import annotations

from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, PortalsOptions, files_options, output_options, portals_options
from sipsync.cli.output import publish
from sipsync.cli.session import Session
from sipsync.cli.types import Output
from sipsync.model.problems import Exit, worst


@make_command(
    "validate",
    "Check files. No portal is asked and no secret is read. Exits with 3 where something is wrong.",
    "sipsync validate",
    "sipsync validate --portal acme",
    "sipsync validate portals/ --format sarif > sipsync.sarif",
)
@output_options("Findings")
@portals_options
@option("--all", "everything", is_flag=True, help="List every place, also where many have the same finding.")
@files_options
def command(
    session: Session, limits: OperatorOptions, select: PortalsOptions, output: Output, everything: bool
) -> Exit:
    from sipsync import api

    session.json = output.format == "json"
    findings = api.check(
        limits.paths, limits.operator(session), portals=select.portals, selection=select.selection() if select else None
    )
    shown = publish(session, findings, output, everything=everything)
    return worst([shown, Exit.OK if findings.valid else Exit.FINDINGS])
