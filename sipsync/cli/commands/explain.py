"""`sipsync explain`: what a finding means and what to do about it, in plain words; and the reference pages."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from sipsync.cli.group import make_command
from sipsync.cli.output import usage_error
from sipsync.cli.session import Session, write
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.problems import Code, Exit

PAGES = ("policy", "environment", "exit-codes")


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in (*Code, *PAGES) if name.startswith(incomplete)]


@make_command(
    "explain",
    "Explain a finding by the name that stands beside it in brackets, or show a reference page: "
    f"{', '.join(PAGES)}. Without a name list all.",
    "sipsync explain title-held",
    "sipsync --lang ru explain no-scope",
    "sipsync explain policy",
)
@click.argument("name", required=False, shell_complete=_complete, help="The name of the finding or page.")
def command(session: Session, name: str | None) -> Exit:
    from sipsync.report.explain import explain, pages
    from sipsync.report.findings import wrapped

    def filled(*paragraphs: str, indent: str = "") -> str:
        lines = ("\n".join(indent + line for line in wrapped(text, width - len(indent))) for text in paragraphs)
        return "\n\n".join(lines) + "\n"

    width = session.style().width
    if name is None:
        titles = [(code.value, explain(code, session.lang).title) for code in Code]
        titles += [(page, told.title) for page, told in pages(session.lang).items()]
        longest = max(map(len, Code))
        text = "".join(f"{each:{longest}}  {title}\n" for each, title in titles)
    elif name in PAGES:
        page = pages(session.lang)[name]
        entries = (f"\n{names}\n{filled(meaning, indent='  ')}" for names, meaning in page.entries)
        text = filled(page.title, page.about) + "".join(entries)
    else:
        explained = explain(_named(name), session.lang)
        text = filled(explained.title, explained.meaning, explained.action)
    write(text)
    return Exit.OK


def _named(text: str) -> Code:
    try:
        return Code(text.strip("[]").lower().replace("_", "-"))
    except ValueError:
        hint = did_you_mean(text, (*Code, *PAGES), Message("`sipsync explain` lists all of them."))
        raise usage_error(Message("there is no finding {text!r}", text=text), hint) from None
