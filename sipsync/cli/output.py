"""A document in every form that was asked for: on stdout, and in files. What can be rendered is, whatever fails."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sipsync.cli import failures, streams
from sipsync.cli.types import Report
from sipsync.model.problems import Exit, worst

if TYPE_CHECKING:
    from sipsync.cli.session import Session
    from sipsync.report import Rendered


def publish(
    session: Session,
    document: Rendered,
    format_: str | None,
    reports: Sequence[Report] = (),
    *,
    everything: bool = False,
) -> Exit:
    """Print a document and write its reports; ERROR where a report can't be written. No format prints nothing."""
    from sipsync.report import Style, render

    if format_ is not None:
        people = format_ == "text"
        style = session.style(everything=everything) if people else Style(lang=session.lang, all=everything)
        streams.write(render(document, format_, style), color=people and session.in_color())
        session.json = False
    exits = []
    for report in reports:
        text = render(document, report.format, Style(lang=session.lang, all=everything))
        exits.append(write_file(session, report.file, text))
    return worst(exits)


def write_file(session: Session, file: Path, text: str, *, append: bool = False) -> Exit:
    """Write a file that the user named, and tell why where that can't be done."""
    from sipsync.disk.files import unwritable

    try:
        with file.open("a" if append else "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        failures.show(unwritable(file, error).diagnostics, session)
        return Exit.ERROR
    return Exit.OK


def text_of(file: Path) -> str:
    """A file's text, to be written back: a byte-order mark of UTF-8 stays, UTF-16 becomes UTF-8."""
    from sipsync.config.paths import read_source

    text = read_source(file, file.as_posix()).text
    return f"\ufeff{text}" if file.read_bytes().startswith(codecs.BOM_UTF8) else text
