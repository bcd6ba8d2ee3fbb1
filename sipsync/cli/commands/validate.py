"""`sipsync validate`: all findings in files, without asking any portal."""

from __future__ import annotations

from pathlib import Path

import click

from sipsync.cli.group import Command
from sipsync.cli.options import (
    FINDINGS_FORMATS,
    OperatorOptions,
    format_option,
    operator_options,
    paths_argument,
    report_option,
)
from sipsync.cli.session import Session
from sipsync.cli.types import Report
from sipsync.model.problems import Exit, worst


@click.command(
    "validate",
    cls=Command,
    help="Check files. No portal is asked and no secret is read. Exits with 3 where something is wrong.",
    examples=["sipsync validate", "sipsync validate portals/ --format sarif > sipsync.sarif"],
)
@paths_argument
@format_option(FINDINGS_FORMATS)
@report_option(FINDINGS_FORMATS)
@operator_options
@click.pass_obj
def command(
    session: Session, paths: tuple[Path, ...], limits: OperatorOptions, format_: str, reports: tuple[Report, ...]
) -> Exit:
    from sipsync import api
    from sipsync.cli.output import publish

    session.json = format_ == "json"
    findings = api.check(paths, limits.operator(session, paths))
    written = publish(session, findings, format_, reports)
    return worst([written, Exit.OK if findings.valid else Exit.FINDINGS])
