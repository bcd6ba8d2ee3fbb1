"""The command line: its commands, the global options, and the one place that turns a failure into an exit code."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any

import click

from sipsync._version import __version__
from sipsync.cli.group import LazyGroup, full_help, shows
from sipsync.cli.output import failed
from sipsync.cli.session import ColorChoice, Session, prepare_streams
from sipsync.model.problems import Exit
from sipsync.report.language import Language

SECTIONS = {
    "Start": {
        "init": "Connect a portal: check the webhook, write sipsync.yaml from what is there.",
        "import": "Write a portal's lines into a file.",
        "doctor": "Check credential, scope and rights; say what to do where in Bitrix24.",
    },
    "Every day": {
        "plan": "Show what would change. Changes nothing.",
        "apply": "Plan, ask, and carry the plan out; or carry out a saved plan.",
        "status": "Show whether the lines are registered.",
    },
    "Teams and CI": {
        "validate": "Check files without asking any portal.",
        "fmt": "Write files in the one layout; comments stay.",
        "show": "Show a saved plan in any format.",
        "snapshot": "Save what the portals hold, without passwords, for plans without a credential.",
        "secret": "Make the keys that sipsync itself needs.",
        "comment": "Keep one comment with the plan in a pull or merge request.",
        "schema": "Print the JSON Schema of the file, for editors.",
    },
    "Many portals": {
        "portals/": "The folder that holds one file for each portal; read where there is no sipsync.yaml.",
        "--portal GLOB": "Plan and apply some of the portals.",
        "COMMAND --help-all": "Show the options that only fleets need.",
    },
    "Try it": {
        "demo": "The whole story on an emulated portal: plan, apply, plan again.",
        "sandbox": "Run, fill or read an emulated portal.",
    },
    "Help": {
        "explain": "What a finding means and what to do about it.",
        "completion": "Print the completion script of a shell.",
        "help [COMMAND]": "Show this message, or the one of a command.",
        "version, -V": "Show the version.",
    },
}
_HELP = """Declarative, git-reviewed SIP lines for Bitrix24.

The files say how the lines should be; `plan` shows what differs, `apply` changes just that. Try it without an
account: sipsync demo

Every option can be given as a variable as well: SIPSYNC_PLAN_OUT is --out of plan, SIPSYNC_COLOR is --color.
"""


@click.group(
    cls=LazyGroup,
    package="sipsync.cli.commands",
    sections=SECTIONS,
    help=_HELP,
    context_settings={"max_content_width": 100, "auto_envvar_prefix": "SIPSYNC", "help_option_names": ["-h", "--help"]},
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the output. NO_COLOR and FORCE_COLOR count where this is not given.",
)
@click.option("--lang", type=click.Choice(["en", "ru"]), default="en", help="Language of hints and explanations.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    help="How much to log, on stderr.",
)
@click.option("--json-log", is_flag=True, help="Log one JSON object a line.")
@click.option(
    "--help-all", **shows(lambda ctx: _help_of_all(ctx), "Show this message, and all options of all commands.")
)
@click.option("--version", "-V", **shows(lambda _ctx: f"sipsync {__version__}", "Show the version and exit."))
@click.pass_obj
def cli(session: Session, color: ColorChoice, lang: Language, log_level: str, json_log: bool) -> None:
    session.color, session.lang = color, lang
    session.log_level, session.json_log = log_level.upper(), json_log


def _help_of_all(ctx: click.Context) -> str:
    commands = {name: cli.get_command(ctx, name) for name in cli.list_commands(ctx)}
    contexts = [click.Context(command, info_name=name, parent=ctx) for name, command in commands.items() if command]
    return "\n\n\n".join([ctx.get_help(), *map(full_help, contexts)])


def run(arguments: Sequence[str]) -> int:
    """Run one command and tell its exit code. Nothing it raises gets any further."""
    prepare_streams()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what is open is closed
    session = Session(os.environ)
    try:
        result: Any = cli.main(list(arguments), "sipsync", standalone_mode=False, obj=session)
    except BaseException as error:  # the one place where a failure of any kind ends
        return int(failed(error, session))
    return int(result or Exit.OK)
