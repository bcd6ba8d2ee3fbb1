"""The shapes of click that the command line is made of: commands loaded on first use, examples, and `--help-all`."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from sipsync.cli.types import is_saved_plan
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, UsageError

_COMMAND = re.compile("[a-z][a-z-]*")
"""How a command is called; a row of the help that is no command looks otherwise."""
_LONG_OPTION = re.compile("--?([a-z][a-z-]+)(=.*)?", re.DOTALL)
"""A long option, be it with one dash, as Terraform takes it."""
_OPTIONS = {
    "target": "line",
    "auto-approve": "yes",
    "json": "format=json",
    "parallelism": "parallel",
    "replace": "reregister",
}
"""What Terraform calls otherwise, as sipsync calls it."""
_COMMANDS = {
    "state": "status",
    "refresh": "plan",
    "taint": "apply --reregister ADDRESS",
    "workspace": "plan --portal NAME",
    "output": "status --format json",
}
_EDITS = {
    "destroy": Message("To delete a line, move it to `removed:` in its file, and set `delete: true` in its `policy:`."),
    "refresh": Message("Portals are read each time. Without asking one: `sipsync plan --against SNAPSHOT`."),
    "no-color": Message("Give it before the command: `sipsync --color never plan`."),
    "chdir": Message("Name the folder behind the command: `sipsync plan FOLDER`."),
    "var": Message("Files have no variables: write the value into the file, a password as `env:NAME`."),
    "var-file": Message("Files have no variables: put what several share into a file, and name it with `include:`."),
}
"""Options and commands of Terraform that are something else here, and what that is."""


class Option(click.Option):
    """An option, and the variable of its name; with `fleet=True` one that only `--help-all` shows."""

    def __init__(self, *args: Any, fleet: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fleet = self.hidden = fleet

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """What the environment says: a variable of the option's own, or one named after command and option."""
        given = click.Parameter.resolve_envvar_value(self, ctx)
        if given is None and ctx.auto_envvar_prefix:
            name = max(self.opts, key=len).strip("-").replace("-", "_").upper()
            given = os.environ.get(f"{ctx.auto_envvar_prefix}_{name}") or None
        return given


