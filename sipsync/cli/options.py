"""Options that several commands share, and what they come to: which files, what the operator allows, which lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sipsync.cli.complete import complete_lines, complete_portals
from sipsync.cli.group import option
from sipsync.cli.types import ReportType, Seconds, SecretCommand, SecretCommandType
from sipsync.report import formats_of

if TYPE_CHECKING:
    from sipsync.cli.session import Session
    from sipsync.model.operator import Operator

Function = Callable[..., Any]

PLAN_FORMATS = formats_of("Plan")
OUTCOME_FORMATS = formats_of("Outcome")
FINDINGS_FORMATS = formats_of("Findings")

paths_argument = click.argument(
    "paths",
    nargs=-1,
    type=click.Path(path_type=Path),
    metavar="[PATH]...",
    help="Files and folders; sipsync.yaml, or the folder portals/, where none is given.",
)


def all_of(*decorators: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Several decorators as one, in reading order."""

    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


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

    def operator(self, session: Session, paths: Sequence[Path]) -> Operator:
        """The operator of this run: the options over the environment."""
        from sipsync import api
        from sipsync.config.load import load_policy
        from sipsync.model.operator import Operator

        root = self.root.resolve() if self.root else Path(api.find_root(paths))
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
            policy=load_policy(self.policy) if self.policy else operator.policy,
        )


_LIMITS = all_of(
    option(
        "--root",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        envvar="SIPSYNC_ROOT",
        fleet=True,
        help="The folder that files, includes and secrets must not leave. Default: the nearest with .git.",
    ),
    option(
        "--policy",
        type=click.Path(path_type=Path),
        envvar="SIPSYNC_POLICY",
        fleet=True,
        help="Limits that the files can tighten and not loosen.",
    ),
    option("--host", "hosts", multiple=True, fleet=True, help="A host that may receive a credential (SIPSYNC_HOSTS)."),
    option("--env", multiple=True, metavar="GLOB", fleet=True, help="Variables that `env:` may read (SIPSYNC_ENV)."),
    option(
        "--secret-root",
        "secret_roots",
        multiple=True,
        metavar="DIR",
        fleet=True,
        help="Folders that `file:` and `sops:` may read (SIPSYNC_SECRET_ROOTS).",
    ),
    option(
        "--secret-command",
        "secret_commands",
        multiple=True,
        type=SecretCommandType(),
        metavar="NAME=COMMAND",
        envvar="SIPSYNC_SECRET_COMMANDS",
        fleet=True,
        help="What `exec:NAME` runs.",
    ),
    option(
        "--vault-path",
        "vault_paths",
        multiple=True,
        metavar="GLOB",
        fleet=True,
        help="MOUNT/PATH that `vault:` may read (SIPSYNC_VAULT_PATHS).",
    ),
    option("--token-store", metavar="PLACE", fleet=True, help="Where renewed tokens are kept (SIPSYNC_TOKEN_STORE)."),
    option("--state-dir", metavar="DIR", fleet=True, help="Where locks and tokens are kept (SIPSYNC_STATE_DIR)."),
)


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


def operator_options(function: Function) -> Function:
    """The options by which an operator limits what files may do, given to the command as `limits`."""
    return _LIMITS(typed("limits", OperatorOptions)(function))


selection_options = all_of(
    option(
        "--portal",
        "portals",
        multiple=True,
        metavar="GLOB",
        shell_complete=complete_portals,
        help="Only portals of this name.",
    ),
    option(
        "--line",
        "lines",
        multiple=True,
        metavar="GLOB",
        shell_complete=complete_lines,
        help="Only lines of this key or address.",
    ),
    option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        shell_complete=complete_lines,
        help="All but portals of this name or lines of this address.",
    ),
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

pace_options = all_of(
    option(
        "--parallel",
        type=click.IntRange(1, 256),
        default=16,
        fleet=True,
        help="Portals side by side; one that takes longer than 30 s lets the next one begin.",
    ),
    option(
        "--timeout",
        type=Seconds(),
        default=900.0,
        metavar="SECONDS",
        fleet=True,
        help="The longest that one portal may take.",
    ),
)

input_option = option(
    "--input",
    "may_ask",
    type=bool,
    default=True,
    envvar="SIPSYNC_INPUT",
    metavar="true|false",
    fleet=True,
    help="false: never ask anything; what would have to be asked is refused.",
)

json_events_option = option(
    "--json-events", is_flag=True, fleet=True, help="Print one JSON object for each event, as it happens."
)


def format_option(formats: tuple[str, ...]) -> Callable[[Function], Function]:
    """`--format`: what stdout carries."""
    return option(
        "--format", "format_", type=click.Choice(formats), default="text", show_default=True, help="What to print."
    )


def report_option(formats: tuple[str, ...]) -> Callable[[Function], Function]:
    """`--report`: files to write besides, from the same run."""
    return option(
        "--report",
        "reports",
        multiple=True,
        type=ReportType(formats),
        metavar="FORMAT=FILE",
        help=f"Write a file as well; may be given several times. Formats: {', '.join(formats)}.",
    )
