"""How a run that can't go on is told: on stderr for people, on stdout as one JSON document where that was asked for."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from sipsync.cli import streams
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit

_log = logging.getLogger(__name__)
_PACKAGE = Path(__file__).resolve().parent.parent


def show(diagnostics: Sequence[Diagnostic], session: Session) -> None:
    """Print findings: what, where, the line with a caret, and what to do."""
    from sipsync.model.looks import Findings
    from sipsync.report import render

    findings = Findings(diagnostics=tuple(diagnostics))
    streams.write(render(findings, "text", session.style(err=True)), err=True, color=session.in_color(err=True))
    if session.json:
        streams.write(render(findings, "json"))
        session.json = False


def wrong_usage(error: click.ClickException, session: Session) -> Exit:
    """Tell what is wrong with the command line, and where its help is."""
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        streams.write(error.format_message() + "\n", err=True)
        return Exit.USAGE
    command = context.command_path if context is not None else "sipsync"
    show(
        [
            Diagnostic(
                Code.USAGE,
                Message(error.format_message().rstrip(".")),
                hint=Message("See: {command} --help.", command=command),
            )
        ],
        session,
    )
    return Exit.USAGE


def interrupted(session: Session) -> Exit:
    """Tell that a signal ended the run."""
    if session.writing:
        found = Diagnostic(
            Code.INTERRUPTED,
            Message("interrupted"),
            hint=Message("Run it again: it goes on from what the portal holds."),
        )
    else:
        found = Diagnostic(Code.INTERRUPTED, Message("interrupted; nothing was changed"))
    show([found], session)
    return Exit.INTERRUPTED


def internal(error: BaseException, session: Session) -> Exit:
    """Tell that it is our mistake. Names and places only: a message or a value could hold a secret."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = _frames(error)
    place = frames[-1] if frames else "?"
    show(
        [
            Diagnostic(
                Code.INTERNAL,
                Message("internal error: {name} at {place}", name=type(error).__name__, place=place),
                hint=Message(
                    "This is a mistake in sipsync, please report it with the line above; nothing secret is "
                    "in it. --log-level debug shows the way there."
                ),
            )
        ],
        session,
    )
    for frame in frames:
        _log.debug("internal error, via %s", frame)
    return Exit.PARTIAL if session.writing else Exit.ERROR


def _frames(error: BaseException) -> list[str]:
    """Where it came through our code, outermost first: `file:line in function`."""
    return [
        f"sipsync/{Path(frame.filename).resolve().relative_to(_PACKAGE).as_posix()}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve().is_relative_to(_PACKAGE)
    ]
