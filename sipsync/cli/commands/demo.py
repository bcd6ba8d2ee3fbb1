"""`sipsync demo`: the whole story on an emulated portal, with the real commands' work and no account."""

from __future__ import annotations

import json
import tempfile
from contextlib import chdir
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sipsync.cli.group import Command
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError

if TYPE_CHECKING:
    from sipsync.model.lines import Fleet
    from sipsync.model.outcome import Outcome
    from sipsync.model.plan import Plan

FILE = """\
sipsync: 1
portal:
  name: demo
  sandbox: portal.sandbox # an emulated portal, kept in this file; a real one has `webhook: env:NAME` here
defaults:
  server: sip.provider.example
lines:
  sales:
    config_id: 69
    title: Sales
    login: "0045281811"
  warehouse:
    config_id: 70
    title: Warehouse # the portal has the titles of these two the other way round
    login: "+74951234567"
  support:
    config_id: 71
    title: Support
    login: "0045281813"
"""
_WAIT = 30.0
"""Seconds for the lines to register; the emulated portal takes no time."""
SEED = """\
{
  "lines": [
    {"config_id": 69, "type": "cloud", "title": "Sales", "server": "old.sip.example",
     "login": "0045281811", "password": "not-a-real-one", "app": null},
    {"config_id": 70, "type": "cloud", "title": "Support", "server": "sip.provider.example",
     "login": "+74951234567", "password": "nor-this", "app": null},
    {"config_id": 71, "type": "cloud", "title": "Warehouse", "server": "sip.provider.example",
     "login": "0045281813", "password": "nor-that", "app": null}
  ]
}
"""


@click.command(
    "demo",
    cls=Command,
    help="Show the whole story on an emulated portal: a file, the plan, the apply, and a second plan that is empty.",
    examples=["sipsync demo", "sipsync demo try-it     # keeps the files, to go on from there"],
)
@click.argument(
    "folder",
    metavar="[DIR]",
    required=False,
    type=click.Path(path_type=Path),
    help="An empty folder that keeps the files; else a temporary one.",
)
@click.pass_obj
def command(session: Session, folder: Path | None) -> Exit:
    if find_spec("starlette") is None:
        raise SipsyncError(
            Diagnostic(
                Code.EXTRA_MISSING,
                Message("the emulated portal is not installed"),
                hint=Message('Install it: `pip install "sipsync[sandbox]"`.'),
            )
        )
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="sipsync-demo-", ignore_cleanup_errors=True) as temporary:
            return _told_in(session, Path(temporary))
    if folder.exists() and any(folder.iterdir()):
        raise SipsyncError(
            Diagnostic(
                Code.UNWRITABLE,
                Message("{folder} is not empty", folder=folder),
                hint=Message("Name a new or an empty folder."),
            )
        )
    exit_ = _told_in(session, folder)
    session.hint(f"\nGo on in {folder}: change sipsync.yaml, then sipsync plan and sipsync apply.")
    return exit_


def _told_in(session: Session, folder: Path) -> Exit:
    """The story, told in a folder, so that files have short names."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with chdir(folder):
            return _tell(session)
    except OSError as error:
        from sipsync.disk.files import unwritable

        raise unwritable(folder, error) from None


def _tell(session: Session) -> Exit:
    """The story; it ends with an error where it does not end as it should."""
    from sipsync.cli import scaffold, streams
    from sipsync.cli.output import publish
    from sipsync.sandbox import seed_portal

    file = Path("sipsync.yaml")
    scaffold.write_new(file, FILE)
    scaffold.write_new(Path("seed.json"), SEED)
    seed_portal("portal.sandbox", json.loads(SEED))
    fleet = _fleet(session, file)

    def chapter(title: str) -> None:
        streams.write(f"\n{title}\n\n")

    streams.write("An emulated portal has three lines. This is how they should be, in sipsync.yaml:\n\n")
    streams.write(FILE)
    chapter("$ sipsync plan")
    plan = _plan(session, fleet)
    publish(session, plan, "text")
    chapter("$ sipsync apply --yes --wait 30")
    outcome = _apply(session, fleet, plan)
    publish(session, outcome, "text")
    chapter("$ sipsync plan")
    again = _plan(session, fleet)
    publish(session, again, "text")
    if outcome.exit or again.errored or again.has_changes or not plan.has_changes:
        hint = Message("The reason stands above. Please report it with the whole output.")
        raise SipsyncError(Diagnostic(Code.INTERNAL, Message("the demo did not end as it should"), hint=hint))
    return Exit.OK


def _fleet(session: Session, file: Path) -> Fleet:
    from sipsync import api
    from sipsync.model.operator import Operator

    return api.load([file], Operator(environ=session.environ, state_dir=".sipsync"))


def _plan(session: Session, fleet: Fleet) -> Plan:
    from sipsync import api
    from sipsync.cli.work import make_plan

    return make_plan(session, fleet, api.PlanOptions())


def _apply(session: Session, fleet: Fleet, plan: Plan) -> Outcome:
    from sipsync import api
    from sipsync.cli.progress import progress

    with progress(session, 1) as on_event:
        return api.apply(plan, fleet, api.ApplyOptions(wait=_WAIT), on_event)
