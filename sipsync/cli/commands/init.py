"""`sipsync init`: from a webhook to the first, empty plan. Nothing is written unless the webhook passes the check."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from sipsync.cli import scaffold
from sipsync.cli.group import make_command, option
from sipsync.cli.options import OperatorOptions, input_option, operator_options
from sipsync.cli.output import publish, show, usage_error, write_new
from sipsync.cli.scaffold import Forge
from sipsync.cli.session import Session
from sipsync.cli.types import FILE, Output
from sipsync.cli.work import check, fleet_of, make_plan, read
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import PlanOptions
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError

WEBHOOK_VARIABLE = "SIPSYNC_WEBHOOK"
_WHERE = Message(
    """sipsync needs an inbound webhook of your portal. In Bitrix24, as an administrator:
  Developer resources → Other → Inbound webhook,
  tick the box "Telephony (telephony)", save, and copy the URL: https://…/rest/1/…/
It is kept in .sipsync/webhook, for you alone and out of git, and never shown.
"""
)
_METHOD = re.compile(r"(/rest/\d+/[\w-]+)/[\w.]+\.(?:json|xml)/?$")
"""A method at the end of a webhook, as Bitrix24's page shows it."""
_SECRET: dict[Forge, str] = {
    "github": "In GitHub, give the environments sip-read and sip-apply the secret {name}: the webhook.",
    "gitlab": "In GitLab, add the protected and masked variable {name}: the webhook.",
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook's URL, and the reference by which the file will find it."""

    url: str
    variable: str
    reference: str

    def __repr__(self) -> str:
        return f"Webhook({self.reference})"


@make_command(
    "init",
    "Connect a portal: ask for its webhook, check it, write sipsync.yaml from what is there, show the first plan.",
    "sipsync init",
    "sipsync init sip-lines --ci github",
    "ACME_WEBHOOK=https://… sipsync init --webhook-env ACME_WEBHOOK",
)
@click.argument("folder", metavar="[DIR]", type=FILE, default=".", help="Where to write.")
@option("--name", metavar="NAME", help="The portal's name in plans. Default: from its host.")
@option("--webhook-env", metavar="NAME", help="Take the webhook from this variable; the file will, too.")
@option("--webhook-stdin", is_flag=True, help="Read the webhook from standard input.")
@option("--ci", type=click.Choice(["github", "gitlab"]), help="Write a workflow, .gitignore and .gitattributes, too.")
@input_option
@operator_options
def command(
    session: Session,
    folder: Path,
    limits: OperatorOptions,
    name: str | None,
    webhook_env: str | None,
    webhook_stdin: bool,
    ci: Forge | None,
    may_ask: bool,
) -> Exit:
    from sipsync.config.writer.lines import secret_name
    from sipsync.config.writer.new_file import portal_text

    session.input = may_ask
    file = folder / "sipsync.yaml"
    if file.exists():
        summary = Message("{file} exists already, and init never overwrites", file=file)
        hint = "To take over lines that the portal has: sipsync import {file}. To begin anew, move it away."
        raise SipsyncError(Diagnostic(Code.UNWRITABLE, summary, hint=Message(hint, file=file)))
    if ci:
        _refuse_ci_below(folder, ci)
    while True:
        webhook = _webhook(session, webhook_env, from_stdin=webhook_stdin, ci=ci)
        operator = _operator(limits.operator(session, [folder]), webhook)
        try:
            fleet = fleet_of(name or _name_of(webhook.url), webhook.variable, file, operator)
            check(session, fleet)
            break
        except SipsyncError as error:
            if webhook_env or webhook_stdin:
                raise
            show(error.diagnostics, session)
            session.say(Message("Once more; Ctrl-C ends it."))
    [(reading, snapshot)] = read(session, fleet)
    text = portal_text(reading.portal.name, [f"webhook: {webhook.reference}"], snapshot)
    kept = None if webhook_env else scaffold.keep_webhook(folder, webhook.url)  # first, as it makes the folder private
    scaffold.write_schema(folder)
    password = next((secret_name(reading.portal.name, line.config_id, "password") for line in snapshot.lines), "")
    workflow = scaffold.write_ci(session, folder, ci, webhook.variable, password) if ci else None
    write_new(file, text)  # last, so that a run that failed before can be repeated
    code = _first_plan(session, file, operator)
    _say_what_is_next(session, file, webhook.variable, ci, workflow, kept)
    return code


def _webhook(session: Session, variable: str | None, *, from_stdin: bool, ci: Forge | None) -> Webhook:
    """The webhook, from wherever the user gives it."""
    if variable:
        url = session.environ.get(variable, "").strip()
        missing = Message("the variable {variable} is not set, or empty", variable=variable)
    elif from_stdin:
        url = sys.stdin.readline().strip()
        missing = Message("there is no webhook on standard input")
    else:
        session.must_ask("init", Message("Give the webhook by --webhook-env NAME or --webhook-stdin."))
        session.say(_WHERE)
        url = session.hidden(Message("Webhook (not shown while you paste): "))
        missing = Message("no webhook was given")
    if not url:
        hint = Message("It begins with https:// and has /rest/ in it.")
        raise SipsyncError(Diagnostic(Code.CREDENTIAL, missing, hint=hint))
    url = _METHOD.sub(r"\1/", url)
    kept = variable or (WEBHOOK_VARIABLE if ci else None)
    return Webhook(url, kept or WEBHOOK_VARIABLE, f"env:{kept}" if kept else "file:.sipsync/webhook")


def _operator(operator: Operator, webhook: Webhook) -> Operator:
    """The operator with the webhook in their environment, as the file is not there to say whence it comes."""
    environ = {**operator.environ, webhook.variable: webhook.url}
    return replace(operator, environ=environ, env=(*operator.env, webhook.variable))


def _name_of(url: str) -> str:
    """A portal's name from its host: `acme` of acme.bitrix24.ru."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    label = host.partition(".")[0]
    return label if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", label) and label != "localhost" else "portal"


def _refuse_ci_below(folder: Path, ci: Forge) -> None:
    """A forge reads a workflow at the top of a repository only, and asks nobody where there is none."""
    from sipsync.disk.files import checkout_of

    top = checkout_of(folder)
    if top not in (None, folder.resolve()):
        summary = Message(
            "--ci writes to the top of a repository, and {folder} is not the top of {top}", folder=folder, top=top
        )
        hint = Message("Begin at the top: `sipsync init --ci {ci}` there; or leave out --ci.", ci=ci)
        raise usage_error(summary, hint)


def _first_plan(session: Session, file: Path, operator: Operator) -> Exit:
    """Show that the file says what the portal holds."""
    from sipsync import api

    plan = make_plan(session, api.load([file], operator), PlanOptions())
    publish(session, plan, Output())
    return plan.exit


def _say_what_is_next(
    session: Session, file: Path, variable: str, ci: Forge | None, workflow: Path | None, kept: Path | None
) -> None:
    """What is to be typed works as it is printed. `variable` names the webhook in the file, `kept` holds it."""
    from sipsync.disk.files import checkout_of, for_shell

    steps = [
        Message("Open {file} and change a title.", file=file),
        Message("sipsync plan {file}     shows what would change.", file=for_shell(file)),
        Message("sipsync apply {file}    asks, and changes it.", file=for_shell(file)),
    ]
    if ci and kept:
        export = f'$env:{variable}_FILE = "{kept}"' if os.name == "nt" else f"export {variable}_FILE={for_shell(kept)}"
        told = "{command}    lets this shell use the webhook that is kept here."
        steps.insert(1, Message(told, command=export))
    if ci:
        steps.append(Message(_SECRET[ci], name=variable))
        if checkout_of(file.parent) is None:
            steps.append(Message("git init {folder}    makes it a repository.", folder=for_shell(file.parent)))
        told = "Commit and push all files. The head of {workflow} says what else it needs."
        steps.append(Message(told, workflow=workflow))
    session.hint(Message("\nWhat to do next:"))
    for number, step in enumerate(steps, 1):
        session.hint(Message("  {number}. {step}", number=number, step=step))
