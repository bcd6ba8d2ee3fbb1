"""Options that several commands share, and what they come to: which files, what the operator allows, which lines."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from sipsync.cli.group import option
from sipsync.cli.session import Session
from sipsync.cli.types import FILE, SOURCE, Output, ReportType, Seconds, SecretCommand, SecretCommandType
from sipsync.model.lines import DesiredPortal, Fleet
from sipsync.model.operator import Operator
from sipsync.model.options import Selection
from sipsync.model.problems import SipsyncError
from sipsync.report import formats_of

Function = Callable[..., Any]


def all_of(*decorators: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Several decorators as one, in reading order."""

    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def typed(parameter: str, kind: type) -> Callable[[Function], Function]:
    """Below the options: those that are fields of a dataclass reach the command as one value of it."""
    names = [field.name for field in fields(kind)]

    def decorate(function: Function) -> Function:
        @wraps(function)
        def collected(*args: Any, **given: Any) -> Any:
            value = kind(**{name: given.pop(name) for name in names if name in given})
            return function(*args, **{parameter: value}, **given)

        return collected

    return decorate


def fleet_option(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """An option that only fleets need: `--help-all` shows it."""
    return option(*names, fleet=True, **settings)


@dataclass(frozen=True, slots=True)
class OperatorOptions:
    """What the operator said on the command line. None and () leave it to the environment, then to the default."""

    root: Path | None
    policy: Path | None
    hosts: tuple[str, ...]
    env: tuple[str, ...]
    secret_roots: tuple[str, ...]
    secret_commands: tuple[SecretCommand, ...]
    vault_paths: tuple[str, ...]
    token_store: str | None
    state_dir: str | None
    sandbox_secrets: bool
    paths: tuple[Path, ...] = ()
    """The files that the command is about."""

    def fleet(self, session: Session, portals: Sequence[str] = ()) -> Fleet:
        """The portals of the files, as far as they are in order; with globs, of the files that can hold those."""
        from sipsync import api

        return api.load(self.paths, self.operator(session), partly=True, portals=portals)

    def operator(self, session: Session, paths: Sequence[Path] = ()) -> Operator:
        """The operator of this run: the options over the environment."""
        from sipsync import api
        from sipsync.config.load import load_policy

        root = self.root.resolve() if self.root else Path(api.find_root(paths or self.paths))
        operator = Operator.from_environ(session.environ, root=str(root))
        return replace(
            operator,
            hosts=(*operator.hosts, *self.hosts),
            env=self.env or operator.env,
            secret_roots=self.secret_roots or operator.secret_roots,
            vault_paths=self.vault_paths or operator.vault_paths,
            commands={command.name: command.arguments for command in self.secret_commands},
            token_store=self.token_store or operator.token_store,
            state_dir=self.state_dir or operator.state_dir,
            sandbox_secrets=self.sandbox_secrets or operator.sandbox_secrets,
            policy=load_policy(self.policy) if self.policy else operator.policy,
        )


@dataclass(frozen=True, slots=True)
class PortalsOptions:
    """Which portals a question is put to, and which lines are meant where it is about lines."""

    portals: tuple[str, ...]
    lines: tuple[str, ...]
    exclude: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.portals or self.lines or self.exclude)

    def selection(self) -> Selection:
        """Which lines are meant, where an answer is about lines."""
        return Selection(lines=self.lines, exclude=self.exclude)

    def of(self, fleet: Fleet, *, by_line: bool = False) -> Fleet:
        """The fleet of these portals. Raises UsageError for a glob that names nothing.

        Without `by_line` lines can't be excluded: a portal is asked as a whole.
        """
        from sipsync import api

        return api.select(fleet, self.portals, self.selection(), whole=not by_line)


_LIMITS = all_of(
    fleet_option(
        "--root",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        envvar="SIPSYNC_ROOT",
        help="The folder that files, includes and secrets must not leave. Default: the nearest with .git.",
    ),
    fleet_option(
        "--policy",
        type=FILE,
        metavar="PATH",
        envvar="SIPSYNC_POLICY",
        help="Limits that the files can tighten and not loosen.",
    ),
    fleet_option("--host", "hosts", multiple=True, help="A host that may receive a credential (SIPSYNC_HOSTS)."),
    fleet_option("--env", multiple=True, metavar="GLOB", help="Variables that `env:` may read (SIPSYNC_ENV)."),
    fleet_option(
        "--secret-root",
        "secret_roots",
        multiple=True,
        metavar="DIR",
        help="Folders that `file:` and `sops:` may read (SIPSYNC_SECRET_ROOTS).",
    ),
    fleet_option(
        "--secret-command",
        "secret_commands",
        multiple=True,
        type=SecretCommandType(),
        envvar="SIPSYNC_SECRET_COMMANDS",
        help="What `exec:NAME` runs.",
    ),
    fleet_option(
        "--vault-path",
        "vault_paths",
        multiple=True,
        metavar="GLOB",
        help="MOUNT/PATH that `vault:` may read (SIPSYNC_VAULT_PATHS).",
    ),
    fleet_option("--token-store", metavar="PLACE", help="Where renewed tokens are kept (SIPSYNC_TOKEN_STORE)."),
    fleet_option("--state-dir", metavar="DIR", help="Where locks, keys and tokens are kept (SIPSYNC_STATE_DIR)."),
    fleet_option(
        "--sandbox-secrets",
        is_flag=True,
        help="Read real secrets for an embedded emulated portal, too (SIPSYNC_SANDBOX_SECRETS).",
    ),
)


