"""What an option's value may look like, and what it becomes."""

from __future__ import annotations

import math
import os
import re
import shlex
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, UsageError


class SourcePath(click.Path):
    """A file or folder of portals' files; a saved plan is none."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """The path. Raises UsageError for a saved plan, which Terraform takes there."""
        if is_saved_plan(path := Path(value)):
            told = "Run: `sipsync apply --plan {path}`. To look at it: `sipsync show {path}`."
            summary = Message("{path} is a saved plan, not a portal's file", path=path)
            hint = Message(told, path=shlex.quote(path.as_posix()))
            raise UsageError(Diagnostic(Code.USAGE, summary, hint=hint))
        return super().convert(value, param, ctx)


def is_saved_plan(path: Path) -> bool:
    """Whether a path names a saved plan; of what can be none the first bytes alone are read."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            begins = b"{" in file.read(4)  # behind a byte-order mark, as shells on Windows write it
    except (OSError, ValueError):  # ValueError: a null character
        return False
    if not begins:
        return False
    from sipsync.disk.planfile import is_plan

    return is_plan(path)


FILE = click.Path(path_type=Path)
SOURCE = SourcePath(path_type=Path)
FILE.name = SOURCE.name = "file"  # in help
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Duration(click.ParamType[timedelta]):
    """A span of time such as `90m`, `12h` or `7d`."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span, or what is wrong with the text."""
        found = re.fullmatch(r"(\d{1,5})([smhdw])", value)
        if not found:
            self.fail(f"{value!r} is not a number with s, m, h, d or w after it, such as 12h", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


class Seconds(click.ParamType[float]):
    """A finite number of seconds, 0 or more."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or what is wrong with the text."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds


@dataclass(frozen=True, slots=True)
class Report:
    """One `--report`: a format and the file to write."""

    format: str
    file: Path


@dataclass(frozen=True, slots=True)
class Output:
    """Where a document goes."""

    format: str | None = "text"
    """What stdout carries; None: nothing."""
    reports: tuple[Report, ...] = ()


class ReportType(click.ParamType[Report]):
    """`FORMAT=FILE`. Several in one variable are separated by line ends."""

    name = "format=file"
    envvar_list_splitter = "\n"

    def __init__(self, formats: tuple[str, ...]) -> None:
        self.formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Report:
        """The two halves, or what is wrong with them."""
        format_, _, file = value.partition("=")
        if format_ not in self.formats or not file:
            self.fail(f"{value!r} is not FORMAT=FILE; formats are {', '.join(self.formats)}", param, ctx)
        return Report(format_, Path(file))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The formats; the file is left to the user."""
        return [CompletionItem(f"{name}=") for name in self.formats if name.startswith(incomplete)]


@dataclass(frozen=True, slots=True)
class SecretCommand:
    """One `--secret-command`: the name that `exec:NAME` refers to, and what it runs."""

    name: str
    arguments: tuple[str, ...]


class SecretCommandType(click.ParamType[SecretCommand]):
    """`NAME=COMMAND ARGUMENTS…`, split as a shell would, run without one."""

    name = "name=command"
    envvar_list_splitter = "\n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> SecretCommand:
        """The name and the arguments, or what is wrong with them."""
        name, _, command = value.partition("=")
        try:
            arguments = tuple(shlex.split(command, posix=os.name != "nt"))
        except ValueError:
            self.fail(f"the command of {name!r} has a quote that is not closed", param, ctx)
        if not name or not arguments:
            self.fail("it is NAME=COMMAND, such as store=/usr/local/bin/secret-store --json", param, ctx)
        return SecretCommand(name, arguments)
