"""`sipsync fmt`: files in the one layout, as UTF-8. Comments, blank lines, quotes and kinds of line ends stay."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import OperatorOptions, operator_options, paths_argument
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, Span


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
def command(session: Session, paths: tuple[Path, ...], limits: OperatorOptions, check: bool, diff: bool) -> Exit:
    from sipsync.cli import failures, streams
    from sipsync.config.paths import find
    from sipsync.disk.files import write_file

    found = find(paths, Path(limits.operator(session, paths).root))
    problems = list(found.diagnostics)
    for source in found.sources.values():
        try:
            before, after = _texts(Path(source.name))
            if after.encode() == Path(source.name).read_bytes():
                continue
            if diff:
                streams.write(_difference(source.name, before, after))
            if check:
                problems.append(_not_formatted(source.name))
            else:
                write_file(Path(source.name), after.encode())
                streams.write(f"{source.name}\n")
        except SipsyncError as error:
            problems += error.diagnostics
    if problems:
        failures.show(problems, session)
    return Exit.OK if not problems else Exit.FINDINGS if check else Exit.ERROR


def _texts(file: Path) -> tuple[str, str]:
    """The file's text as it is, and in the one layout."""
    from sipsync.cli.output import text_of
    from sipsync.config.writer.layout import format_text

    text = text_of(file)
    return text, format_text(text, file.as_posix())


def _difference(name: str, before: str, after: str) -> str:
    """What changes, without what may be a secret: a job's log keeps it, and `fmt` runs on files that nobody checked."""
    from sipsync.report.escape import visible

    lines = unified_diff(_shown(name, before), _shown(name, after), name, f"{name} (formatted)", lineterm="")
    return "".join(f"{visible(line)}\n" for line in lines)


def _shown(name: str, text: str) -> list[str]:
    from sipsync.config.reader.source import Source
    from sipsync.config.reader.yaml import read

    source = Source(name, text)
    read(source)
    return source.masked().splitlines()


def _not_formatted(name: str) -> Diagnostic:
    return Diagnostic(
        Code.NOT_FORMATTED,
        Message("the file is not in the one layout"),
        hint=Message("Write it anew: `sipsync fmt {name}`.", name=name),
        at=Span(name, 1),
    )
