"""What every command knows of its run, and how text gets onto the streams without ever failing.

stdout carries the result, stderr everything else. A title that the terminal's encoding can't hold is escaped, and a
reader that went away (`sipsync plan | head`) ends neither the work nor its exit code. Colour and width follow the user,
then the environment, then the terminal.
"""

from __future__ import annotations

import getpass
import io
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

from sipsync.model.environ import in_ci, is_on
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError
from sipsync.report.language import Language, in_language

if TYPE_CHECKING:
    from sipsync.report import Style

ColorChoice = Literal["auto", "always", "never"]
CI_WIDTH = 120
"""Job logs are not terminals, so their width can't be asked for; they are wide."""


@dataclass(slots=True)
class Session:
    """One run of the program. The global options fill it before a command starts."""

    environ: Mapping[str, str]
    color: ColorChoice = "auto"
    lang: Language = "en"
    log_level: str = "WARNING"
    json_log: bool = False
    json: bool = False
    """stdout is to be one JSON document, whatever happens."""
    input: bool = True
    """False: never ask anything."""
    writing: bool = False
    """Whether portals may have been written to."""

    def style(self, *, err: bool = False, everything: bool = False) -> Style:
        """How to render for the people at one of the streams."""
        from sipsync.report import Style

        terminal = (sys.stderr if err else sys.stdout).isatty()
        columns = width(self.environ, terminal=terminal)
        return Style(color=self.in_color(err=err), width=columns, lang=self.lang, all=everything)

    def in_color(self, *, err: bool = False) -> bool:
        """Whether one of the streams is coloured."""
        return in_color(self.color, self.environ, terminal=(sys.stderr if err else sys.stdout).isatty())

    def say(self, text: Message) -> None:
        """Tell people something beside the result: on stderr, a line of its own."""
        write(f"{in_language(text, self.lang)}\n", err=True)

    def hint(self, text: Message) -> None:
        """Tell people what to do next, unless a program runs this."""
        if not is_on(self.environ, "SIPSYNC_IN_AUTOMATION") and not self.json:
            self.say(text)

    def can_ask(self) -> bool:
        """Whether a person sits there."""
        return self.input and sys.stdin is not None and sys.stdin.isatty()

    def is_watched(self) -> bool:
        """Whether a person sits there and sees the result."""
        return self.can_ask() and sys.stdout.isatty()

    def must_ask(self, action: str, way_out: Message) -> None:
        """Raises SipsyncError where nobody can be asked; the hint says how it goes without a question."""
        if not self.can_ask():
            summary = Message("{action} has to ask, and there is no terminal", action=action)
            raise SipsyncError(Diagnostic(Code.NO_TERMINAL, summary, hint=way_out))

    def approved(self, question: Message) -> bool:
        """Whether the person typed `yes`. It is asked on stderr, so that stdout stays the result."""
        write(in_language(question, self.lang), err=True, color=self.in_color(err=True))
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):  # end of input: the cursor still stands behind the question
            self.say(Message())
        return answer.strip() == "yes"

    def hidden(self, prompt: Message) -> str:
        """What the person typed unseen, without blanks around it."""
        try:
            return getpass.getpass(in_language(prompt, self.lang), stream=sys.stderr).strip()
        except EOFError:
            return ""


# --- streams ---


def prepare_streams() -> None:
    """Make both streams take any text: UTF-8 on Windows, and escapes for what an encoding can't hold."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            windows = os.name == "nt" and not os.environ.get("PYTHONIOENCODING")
            stream.reconfigure(encoding="utf-8" if windows else None, errors="backslashreplace")


def write(text: str, *, err: bool = False, color: bool = False) -> None:
    """Write a text as it is. If nobody reads any more, what follows goes nowhere."""
    stream = sys.stderr if err else sys.stdout
    try:
        click.echo(text, nl=False, file=stream, color=color)
        stream.flush()
    except BrokenPipeError:  # and neither a later write nor the interpreter's last flush may fail
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def in_color(choice: ColorChoice, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour: the option, then NO_COLOR, then a variable that forces it, then CI, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if any(is_on(environ, name) for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return in_ci(environ) or (terminal and environ.get("TERM") != "dumb")


def width(environ: Mapping[str, str], *, terminal: bool) -> int:
    """How many columns a line may have."""
    if environ.get("COLUMNS", "").isdecimal():
        return max(20, int(environ["COLUMNS"]))
    if terminal:
        return max(20, shutil.get_terminal_size().columns)
    return CI_WIDTH if in_ci(environ) else 80
