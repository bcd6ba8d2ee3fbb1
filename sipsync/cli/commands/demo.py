"""`sipsync demo`: the whole story on an emulated portal, with the real commands' work and no account."""

from __future__ import annotations

import json
import tempfile
from contextlib import chdir
from importlib.util import find_spec
from pathlib import Path

import click

from sipsync.cli.group import make_command
from sipsync.cli.output import publish, write_new
from sipsync.cli.progress import progress
from sipsync.cli.scaffold import template
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE, Output
from sipsync.cli.work import make_plan
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import ApplyOptions, PlanOptions
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError

_WAIT = 30.0
"""Seconds for the lines to register; the emulated portal takes no time."""


@make_command(
    "demo",
    "Show the whole story on an emulated portal: a file, the plan, the apply, and a second plan that is empty.",
    "sipsync demo",
    "sipsync demo try-it     # keeps the files, to go on from there",
)
@click.argument(
    "folder",
    metavar="[DIR]",
    required=False,
    type=FILE,
    help="An empty folder that keeps the files; else a temporary one.",
)
def command(session: Session, folder: Path | None) -> Exit:
    if find_spec("starlette") is None:
        from sipsync.disk.extras import how_to_install

        summary = Message("the emulated portal is not installed")
        raise SipsyncError(Diagnostic(Code.EXTRA_MISSING, summary, hint=how_to_install("sandbox")))
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="sipsync-demo-", ignore_cleanup_errors=True) as temporary:
            return _told_in(session, Path(temporary))
    if folder.exists() and any(folder.iterdir()):
        summary, hint = Message("{folder} is not empty", folder=folder), "Name a new or an empty folder."
        raise SipsyncError(Diagnostic(Code.UNWRITABLE, summary, hint=Message(hint)))
    exit_ = _told_in(session, folder)
    told = Message("\nGo on in {folder}: change sipsync.yaml, then sipsync plan and sipsync apply.", folder=folder)
    session.hint(told)
    return exit_


def _told_in(session: Session, folder: Path) -> Exit:
    """The story, told in a folder, so that files have short names."""
    from sipsync.disk.files import unwritable

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with chdir(folder):
            return _tell(session)
    except OSError as error:
        raise unwritable(folder, error) from None


def _tell(session: Session) -> Exit:
    """The story; it ends with an error where it does not end as it should."""
    from sipsync import api
    from sipsync.sandbox import seed_portal

    text, seed = template("demo.yaml"), template("demo.json")
    write_new(Path("sipsync.yaml"), text)
    write_new(Path("seed.json"), seed)
    seed_portal("portal.sandbox", json.loads(seed))
    fleet = api.load(["sipsync.yaml"], Operator(environ=session.environ, state_dir=".sipsync"))
    write(Message("An emulated portal has three lines. This is how they should be, in sipsync.yaml:") + f"\n\n{text}")
    write("\n$ sipsync plan\n\n")
    plan = make_plan(session, fleet, PlanOptions())
    publish(session, plan, Output())
    write("\n$ sipsync apply --yes --wait 30\n\n")
    with progress(session, 1) as on_event:
        outcome = api.apply(plan, fleet, ApplyOptions(wait=_WAIT), on_event)
    publish(session, outcome, Output())
    write("\n$ sipsync plan\n\n")
    again = make_plan(session, fleet, PlanOptions())
    publish(session, again, Output())
    if outcome.exit or again.errored or again.has_changes or not plan.has_changes:
        hint = Message("The reason stands above. Please report it with the whole output.")
        raise SipsyncError(Diagnostic(Code.INTERNAL, Message("the demo did not end as it should"), hint=hint))
    return Exit.OK