def operator_options(function: Function) -> Function:
    """The options by which an operator limits what files may do, given to the command as `limits`."""
    return _LIMITS(typed("limits", OperatorOptions)(function))


def files_options(function: Function) -> Function:
    """The files that the command is about, and what they may do, given to the command as `limits`."""
    told = "Files and folders; sipsync.yaml, or the folder portals/, where none is given."
    argument = click.argument("paths", nargs=-1, type=SOURCE, metavar="[PATH]...", help=told)
    return argument(operator_options(function))


# --- which portals and lines ---


def complete_portals(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the portals in the files."""
    return [
        CompletionItem(portal.name, help=portal.file) for portal in _portals(ctx) if portal.name.startswith(incomplete)
    ]


def complete_lines(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The addresses of the lines in the files."""
    return [
        CompletionItem(line.address, help=line.title)
        for portal in _portals(ctx)
        for line in portal.lines
        if line.address.startswith(incomplete)
    ]


def _portals(ctx: click.Context) -> Iterator[DesiredPortal]:
    from sipsync import api

    paths: tuple[Path, ...] = tuple(ctx.params.get("paths") or ())
    try:
        operator = Operator.from_environ(os.environ, root=str(api.find_root(paths)))
        yield from api.load(paths, operator).portals
    except (SipsyncError, OSError):
        return


def _globs(*names: str, **settings: Any) -> Callable[[Function], Function]:
    return option(*names, multiple=True, metavar="GLOB", **settings)


_PORTAL = _globs("--portal", "portals", shell_complete=complete_portals, help="Only portals of this name.")

_LINES = all_of(
    _PORTAL,
    _globs("--line", "lines", shell_complete=complete_lines, help="Only lines of this key or address."),
    _globs("--exclude", shell_complete=complete_lines, help="All but portals of this name or lines of this address."),
)

selection_options = all_of(
    _LINES,
    option(
        "--allow",
        multiple=True,
        metavar="FINDING:ADDRESS",
        help="Go on in spite of one finding, such as max-changes:acme.",
    ),
    option(
        "--reregister",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=complete_lines,
        help="Send a line's connection data again, so that it registers anew.",
    ),
)

lines_options = all_of(_LINES, typed("select", PortalsOptions))

portals_options = all_of(
    _PORTAL,
    _globs("--line", "lines", shell_complete=complete_lines, help="Only portals with lines of this key or address."),
    _globs("--exclude", shell_complete=complete_portals, help="All but portals of this name."),
    typed("select", PortalsOptions),
)

pace_options = all_of(
    fleet_option(
        "--parallel",
        type=click.IntRange(1, 256),
        default=16,
        help="Portals side by side; one that takes longer than 30 s lets the next one begin.",
    ),
    fleet_option("--timeout", type=Seconds(), default=900.0, help="The longest that one portal may take."),
)

input_option = fleet_option(
    "--input",
    "may_ask",
    type=bool,
    default=True,
    envvar="SIPSYNC_INPUT",
    metavar="true|false",
    help="false: never ask anything; what would have to be asked is refused.",
)

json_events_option = fleet_option(
    "--json-events", is_flag=True, help="Print one JSON object for each event, as it happens."
)


def _format(*formats: str) -> Callable[[Function], Function]:
    return option("--format", type=click.Choice(formats), default="text", show_default=True, help="What to print.")


def format_option(*formats: str) -> Callable[[Function], Function]:
    """`--format`: what stdout carries, given to the command as `output`."""
    return all_of(_format(*formats), typed("output", Output))


def output_options(document: str) -> Callable[[Function], Function]:
    """`--format` and `--report`, files to write besides from the same run, given to the command as `output`."""
    formats = formats_of(document)
    report = option(
        "--report",
        "reports",
        multiple=True,
        type=ReportType(formats),
        help=f"Write a file as well; may be given several times. Formats: {', '.join(formats)}.",
    )
    return all_of(_format(*formats), report, typed("output", Output))
