"""`sipsync validate`: all findings in files, without asking any portal."""

from __future__ import annotations

from pathlib import Path

from sipsync.cli.group import make_command
from sipsync.cli.options import OperatorOptions, operator_options, output_options, paths_argument
from sipsync.cli.output import publish
from sipsync.cli.session import Session
from sipsync.cli.types import Output
from sipsync.model.problems import Exit, worst


@make_command(
    "validate",
    "Check files. No portal is asked and no secret is read. Exits with 3 where something is wrong.",
    "sipsync validate",
    "sipsync validate portals/ --format sarif > sipsync.sarif",
)
@paths_argument
@output_options("Findings")
@operator_options
def command(session: Session, paths: tuple[Path, ...], limits: OperatorOptions, output: Output) -> Exit:
    from sipsync import api

    session.json = output.format == "json"
    findings = api.check(paths, limits.operator(session, paths))
    return worst([publish(session, findings, output), Exit.OK if findings.valid else Exit.FINDINGS])
