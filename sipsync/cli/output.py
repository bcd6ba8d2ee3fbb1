"""A document in every form that was asked for: on stdout, and in files. What can be rendered is, whatever fails."""

from __future__ import annotations

import codecs
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sipsync.cli import failures, streams
from sipsync.cli.types import Report
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, worst

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
    try:
        with file.open("a" if append else "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        failures.show([unwritable(file, error)], session)
        return Exit.ERROR
    return Exit.OK


def unwritable(file: Path, error: OSError) -> Diagnostic:
    """The finding that a file can't be written."""
    reason = (error.strerror or type(error).__name__).lower()
    return Diagnostic(
        Code.UNWRITABLE,
        Message("{file} can't be written: {reason}", file=file, reason=reason),
        hint=Message("Check that the folder exists and that you may write there."),
    )


def text_of(file: Path) -> str:
    """A file's text, to be written back by `replace_file`: a byte-order mark of UTF-8 stays, UTF-16 becomes UTF-8."""
    from sipsync.config.paths import read_source

    text = read_source(file, file.as_posix()).text
    return f"\ufeff{text}" if file.read_bytes().startswith(codecs.BOM_UTF8) else text


def replace_file(file: Path, data: bytes) -> None:
    """Write a file of the user's whole or not at all; who may read it stays as it was. Raises SipsyncError."""
    real = file.resolve()
    try:
        descriptor, temporary = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            shutil.copymode(real, temporary)
            os.replace(temporary, real)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise SipsyncError(unwritable(file, error)) from None