class Command(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        if any(isinstance(param, Option) and param.fleet for param in self.params):
            told = "Show this message with the options that only fleets need."
            self.params.append(click.Option(["--help-all"], **shows(full_help, told)))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; an option as Terraform spells it is told as it is spelt here."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            meant = [self._respelt(argument) for argument in given]
            options = [(old, new) for old, new in zip(given, meant, strict=True) if old.startswith("-")]
            wrong = next((old for old, new in options if old != new), None)
            other = _no_such_option(error, given, ctx)
            if wrong is None or isinstance(other, UsageError):
                raise other from None
            summary = Message("{option} is spelt otherwise here", option=wrong.partition("=")[0])
            raise _meant(summary, f"{ctx.command_path} {shlex.join(meant)}") from None

    def invoke(self, ctx: click.Context) -> Any:
        """Do the work, which may log; a group's callback runs before the help of a command below it."""
        if not isinstance(self, click.Group):
            from sipsync.cli.logs import start  # dear, and help logs nothing

            start(ctx.obj.log_level, as_json=ctx.obj.json_log)
        return super().invoke(ctx)

    def _respelt(self, argument: str) -> str:
        """An argument with the two dashes and the name that an option has here, if this command has it."""
        if not (match := _LONG_OPTION.fullmatch(argument)):
            is_plan = self._has("--plan") and is_saved_plan(Path(argument))
            return f"--plan={argument}" if is_plan else argument
        option = "--" + _OPTIONS.get(match[1], match[1])
        return f"{option}{match[2] or ''}" if self._has(option.partition("=")[0]) else argument

    def _has(self, option: str) -> bool:
        return any(option in param.opts for param in self.params)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")


class Group(Command, click.Group):
    """A command with commands of its own."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with its whole first sentence."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, self.commands[name].get_short_help_str(200)) for name in self.list_commands(ctx)]
            )


def _meant(summary: Message, command: str) -> UsageError:
    """The error for a habit from elsewhere, with the command that does it here."""
    return UsageError(Diagnostic(Code.USAGE, summary, hint=Message("Run: `{command}`.", command=command)))


def _no_such_option(error: click.NoSuchOption, given: Sequence[str], ctx: click.Context) -> Exception:
    """The error for an option that a command lacks: what is meant where that is no option, else the whole word."""
    words = [each.partition("=")[0] for each in given if _LONG_OPTION.fullmatch(each)]
    for word in words:
        if edit := _EDITS.get(word.lstrip("-")):
            return UsageError(Diagnostic(Code.USAGE, Message("there is no option {option}", option=word), hint=edit))
    letter = error.option_name.removeprefix("-")
    whole = next((each for each in words if not each.startswith("--") and letter in each), None)
    known = [name for param in ctx.command.params for name in param.opts]
    return click.NoSuchOption(whole, possibilities=known, ctx=ctx) if whole else error


def shows(text: Callable[[click.Context], str], help_: str) -> dict[str, Any]:
    """The settings of a flag that shows a text in the place of any work."""

    def show(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(text(ctx), color=ctx.color)
            ctx.exit()

    eager = {"is_flag": True, "is_eager": True, "expose_value": False, "allow_from_autoenv": False}
    return {**eager, "callback": show, "help": help_}


def full_help(ctx: click.Context) -> str:
    """The help of a command with the options that only fleets need."""
    fleet = [param for param in ctx.command.params if isinstance(param, Option) and param.fleet]
    for param in fleet:
        param.hidden = False
    try:
        return ctx.get_help()
    finally:
        for param in fleet:
            param.hidden = True


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; its help imports none of them.

    `sections` says what the help lists, and why: commands by name, and other things to know, which look otherwise.
    """

    def __init__(self, *args: Any, package: str, sections: Mapping[str, Mapping[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.package = package
        self.sections = sections

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments up to the command's name; an option of Terraform's is told as what is meant."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise _no_such_option(error, given, ctx) from None

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All commands, in the order of the help."""
        return [name for rows in self.sections.values() for name in rows if _COMMAND.fullmatch(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = f"{cmd_name}_" if cmd_name == "import" else cmd_name.replace("-", "_")
        command: click.Command = import_module(f"{self.package}.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; a misspelt one gets a suggestion, `help` shows another's help."""
        match args:
            case ["version", *_]:
                args = ["--version"]
            case ["help", *names]:
                args = [*names, "--help"]
            case [name, *_] if name in _COMMANDS or name in _EDITS:
                summary = Message("there is no command {name!r}", name=name)
                if name in _COMMANDS:
                    raise _meant(summary, f"{ctx.command_path} {_COMMANDS[name]}")
                raise UsageError(Diagnostic(Code.USAGE, summary, hint=_EDITS[name]))
            case ["import", _, number] if number.isdecimal():
                summary = Message("import takes over a portal's lines, and a file is what it is given")
                told = "Run: `sipsync import`. Or write `config_id: {number}` into the line's entry."
                raise UsageError(Diagnostic(Code.USAGE, summary, hint=Message(told, number=number)))
        if args[0].startswith("--"):  # an option of the group itself
            self.make_context(ctx.info_name, args, obj=ctx.obj)  # shows its text and exits
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=self.list_commands(ctx), ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by what they are for."""
        for title, rows in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(list(rows.items()))


def make_command(name: str, help_: str, *examples: str) -> Callable[[Callable[..., Any]], Command]:
    """Makes a command of a function, which is given the session; its examples stand at the end of its help."""
    return lambda function: click.command(name, cls=Command, help=help_, examples=examples)(click.pass_obj(function))


def option(*names: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option of a command; `fleet=True` keeps it out of the short help."""
    return click.option(*names, cls=Option, **settings)
