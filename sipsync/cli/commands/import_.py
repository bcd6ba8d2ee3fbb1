"""`sipsync import`: a portal's lines as YAML, in a new file or merged into one that is there. Changes no portal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from sipsync.cli import scaffold
from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, complete_portals, operator_options, typed
from sipsync.cli.output import usage_error, write_new
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE
from sipsync.cli.work import fleet_of, read
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError

if TYPE_CHECKING:
    from sipsync.api import Reading
    from sipsync.config.writer.merge import Merged


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to write, and where passwords go, if anywhere."""

    webhook_env: str | None
    name: str | None
    portal: str | None
    overwrite: bool
    pin: bool
    passwords: Literal["env", "sops", "keyring"] | None
    secrets_out: str | None

    def references(self, reading: Reading, operator: Operator, names: Mapping[int, str]) -> Mapping[int, str]:
        """Store a portal's passwords under these names; config_id → the reference for the file."""
        from sipsync import api

        where = self.secrets_out or ""
        return api.store_passwords(self.passwords, reading, where, operator, names) if self.passwords else {}


@make_command(
    "import",
    "Write a portal's lines, with their config_ids, into a file; the next plan is empty. In a file that exists "
    "comments and order stay and missing lines are added; what differs is changed with --overwrite only. Passwords "
    "stay unmanaged, unless --passwords says where to keep them.",
    "sipsync import                                   # into sipsync.yaml, from the portals that it names",
    "sipsync import portals/acme.yaml --webhook-env ACME_WEBHOOK",
    "sipsync import --pin                             # give lines that are found by title their config_id",
    "sipsync import --passwords env --secrets-out .env",
)
@click.argument("file", metavar="[FILE]", type=FILE, default="sipsync.yaml", help="The file to write.")
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
@typed("options", ImportOptions)
def command(session: Session, file: Path, limits: OperatorOptions, options: ImportOptions) -> Exit:
    if options.passwords in ("env", "sops") and not options.secrets_out:
        summary = Message("--passwords {passwords} needs a file", passwords=options.passwords)
        raise usage_error(summary, Message("Give it with --secrets-out FILE."))
    exists = file.exists()
    if exists and (options.webhook_env or options.name):
        hint = Message("Leave out --webhook-env and --name.")
        raise usage_error(Message("{file} exists and names its portal", file=file), hint)
    fill = _merge if exists else _create
    fill(session, file, limits.operator(session, [file]), options)
    if options.passwords is None:
        session.hint(Message("Passwords were left alone; --passwords says where to keep them."))
    if options.passwords == "env" and options.secrets_out:
        from sipsync.disk.files import for_shell

        told = Message("Load them into this shell: set -a; . {path}; set +a", path=for_shell(Path(options.secrets_out)))
        session.hint(told)
    session.hint(Message("Next: sipsync plan {file}", file=file))
    return Exit.OK


def _create(session: Session, file: Path, operator: Operator, options: ImportOptions) -> None:
    """Write a new file."""
    from sipsync.config.writer.lines import default_names
    from sipsync.config.writer.new_file import portal_text

    variable = options.webhook_env
    if variable is None:
        hint = "To make it, say which portal: sipsync import {file} --webhook-env NAME. Or: sipsync init."
        summary = Message("there is no file {file}", file=file)
        raise SipsyncError(Diagnostic(Code.FILE_NOT_FOUND, summary, hint=Message(hint, file=file)))
    [(reading, snapshot)] = read(session, fleet_of(options.name or file.stem, variable, file, operator))
    name = reading.portal.name
    passwords = options.references(reading, operator, default_names(name, snapshot))
    schema = os.path.relpath(scaffold.write_schema(Path(operator.root)), file.parent).replace(os.sep, "/")
    text = portal_text(name, [f"webhook: env:{variable}"], snapshot, passwords=passwords, schema=schema)
    write_new(file, text)
    _tell(file, len(snapshot.lines), options, len(passwords))


def _merge(session: Session, file: Path, operator: Operator, options: ImportOptions) -> None:
    """Add to the file what it lacks."""
    from sipsync import api
    from sipsync.config.paths import editable_text
    from sipsync.config.writer.merge import merge, secret_names
    from sipsync.disk.files import write_file

    fleet = api.load([file], operator)
    portals = tuple(portal for portal in fleet.portals if options.portal in (None, portal.name))
    if not portals:
        names = ", ".join(portal.name for portal in fleet.portals)
        summary = Message("{file} has no portal {portal}", file=file, portal=options.portal)
        raise usage_error(summary, Message("It has {names}.", names=names))
    text, where, told = editable_text(file), file.as_posix(), []
    readings = read(session, replace(fleet, portals=portals))
    stored = 0
    for reading, snapshot in readings:
        name = reading.portal.name
        passwords = options.references(reading, operator, secret_names(text, where, snapshot, name))
        merged = merge(
            text, where, snapshot, overwrite=options.overwrite, pin=options.pin, portal=name, passwords=passwords
        )
        text, stored = merged.text, stored + len(passwords)
        told.append(merged)
    write_file(file, text.encode())
    _tell(file, sum(len(snapshot.lines) for _, snapshot in readings), options, stored)
    for merged in told:
        _tell_lines(merged)


def _tell(file: Path, lines: int, options: ImportOptions, stored: int) -> None:
    from sipsync.report.wording import count

    write(Message("{file}: the portal has {lines}.\n", file=file, lines=count(lines, "line")))
    if options.passwords:
        where = options.secrets_out or Message("the keyring")
        write(
            Message(
                "{passwords} stored in {where}, and named in the file.\n",
                passwords=count(stored, "password"),
                where=where,
            )
        )


def _tell_lines(merged: Merged) -> None:
    if merged.added:
        write(Message("Added: {keys}.\n", keys=", ".join(merged.added)))
    if merged.differing:
        keys = ", ".join(f"{key} ({', '.join(names)})" for key, names in merged.differing.items())
        write(
            Message("Left as they are, though the portal differs (--overwrite takes its values): {keys}.\n", keys=keys)
        )
    if merged.gone:
        write(Message("Not on the portal: {keys}.\n", keys=", ".join(merged.gone)))
