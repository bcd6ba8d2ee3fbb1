"""`sipsync import`: a portal's lines as YAML, in a new file or merged into one that is there. Changes no portal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from sipsync.cli import scaffold
from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, PortalsOptions, lines_options, operator_options, typed
from sipsync.cli.output import show, usage_error, write_new
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE
from sipsync.cli.work import ask, fleet_of, read
from sipsync.model.globs import fits
from sipsync.model.lines import Address
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError

if TYPE_CHECKING:
    from sipsync.api import Reading
    from sipsync.config.writer.keys import LineChoice
    from sipsync.config.writer.merge import Merged


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to write, and where passwords go, if anywhere."""

    webhook_env: str | None
    name: str | None
    overwrite: bool
    pin: bool
    passwords: Literal["env", "sops", "keyring"] | None
    secrets_out: str | None
    keys: Literal["id", "title"]

    @property
    def by_title(self) -> bool:
        """Whether new lines are called after their titles."""
        return self.keys == "title"

    def references(
        self, session: Session, reading: Reading, operator: Operator, names: Mapping[int, str]
    ) -> Mapping[int, str]:
        """Store a portal's passwords under these names; config_id → the reference for the file."""
        from sipsync import api

        if not self.passwords:
            return {}
        references = api.store_passwords(self.passwords, reading, self.secrets_out or "", operator, names)
        if references and self.passwords == "env" and self.secrets_out:
            scaffold.hide_from_git(session, Path(self.secrets_out))
        return references


@make_command(
    "import",
    "Write a portal's lines, with their config_ids, into a file; the next plan is empty. In a file that exists "
    "comments and order stay and missing lines are added; what differs is changed with --overwrite only. Passwords "
    "stay unmanaged, unless --passwords says where to keep them.",
    "sipsync import                                   # into sipsync.yaml, from the portals that it names",
    "sipsync import portals/acme.yaml --webhook-env ACME_WEBHOOK",
    "sipsync import --keys title                      # calls new lines after their titles",
    "sipsync import --pin                             # give lines that are found by title their config_id",
    "sipsync import --passwords env --secrets-out .env",
)
@click.argument("file", metavar="[FILE]", type=FILE, default="sipsync.yaml", help="The file to write.")
@option("--webhook-env", metavar="NAME", help="For a new file: the variable that holds the portal's webhook.")
@option("--name", metavar="NAME", help="For a new file: the portal's name. Default: the file's.")
@option(
    "--keys",
    type=click.Choice(["id", "title"]),
    default="id",
    help="What to call new lines: line-69, or after their titles, as otdel-prodazh.",
)
@option("--overwrite", is_flag=True, help="Change lines of the file that differ from the portal.")
@option("--pin", is_flag=True, help="Write the config_id to lines that have none.")
@option(
    "--passwords",
    type=click.Choice(["env", "sops", "keyring"]),
    help="Keep the passwords that the portal returns, and manage them.",
)
@option("--secrets-out", metavar="FILE", help="Where to keep them; a new file is readable by you alone.")
@lines_options
@operator_options
@typed("options", ImportOptions)
def command(
    session: Session, file: Path, limits: OperatorOptions, options: ImportOptions, select: PortalsOptions
) -> Exit:
    if options.passwords in ("env", "sops") and not options.secrets_out:
        summary = Message("--passwords {passwords} needs a file", passwords=options.passwords)
        raise usage_error(summary, Message("Give it with --secrets-out FILE."))
    exists = file.exists()
    if exists and (options.webhook_env or options.name):
        hint = Message("Leave out --webhook-env and --name.")
        raise usage_error(Message("{file} exists and names its portal", file=file), hint)
    fill = _merge if exists else _create
    exit_ = fill(session, file, limits.operator(session, [file]), options, select)
    if options.passwords is None:
        session.hint(Message("Passwords were left alone; --passwords says where to keep them."))
    if options.passwords == "env" and options.secrets_out:
        from sipsync.disk.files import for_shell

        path = for_shell(Path(options.secrets_out), sourced=True)
        session.hint(Message("Load them into this shell: set -a; . {path}; set +a", path=path))
    session.hint(Message("Next: sipsync plan {file}", file=file))
    return exit_


