"""`sipsync explain`: what a finding means and what to do about it, in plain words."""

from __future__ import annotations

from textwrap import fill

import click
from click.shell_completion import CompletionItem

from sipsync.cli.group import Command
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.problems import Code, Diagnostic, Exit, UsageError


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(code.value) for code in Code if code.startswith(incomplete)]


@click.command(
    "explain",
    cls=Command,
    help="Explain a finding by the name that stands beside it in brackets; without a name list all.",
    examples=["sipsync explain title-held", "sipsync --lang ru explain no-scope", "sipsync explain"],
)
@click.argument("code", required=False, shell_complete=_complete, help="The finding's name.")
@click.pass_obj
def command(session: Session, code: str | None) -> Exit:
    from sipsync.cli import streams
    from sipsync.report.explain import explain

    if code is None:
        longest = max(map(len, Code))
        text = "".join(f"{each:{longest}}  {explain(each, session.lang).title}\n" for each in Code)
    else:
        told = explain(_named(code), session.lang)
        width = session.style().width
        text = "\n\n".join((told.title, fill(told.meaning, width), fill(told.action, width))) + "\n"
    streams.write(text)
    return Exit.OK


def _named(text: str) -> Code:
    try:
        return Code(text.strip("[]").lower().replace("_", "-"))
    except ValueError:
        hint = did_you_mean(text, Code, Message("`sipsync explain` lists all of them."))
        raise UsageError(
            Diagnostic(Code.USAGE, Message("there is no finding {text!r}", text=text), hint=hint)
        ) from None
