"""stdout carries the result, stderr everything else; here is how text gets onto both without ever failing.

A title that the terminal's encoding can't hold is escaped, and a reader that went away (`sipsync plan | head`) ends
neither the work nor its exit code. Colour and width follow the user, then the environment, then the terminal.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Literal, TextIO

import click

from sipsync.model.operator import Operator

ColorChoice = Literal["auto", "always", "never"]
CI_WIDTH = 120
"""Job logs are not terminals, so their width can't be asked for; they are wide."""


def prepare() -> None:
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
    except BrokenPipeError:
        _let_go(stream)


def _let_go(stream: TextIO) -> None:
    """Point the stream at nothing, so that neither a later write nor the interpreter's last flush fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def in_color(choice: ColorChoice, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour: the option, then NO_COLOR, then a variable that forces it, then CI, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if Operator(environ=environ).ci:
        return True
    return terminal and environ.get("TERM") != "dumb"


def width(environ: Mapping[str, str], *, terminal: bool) -> int:
    """How many columns a line may have."""
    if environ.get("COLUMNS", "").isdecimal():
        return max(20, int(environ["COLUMNS"]))
    if terminal:
        return max(20, shutil.get_terminal_size().columns)
    return CI_WIDTH if Operator(environ=environ).ci else 80
