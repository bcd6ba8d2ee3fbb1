"""`sipsync init`: from a webhook to the first, empty plan. Nothing is written unless the webhook passes the check."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import click

from sipsync.cli.group import Command, option
from sipsync.cli.options import OperatorOptions, input_option, operator_options
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError

if TYPE_CHECKING:
    from sipsync.model.operator import Operator

Forge = Literal["github", "gitlab"]
WEBHOOK_VARIABLE = "SIPSYNC_WEBHOOK"
_WHERE = {
    "en": """sipsync needs an inbound webhook of your portal. In Bitrix24, as an administrator:
  Applications → Developer resources → Other → Inbound webhook,
  tick the box "Telephony (telephony)", save, and copy the URL: https://…/rest/1/…/
It is kept on this machine and never shown.
""",
    "ru": """Нужен входящий вебхук вашего портала. В Битрикс24, под администратором:
  Разработчикам → Другое → Входящий вебхук,
  отметьте «Телефония (telephony)», сохраните и скопируйте адрес: https://…/rest/1/…/
Он хранится на этом компьютере и нигде не показывается.
""",
}


_NEXT = {
    "en": (
        "What to do next:",
        "1. Open {file} and change a title.",
        "2. sipsync plan     shows what would change.",
        "3. sipsync apply    asks, and changes it.",
        "4. Put the webhook into a secret named as in {file}, and commit. The workflow says more.",
    ),
    "ru": (
        "Что дальше:",
        "1. Откройте {file} и измените какое-нибудь название.",
        "2. sipsync plan     покажет, что изменится.",
        "3. sipsync apply    спросит и изменит.",
        "4. Сохраните вебхук в секрете с именем из {file} и сделайте коммит. Остальное написано в workflow.",
    ),
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook's URL, and the reference by which the file will find it."""

    url: str
    variable: str
    reference: str

    def __repr__(self) -> str:
        return f"Webhook({self.reference})"


@click.command(
    "init",
    cls=Command,
    help="Connect a portal: ask for its webhook, check it, write sipsync.yaml from what is there, show the first plan.",
    examples=[
        "sipsync init",
        "sipsync init sip-lines --ci github",
        "ACME_WEBHOOK=https://… sipsync init --webhook-env ACME_WEBHOOK",
    ],
)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=".", help="Where to write.")
@option("--name", metavar="NAME", help="The portal's name in plans. Default: from its host.")
@option("--webhook-env", metavar="NAME", help="Take the webhook from this variable; the file will, too.")
@option("--webhook-stdin", is_flag=True, help="Read the webhook from standard input.")
@option("--ci", type=click.Choice(["github", "gitlab"]), help="Write a workflow, .gitignore and .gitattributes, too.")
@input_option
@operator_options
@click.pass_obj
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
    from sipsync.cli import connect
    from sipsync.config.writer.new_file import portal_text

    session.input = may_ask
    file = folder / "sipsync.yaml"
    _refuse_existing(file)
    webhook = _webhook(session, webhook_env, from_stdin=webhook_stdin, ci=ci)
    operator = _operator(session, limits, folder, webhook)
    fleet = connect.fleet_of(name or _name_of(webhook.url), webhook.variable, file, operator)
    connect.check(session, fleet)
    [(reading, snapshot)] = connect.read(session, fleet)
    text = portal_text(reading.portal.name, [f"webhook: {webhook.reference}"], snapshot)
    _write(session, folder, text, webhook, ci)
    return _first_plan(session, file, operator, ci)


def _write(session: Session, folder: Path, text: str, webhook: Webhook, ci: Forge | None) -> None:
    """Write all files; the portal's own comes last, so that a run that failed before can be repeated."""
    from sipsync.cli import scaffold

    scaffold.write_schema(folder)
    if webhook.reference.startswith("file:"):
        scaffold.keep_webhook(folder, webhook.url)
    if ci:
        scaffold.write_ci(session, folder, ci, webhook.variable)
    scaffold.write_new(folder / "sipsync.yaml", text)


def _refuse_existing(file: Path) -> None:
    if file.exists():
        raise SipsyncError(
            Diagnostic(
                Code.UNWRITABLE,
                Message("{file} exists already, and init never overwrites", file=file),
                hint=Message(
                    "To take over lines that the portal has: sipsync import {file}. To begin anew, move it away.",
                    file=file,
                ),
            )
        )


def _webhook(session: Session, variable: str | None, *, from_stdin: bool, ci: Forge | None) -> Webhook:
    """The webhook, from wherever the user gives it."""
    if variable:
        url = session.environ.get(variable, "").strip()
        missing = Message("the variable {variable} is not set, or empty", variable=variable)
    elif from_stdin:
        url = sys.stdin.readline().strip()
        missing = Message("there is no webhook on standard input")
    elif session.can_ask():
        from sipsync.cli.questions import hidden

        session.say(_WHERE[session.lang])
        url = hidden("Webhook (not shown while you paste): ")
        missing = Message("no webhook was given")
    else:
        from sipsync.cli.questions import no_terminal

        raise no_terminal("init", Message("Give the webhook by --webhook-env NAME or --webhook-stdin."))
    if not url:
        raise SipsyncError(
            Diagnostic(Code.CREDENTIAL, missing, hint=Message("It begins with https:// and has /rest/ in it."))
        )
    kept = variable or (WEBHOOK_VARIABLE if ci else None)
    return Webhook(url, kept or WEBHOOK_VARIABLE, f"env:{kept}" if kept else "file:.sipsync/webhook")


def _operator(session: Session, limits: OperatorOptions, folder: Path, webhook: Webhook) -> Operator:
    """The operator, with the webhook in their environment, where the file is not there to say whence it comes."""
    operator = limits.operator(session, [folder])
    return replace(
        operator,
        environ={**operator.environ, webhook.variable: webhook.url},
        env=(*operator.env, webhook.variable),
    )


def _name_of(url: str) -> str:
    """A portal's name from its host: `acme` of acme.bitrix24.ru."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    label = host.partition(".")[0]
    return label if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", label) and label != "localhost" else "portal"


def _first_plan(session: Session, file: Path, operator: Operator, ci: Forge | None) -> Exit:
    """Show that the file says what the portal holds, and what to do now."""
    from sipsync import api
    from sipsync.cli.output import publish
    from sipsync.cli.work import make_plan

    plan = make_plan(session, api.load([file], operator), api.PlanOptions())
    publish(session, plan, "text")
    head, *steps, for_ci = _NEXT[session.lang]
    wanted = [*steps, for_ci] if ci else steps
    session.hint("\n".join((f"\n{head}", *(f"  {step.format(file=file)}" for step in wanted))))
    return plan.exit