def _create(session: Session, file: Path, operator: Operator, options: ImportOptions, select: PortalsOptions) -> Exit:
    """Write a new file."""
    from sipsync.config.writer.keys import new_keys
    from sipsync.config.writer.lines import default_names
    from sipsync.config.writer.new_file import portal_text

    variable = options.webhook_env
    if variable is None:
        hint = "To make it, say which portal: sipsync import {file} --webhook-env NAME. Or: sipsync init."
        summary = Message("there is no file {file}", file=file)
        raise SipsyncError(Diagnostic(Code.FILE_NOT_FOUND, summary, hint=Message(hint, file=file)))
    [(reading, snapshot)] = read(session, fleet_of(options.name or file.stem, variable, file, operator))
    name = reading.portal.name
    keys = new_keys(snapshot.lines, (), by_title=options.by_title)
    choice = _choices({name: keys.values()}, options, select)[name]
    lines = tuple(line for line in snapshot.lines if choice.selects(keys.get(line.config_id, "")))
    snapshot = replace(snapshot, lines=lines)
    passwords = options.references(session, reading, operator, default_names(name, snapshot))
    schema = os.path.relpath(scaffold.write_schema(Path(operator.root)), file.parent).replace(os.sep, "/")
    access = [f"webhook: env:{variable}"]
    write_new(file, portal_text(name, access, snapshot, passwords=passwords, schema=schema, keys=keys))
    _tell(file, len(lines), options, len(passwords))
    return Exit.OK


def _merge(session: Session, file: Path, operator: Operator, options: ImportOptions, select: PortalsOptions) -> Exit:
    """Add to the file what it lacks, of the portals that can be read."""
    from sipsync import api
    from sipsync.config.paths import editable_text
    from sipsync.config.writer.merge import line_keys, merge, secret_names
    from sipsync.disk.files import write_file

    fleet = api.select(api.load([file], operator), select.portals)
    portals = tuple(portal for portal in fleet.portals if not any(fits(portal.name, glob) for glob in select.exclude))
    readings = ask(session, replace(fleet, portals=portals), api.aread)
    failures = [reason for reading in readings for reason in reading.diagnostics]
    there = {reading.portal.name: (reading, reading.snapshot) for reading in readings if reading.snapshot is not None}
    if failures and not there:
        raise SipsyncError(*failures)
    text, where, told, stored = editable_text(file), file.as_posix(), [], 0
    choices = _choices(
        {
            name: line_keys(text, where, snapshot, name, by_title=options.by_title)
            for name, (_, snapshot) in there.items()
        },
        options,
        select,
        [portal.name for portal in fleet.portals if portal.name not in there],
    )
    for name, (reading, snapshot) in there.items():
        choice = choices[name]
        passwords = options.references(session, reading, operator, secret_names(text, where, snapshot, name, choice))
        merged = merge(
            text,
            where,
            snapshot,
            overwrite=options.overwrite,
            pin=options.pin,
            portal=name,
            passwords=passwords,
            choice=choice,
        )
        text, stored = merged.text, stored + len(passwords)
        told.append(merged)
    write_file(file, text.encode())
    _tell(file, sum(len(snapshot.lines) for _, snapshot in there.values()), options, stored)
    for merged in told:
        _tell_lines(merged)
    if failures:
        show(failures, session)
    return Exit.ERROR if failures else Exit.OK


def _choices(
    keys: Mapping[str, Iterable[str]], options: ImportOptions, select: PortalsOptions, others: Sequence[str] = ()
) -> dict[str, LineChoice]:
    """By portal, which of its lines are meant; of `others` no lines are known. Raises UsageError as a plan does."""
    from sipsync import api
    from sipsync.config.writer.keys import LineChoice

    selection = select.selection()
    addresses = {name: [Address(name, key) for key in theirs] for name, theirs in keys.items()}
    api.check_selection(addresses, others, select.portals, selection)

    def choice(portal: str) -> LineChoice:
        return LineChoice(options.by_title, lambda key: selection.selects(Address(portal, key)))

    return {name: choice(name) for name in keys}


def _tell(file: Path, lines: int, options: ImportOptions, stored: int) -> None:
    from sipsync.report.wording import count

    write(Message("{file}: the portal has {lines}.\n", file=file, lines=count(lines, "line")))
    if options.passwords and not stored:
        write(Message("No password was stored: each line has a reference already, or the portal returned none.\n"))
    elif options.passwords:
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
