"""`sipsync fmt`: files in the one layout, as UTF-8. Comments, blank lines, quotes and kinds of line ends stay."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, files_options
from sipsync.cli.output import show
from sipsync.cli.scaffold import SCHEMA, schema_text
from sipsync.cli.session import Session, write
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, Span


@make_command(
    "fmt",
    "Write files in the one layout. Comments stay; number-like text is quoted, so that every reader sees text.",
    "sipsync fmt",
    "sipsync fmt --check --diff portals/",
)
@option("--check", is_flag=True, help="Write nothing; exit with 3 where a file would change.")
@option("--diff", is_flag=True, help="Show what changes.")
@files_options
def command(session: Session, limits: OperatorOptions, check: bool, diff: bool) -> Exit:
    from sipsync.config.paths import editable_text, find
    from sipsync.config.writer.layout import format_text
    from sipsync.disk.files import refuse_outside, write_file

    root = Path(limits.operator(session).root)
    sources = find(limits.paths, root)
    problems = list(sources.diagnostics)
    for name in [source.name for source in sources.sources.values()]:
        try:
            refuse_outside(Path(name))
            before = editable_text(Path(name))
            after = format_text(before, name)
            if after.encode() == Path(name).read_bytes():
                continue
            if diff:
                write(_difference(name, before, after))
            if check:
                hint = Message("Write it anew: `sipsync fmt {name}`.", name=name)
                summary = Message("the file is not in the one layout")
                problems.append(Diagnostic(Code.NOT_FORMATTED, summary, hint=hint, at=Span(name, 1)))
            else:
                write_file(Path(name), after.encode())
                write(f"{name}\n")
        except SipsyncError as error:
            problems += error.diagnostics
    folders = {root, *(Path(source.name).parent for source in sources.sources.values())}
    for schema in sorted(folder / SCHEMA for folder in folders if _is_old(folder / SCHEMA)):
        if check:
            hint = Message("Write it anew: `sipsync fmt`, or `sipsync schema --write`.")
            summary = Message("the schema that editors use is another version's")
            problems.append(Diagnostic(Code.NOT_FORMATTED, summary, hint=hint, at=Span(schema.as_posix(), 1)))
        else:
            write_file(schema, schema_text().encode())
            write(f"{schema.as_posix()}\n")
    if problems:
        show(problems, session)
    return Exit.OK if not problems else Exit.FINDINGS if check else Exit.ERROR


def _is_old(schema: Path) -> bool:
    return schema.is_file() and schema.read_text("utf-8", "replace") != schema_text()


def _difference(name: str, before: str, after: str) -> str:
    """What changes, without what may be a secret: a job's log keeps it, and `fmt` runs on files that nobody checked."""
    from sipsync.config.reader.source import Source
    from sipsync.config.reader.yaml import read
    from sipsync.report.escape import visible

    def shown(text: str) -> list[str]:
        source = Source(name, text)
        read(source)
        return source.masked().splitlines()

    lines = unified_diff(shown(before), shown(after), name, f"{name} (formatted)", lineterm="")
    return "".join(f"{visible(line)}\n" for line in lines)
