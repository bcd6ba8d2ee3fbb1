"""`sipsync comment`: one comment with the plan in a pull or merge request, edited in place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sipsync.cli.group import Command, option
from sipsync.cli.session import Session
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError, UsageError

if TYPE_CHECKING:
    from sipsync.forge.target import Kind


@click.command(
    "comment",
    cls=Command,
    help="Post the plan as a comment of the pull or merge request that this job is about, or edit the one that is "
    "there. The token comes from SIPSYNC_FORGE_TOKEN, GITHUB_TOKEN or GITLAB_TOKEN.",
    examples=[
        "sipsync plan --out sipsync.plan.json && sipsync comment --github sipsync.plan.json",
        "sipsync comment --gitlab --name acme acme.plan.json",
        "sipsync comment --github --dry-run plan.md",
    ],
)
@click.argument(
    "file",
    metavar="[FILE]",
    required=False,
    type=click.Path(path_type=Path),
    help="A saved plan, or a text in Markdown; standard input where it is not given.",
)
@option("--plan", "plan_file", type=click.Path(path_type=Path), metavar="FILE", help="A saved plan.")
@option("--github", "kind", flag_value="github", help="The forge is GitHub.")
@option("--gitlab", "kind", flag_value="gitlab", help="The forge is GitLab.")
@option("--name", default="default", show_default=True, help="Which comment, where a request has several.")
@option("--number", type=click.IntRange(1), help="The request's number. Default: what the job is about.")
@option("--whole", default="", metavar="LINK", help="Where the whole plan is, for a comment that has to be cut.")
@option("--dry-run", is_flag=True, help="Print the comment; send nothing.")
@click.pass_obj
def command(
    session: Session,
    file: Path | None,
    plan_file: Path | None,
    kind: Kind | None,
    name: str,
    number: int | None,
    whole: str,
    dry_run: bool,
) -> Exit:
    from sipsync.cli import streams
    from sipsync.forge.comment import post
    from sipsync.forge.target import target_from_environ
    from sipsync.report.formats.markdown import marker

    if kind is None:
        raise UsageError(
            Diagnostic(Code.USAGE, Message("which forge is it?"), hint=Message("Give --github or --gitlab."))
        )
    if file and plan_file:
        raise UsageError(
            Diagnostic(Code.USAGE, Message("there are two files for one comment"), hint=Message("Give one of them."))
        )
    body = _body(session, plan_file or file, name, whole)
    mark = marker("plan", name)
    if dry_run:
        streams.write(body if body.startswith(mark) else f"{mark}\n{body}")
        return Exit.OK
    posted = post(target_from_environ(session.environ, kind, number), body, mark)
    streams.write(f"Comment {posted.result}{f': {posted.url}' if posted.url else '.'}\n")
    return Exit.OK


def _body(session: Session, file: Path | None, name: str, whole: str) -> str:
    """The text of the comment: a saved plan as Markdown, any other text as it is."""
    from sipsync import api
    from sipsync.report import Style, render

    text = sys.stdin.read() if file is None else _text(file)
    if file is not None and text.lstrip().startswith("{"):
        plan = api.read_plan(file)
        return render(plan, "markdown", Style(lang=session.lang, target=name, whole=whole))
    if not text.strip():
        raise SipsyncError(
            Diagnostic(
                Code.FORGE, Message("there is no text for the comment"), hint=Message("Give a saved plan or a text.")
            )
        )
    return text


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SipsyncError(
            Diagnostic(
                Code.FILE_UNREADABLE,
                Message("{file} can't be read: {reason}", file=file, reason=reason),
                hint=Message("Check the path."),
            )
        ) from None
