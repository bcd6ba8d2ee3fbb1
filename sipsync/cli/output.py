"""What a command brings forth: documents in every form that was asked for, the user's files, and why it can't go on.

What can be rendered is, whatever fails. A failure is told on stderr for people, on stdout as one JSON document where
that was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sipsync.cli.session import Session, write
from sipsync.cli.types import Output
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, UsageError, internal, way_to, worst

if TYPE_CHECKING:
    from sipsync.model.document import Report
    from sipsync.model.plan import Plan

_SUMMARY_BUDGET = 1024 * 1024
"""Bytes; a longer summary is not cut by GitHub but refused (documented)."""


def publish(
    session: Session, document: Report, output: Output, *, everything: bool = False, drift: bool = False
) -> Exit:
    """Print a document and write its reports; ERROR where a report can't be written. No format prints nothing."""
    from sipsync.report import Style, render

    if output.format is not None:
        people = output.format == "text"
        style = session.style(everything=everything) if people else Style(lang=session.lang, all=everything)
        style = replace(style, drift=drift)
        write(render(document, output.format, style), color=people and session.in_color())
        session.json = False
    style = Style(lang=session.lang, all=everything, drift=drift)
    return worst(write_report(session, to.file, render(document, to.format, style)) for to in output.reports)


# --- files ---


def write_report(session: Session, file: Path, text: str, *, append: bool = False) -> Exit:
    """Write a file that the user named as it is, be it a pipe or a device, and tell why where that can't be done."""
    from sipsync.disk.files import refuse_outside, unwritable

    try:
        refuse_outside(file)
        try:
            with file.open("a" if append else "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            raise unwritable(file, error) from None
    except SipsyncError as error:
        show(error.diagnostics, session)
        return Exit.ERROR
    return Exit.OK


def write_new(file: Path, text: str) -> None:
    """Write a file, and the folders that it is to be in."""
    from sipsync.disk.files import refuse_outside, unwritable, write_file

    refuse_outside(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(file, error) from None
    write_file(file, text.encode())


def read_text(file: Path, errors: str = "strict") -> str:
    """The text of a file that the user named. Raises SipsyncError where it can't be read."""
    from sipsync.disk.files import reason

    try:
        return file.read_text(encoding="utf-8", errors=errors)
    except (OSError, UnicodeDecodeError) as error:
        why = Message(reason(error)) if isinstance(error, OSError) else Message("it is not UTF-8 text")
        summary = Message("{file} can't be read: {why}", file=file, why=why)
        raise SipsyncError(
            Diagnostic(Code.FILE_UNREADABLE, summary, hint=Message("Name a text file that you may read."))
        ) from None


def digest_of(plan: Plan) -> Message:
    """The digest that `apply --expect-plan` takes."""
    return Message("Plan digest: {digest}", digest=plan.digest)


def tell_github(session: Session, plan: Plan, saved: Path | None, *, drift: bool) -> Exit:
    """Write summary and outputs of a GitHub job's step, through the files that the runner names."""
    from sipsync.report import Style, render

    outputs = {
        "changes": str(plan.has_changes).lower(),
        "to_add": plan.summary.add,
        "to_change": plan.summary.change,
        "to_destroy": plan.summary.destroy,
        "digest": plan.digest,
        "changes_digest": plan.changes_digest,
        "plan_path": saved.resolve() if saved else "",
    }
    style = Style(lang=session.lang, budget=_SUMMARY_BUDGET, drift=drift)
    texts = {
        "GITHUB_STEP_SUMMARY": render(plan, "markdown", style),
        "GITHUB_OUTPUT": "".join(f"{name}={value}\n" for name, value in outputs.items()),
    }
    return worst(
        write_report(session, Path(session.environ[name]), text, append=True)
        for name, text in texts.items()
        if session.environ.get(name)
    )


# --- failures ---


def usage_error(summary: Message, hint: Message) -> UsageError:
    """The error for a command line whose options do not go together."""
    return UsageError(Diagnostic(Code.USAGE, summary, hint=hint))


def show(diagnostics: Sequence[Diagnostic], session: Session) -> None:
    """Print findings: what, where, the line with a caret, and what to do."""
    from sipsync.model.findings import Findings
    from sipsync.report import render

    findings = Findings(diagnostics=tuple(diagnostics))
    style = replace(session.style(err=True), way_to_all="sipsync validate --all")
    write(render(findings, "text", style), err=True, color=session.in_color(err=True))
    if session.json:
        write(render(findings, "json"))
        session.json = False


def failed(error: BaseException, session: Session) -> Exit:
    """Tell people why it ended, and the exit code for programs."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        write(f"{error.format_message()}\n", err=True)
        return Exit.USAGE
    if isinstance(error, SystemExit):  # click's, where a reader left in the middle of the help
        return Exit.OK
    if isinstance(error, SipsyncError):
        diagnostics, exit_ = error.diagnostics, error.exit
    elif isinstance(error, click.ClickException):
        diagnostics, exit_ = (_wrong_usage(error),), Exit.USAGE
    elif isinstance(error, (KeyboardInterrupt, click.Abort)):
        diagnostics, exit_ = (_interrupted(session),), Exit.INTERRUPTED
    else:
        return _internal(error, session)
    show(diagnostics, session)
    return exit_


def _wrong_usage(error: click.ClickException) -> Diagnostic:
    context = getattr(error, "ctx", None)
    hint = Message("See: {command} --help.", command=context.command_path if context is not None else "sipsync")
    return Diagnostic(Code.USAGE, Message(" ".join(error.format_message().split()).rstrip(".")), hint=hint)


def _interrupted(session: Session) -> Diagnostic:
    if not session.writing:
        return Diagnostic(Code.INTERRUPTED, Message("interrupted; nothing was changed"))
    hint = Message("Run it again: it goes on from what the portal holds.")
    return Diagnostic(Code.INTERRUPTED, Message("interrupted while writing"), hint=hint)


def _internal(error: BaseException, session: Session) -> Exit:
    """Tell of a mistake of ours."""
    import logging

    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    show([internal(error)], session)
    for place in way_to(error):
        logging.getLogger(__name__).debug("internal error, via %s", place)
    return Exit.PARTIAL if session.writing else Exit.ERROR
