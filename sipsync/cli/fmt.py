"""`sipsync fmt`: files in the one layout, as UTF-8. Comments, blank lines, quotes and kinds of line ends stay."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import Limits, operator_options, paths_argument
from sipsync.cli.session import Session
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, Span

if TYPE_CHECKING:
    from sipsync.config.source import Source


@click.command(
    "fmt",
    cls=Command,
    help="Write files in the one layout. Comments stay; number-like text is quoted, so that every reader sees text.",
    examples=["sipsync fmt", "sipsync fmt --check --diff portals/"],
)
@paths_argument
@option("--check", is_flag=True, help="Write nothing; exit with 3 where a file would change.")
@option("--diff", is_flag=True, help="Show what changes.")
@operator_options
@click.pass_obj
def command(session: Session, paths: tuple[Path, ...], limits: Limits, check: bool, diff: bool) -> Exit:
    from sipsync.cli import failures, streams
    from sipsync.cli.output import replace_file
    from sipsync.config.paths import find

    found = find(paths, Path(limits.operator(session, paths).root))
    problems = list(found.diagnostics)
    for source in found.sources:
        try:
            text = _formatted(source)
            if text is None:
                continue
            if diff:
                streams.write(_difference(source, text))
            if check:
                problems.append(_not_formatted(source))
            else:
                replace_file(_path(source), text.encode())
                streams.write(f"{source.name}\n")
        except SipsyncError as error:
            problems += error.diagnostics
    if problems:
        failures.show(problems, session)
    return Exit.OK if not problems else Exit.FINDINGS if check else Exit.ERROR


def _path(source: Source) -> Path:
    return source.path or Path(source.name)


def _formatted(source: Source) -> str | None:
    """The file's text in the one layout; None where the file has it already, to the byte."""
    from sipsync.config.write import format_text

    text = format_text(source.text, source.name)
    return None if text.encode() == _path(source).read_bytes() else text


def _difference(source: Source, text: str) -> str:
    from sipsync.report.escape import visible

    lines = unified_diff(
        source.text.splitlines(), text.splitlines(), source.name, f"{source.name} (formatted)", lineterm=""
    )
    return "".join(f"{visible(line)}\n" for line in lines)


def _not_formatted(source: Source) -> Diagnostic:
    at = Span(source.name, 1)
    return Diagnostic(Code.NOT_FORMATTED, "the file is not in the one layout", f"sipsync fmt {source.name}", at)
