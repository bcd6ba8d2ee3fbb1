"""`sipsync import`: a portal's lines as YAML, in a new file or merged into one that is there. Changes no portal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from sipsync.cli.complete import complete_portals
from sipsync.cli.group import Command, option
from sipsync.cli.options import OperatorOptions, operator_options
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, UsageError

if TYPE_CHECKING:
    from sipsync.api import Reading
    from sipsync.model.operator import Operator

Store = Literal["env", "sops", "keyring"]


@click.command(
    "import",
    cls=Command,
    help="Write a portal's lines, with their config_ids, into a file; the next plan is empty. In a file that exists "
    "comments and order stay and missing lines are added; what differs is changed with --overwrite only. Passwords "
    "stay unmanaged, unless --passwords says where to keep them.",
    examples=[
        "sipsync import                                   # into sipsync.yaml, from the portals that it names",
        "sipsync import portals/acme.yaml --webhook-env ACME_WEBHOOK",
        "sipsync import --pin                             # give lines that are found by title their config_id",
        "sipsync import --passwords env --secrets-out .env",
    ],
)
@click.argument(
    "file", metavar="[FILE]", type=click.Path(path_type=Path), default="sipsync.yaml", help="The file to write."
)
@option("--webhook-env", metavar="NAME", help="For a new file: the variable that holds the portal's webhook.")
@option("--name", metavar="NAME", help="For a new file: the portal's name. Default: the file's.")
@option("--portal", metavar="NAME", shell_complete=complete_portals, help="Only this portal of the file.")
@option("--overwrite", is_flag=True, help="Change lines of the file that differ from the portal.")
@option("--pin", is_flag=True, help="Write the config_id to lines that have none.")
@option(
    "--passwords",
    type=click.Choice(["env", "sops", "keyring"]),
    help="Keep the passwords that the portal returns, and manage them.",
)
@option("--secrets-out", metavar="FILE", help="Where to keep them; a new file is readable by you alone.")
@operator_options
@click.pass_obj
def command(
    session: Session,
    file: Path,
    limits: OperatorOptions,
    webhook_env: str | None,
    name: str | None,
    portal: str | None,
    overwrite: bool,
    pin: bool,
    passwords: Store | None,
    secrets_out: str | None,
) -> Exit:
    from sipsync.cli import streams
    from sipsync.report.wording import count

    if passwords in ("env", "sops") and not secrets_out:
        raise _usage(
            Message("--passwords {passwords} needs a file", passwords=passwords),
            Message("Give it with --secrets-out FILE."),
        )
    keep = Keep(passwords, secrets_out or "")
    if file.exists():
        if webhook_env or name:
            raise _usage(
                Message("{file} exists and names its portal", file=file), Message("Leave out --webhook-env and --name.")
            )
        lines = _merge(session, file, limits, portal, keep, overwrite=overwrite, pin=pin)
    else:
        lines = _create(session, file, limits, webhook_env, name, keep)
    streams.write(f"{file}: the portal has {count(lines, 'line')}.\n")
    if keep.kind is None:
        session.hint("Passwords were left alone; --passwords says where to keep them.")
    session.hint(f"Next: sipsync plan {file}")
    return Exit.OK


@dataclass(frozen=True, slots=True)
class Keep:
    """Where passwords go, if anywhere."""

    kind: Store | None
    where: str

    def references(self, reading: Reading, operator: Operator) -> Mapping[int, str]:
        """Store a portal's passwords; config_id → the reference for the file."""
        from sipsync import api

        return api.store_passwords(self.kind, reading, self.where, operator) if self.kind else {}


def _create(
    session: Session, file: Path, limits: OperatorOptions, variable: str | None, name: str | None, keep: Keep
) -> int:
    """Write a new file; the number of lines that the portal has."""
    from sipsync.cli import connect, scaffold
    from sipsync.config.writer.new_file import portal_text

    if variable is None:
        hint = Message(
            "To make it, say which portal: sipsync import {file} --webhook-env NAME. Or: sipsync init.", file=file
        )
        raise SipsyncError(Diagnostic(Code.FILE_NOT_FOUND, Message("there is no file {file}", file=file), hint=hint))
    operator = limits.operator(session, [file])
    fleet = connect.fleet_of(name or file.stem, variable, file, operator)
    [(reading, snapshot)] = connect.read(session, fleet)
    references = keep.references(reading, operator)
    text = portal_text(reading.portal.name, [f"webhook: env:{variable}"], snapshot, passwords=references)
    scaffold.write_new(file, text)
    return len(snapshot.lines)


def _merge(
    session: Session, file: Path, limits: OperatorOptions, wanted: str | None, keep: Keep, *, overwrite: bool, pin: bool
) -> int:
    """Add to the file what it lacks; the number of lines that its portals have."""
    from sipsync.cli import connect
    from sipsync.cli.output import text_of
    from sipsync.cli.work import load
    from sipsync.config.writer.merge import merge_text
    from sipsync.disk.files import write_file

    fleet = load(session, [file], limits)
    portals = tuple(portal for portal in fleet.portals if wanted in (None, portal.name))
    if not portals:
        raise _usage(
            Message("{file} has no portal {wanted}", file=file, wanted=wanted),
            Message("It has {portals}.", portals=", ".join(each.name for each in fleet.portals)),
        )
    text = text_of(file)
    readings = connect.read(session, replace(fleet, portals=portals))
    for reading, snapshot in readings:
        references = keep.references(reading, fleet.operator)
        text = merge_text(
            text,
            file.as_posix(),
            snapshot,
            overwrite=overwrite,
            pin=pin,
            portal=reading.portal.name,
            passwords=references,
        )
    write_file(file, text.encode())
    return sum(len(snapshot.lines) for _, snapshot in readings)


def _usage(summary: Message, hint: Message) -> UsageError:
    return UsageError(Diagnostic(Code.USAGE, summary, hint=hint))
