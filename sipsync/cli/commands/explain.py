"""`sipsync explain`: what a finding means and what to do about it, in plain words."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from sipsync.cli.group import make_command
from sipsync.cli.output import usage_error
from sipsync.cli.session import Session, write
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.problems import Code, Exit


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(code.value) for code in Code if code.startswith(incomplete)]


@make_command(
    "explain",
    "Explain a finding by the name that stands beside it in brackets; without a name list all.",
    "sipsync explain title-held",
    "sipsync --lang ru explain no-scope",
    "sipsync explain",
)
@click.argument("code", required=False, shell_complete=_complete, help="The finding's name.")
def command(session: Session, code: str | None) -> Exit:
    from sipsync.report.explain import explain
    from sipsync.report.findings import wrapped

    if code is None:
        longest = max(map(len, Code))
        text = "".join(f"{each:{longest}}  {explain(each, session.lang).title}\n" for each in Code)
    else:
        explained = explain(_named(code), session.lang)
        width = session.style().width
        told = ("\n".join(wrapped(part, width)) for part in (explained.title, explained.meaning, explained.action))
        text = "\n\n".join(told) + "\n"
    write(text)
    return Exit.OK


def _named(text: str) -> Code:
    try:
        return Code(text.strip("[]").lower().replace("_", "-"))
    except ValueError:
        hint = did_you_mean(text, Code, Message("`sipsync explain` lists all of them."))
        raise usage_error(Message("there is no finding {text!r}", text=text), hint) from None
