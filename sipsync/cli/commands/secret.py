"""`sipsync secret`: keeps typed passwords where references find them, and makes keys that sipsync itself needs."""

from __future__ import annotations

import re
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Final

import click

from sipsync.cli import scaffold
from sipsync.cli.group import Group, make_command, option
from sipsync.cli.output import usage_error
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE
from sipsync.disk.clock import SystemClock
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SecretError

_BYTES = 32
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@make_command(
    "set",
    """Type a password, unseen and twice, and keep it where a reference finds it; the reference is printed.

    It goes into a file beside the portal's file, below .sipsync/: for you alone, and not seen by git. From a pipe, one
    line of standard input is the password.
    """,
    "sipsync secret set sales                        # prints file:.sipsync/secrets/sales",
    "sipsync secret set sales portals/acme.yaml      # for a line of that file",
    "sipsync secret set sales --keyring sipsync      # into the system's keyring",
)
@click.argument("key", metavar="KEY", help="What to call it, as the line's key.")
@click.argument("file", metavar="[FILE]", type=FILE, default="sipsync.yaml", help="The file of the line.")
@option("--keyring", metavar="SERVICE", help="Keep it in the system's keyring, under this service.")
def set_(session: Session, key: str, file: Path, keyring: str | None) -> Exit:
    from sipsync import api

    if not _KEY.fullmatch(key):
        hint = Message("Use up to 100 Latin letters, digits, `-` and `_`, as in `sipsync secret set sales`.")
        raise usage_error(Message("a password can't be kept under this name"), hint)
    if not file.parent.is_dir():
        hint = Message("Give the path of the line's file, as in `sipsync secret set sales portals/acme.yaml`.")
        raise usage_error(Message("there is no folder {folder}", folder=file.parent), hint)
    reference = api.keep_password(key, _password(session, key), file.parent, keyring=keyring)
    if keyring is None:
        scaffold.ignore_all_but_schema(file.parent)
    write(f"{reference}\n")
    session.hint(Message("Kept. To use it, write into the line: password: {reference}", reference=reference))
    return Exit.OK


def _password(session: Session, key: str) -> str:
    """What somebody typed twice alike, or the first line that a program wrote."""
    if not session.can_ask():
        value = (sys.stdin.readline() if sys.stdin else "").strip()
        if not value:
            summary = Message("there is no password on standard input")
            hint = Message("Write it there as one line, or run this at a terminal.")
            raise SecretError(Diagnostic(Code.SECRET_UNSET, summary, hint=hint))
        return value
    value = session.hidden(Message("Password for {key} (not shown while you type): ", key=key))
    hint = Message("Type it again: `sipsync secret set {key}`.", key=key)
    if not value:
        raise SecretError(Diagnostic(Code.SECRET_UNSET, Message("no password was given; nothing was kept"), hint=hint))
    if session.hidden(Message("The same again: ")) != value:
        summary = Message("the two passwords differ; nothing was kept")
        raise SecretError(Diagnostic(Code.SECRET_VALUE, summary, hint=hint))
    return value


@make_command(
    "plan-key",
    """Print a random key, and keep it nowhere: for SIPSYNC_PLAN_KEY.

    It is the same in all jobs that make and apply one plan. Keep it as a secret of theirs: whoever has it can make a
    plan look reviewed, and guess short passwords by a plan.
    """,
    "sipsync secret plan-key",
    'gh secret set SIPSYNC_PLAN_KEY --body "$(sipsync secret plan-key)"',
)
def plan_key(_session: Session) -> Exit:
    write(urlsafe_b64encode(SystemClock().token(_BYTES)).decode().rstrip("=") + "\n")
    return Exit.OK


command = Group(
    "secret",
    commands=[set_, plan_key],
    help="Keep passwords that are typed, and make the keys that sipsync itself needs.",
    examples=["sipsync secret set sales", "sipsync secret plan-key"],
)
