"""`sipsync comment`: one comment with the plan in a pull or merge request, edited in place."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sipsync.cli.group import make_command, option
from sipsync.cli.output import read_text, usage_error
from sipsync.cli.session import Session, write
from sipsync.cli.types import FILE
from sipsync.disk.clock import SystemClock
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError

if TYPE_CHECKING:
    from sipsync.forge.target import Kind


@make_command(
    "comment",
    "Post the plan as a comment of the pull or merge request that this job is about, or edit the one that is "
    "there. The token comes from SIPSYNC_FORGE_TOKEN, GITHUB_TOKEN or GITLAB_TOKEN.",
    "sipsync plan --out sipsync.plan.json && sipsync comment --github sipsync.plan.json",
    "sipsync comment --gitlab --name acme acme.plan.json",
    "sipsync comment --github --dry-run plan.md",
)
@click.argument(
    "file",
    metavar="[FILE]",
    required=False,
    type=FILE,
    help="A saved plan, or a text in Markdown; standard input where it is not given.",
)
@option("--plan", "plan_file", type=FILE, help="A saved plan.")
@option("--github", "kind", flag_value="github", help="The forge is GitHub.")
@option("--gitlab", "kind", flag_value="gitlab", help="The forge is GitLab.")
@option("--name", default="default", show_default=True, help="Which comment, where a request has several.")
@option("--number", type=click.IntRange(1), help="The request's number. Default: what the job is about.")
@option("--whole", default="", metavar="LINK", help="Where the whole plan is, for a comment that has to be cut.")
@option("--dry-run", is_flag=True, help="Print the comment; send nothing.")
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
    from sipsync.forge.comment import post
    from sipsync.forge.target import target_from_environ
    from sipsync.report.formats.markdown import marker

    if kind is None:
        raise usage_error(Message("which forge is it?"), Message("Give --github or --gitlab."))
    if file and plan_file:
        raise usage_error(Message("there are two files for one comment"), Message("Give FILE or --plan FILE."))
    body = _body(session, plan_file or file, name, whole)
    mark = marker("plan", name)
    if dry_run:
        write(body if body.startswith(mark) else f"{mark}\n{body}")
        return Exit.OK
    posted = post(target_from_environ(session.environ, kind, number), body, mark, sleep=SystemClock().pause)
    done = Message("Comment {result}: {url}\n") if posted.url else Message("Comment {result}.\n")
    write(Message(done, result=posted.result, url=posted.url))
    return Exit.OK


def _body(session: Session, file: Path | None, name: str, whole: str) -> str:
    """The text of the comment: a saved plan as Markdown, any other text as it is."""
    from sipsync import api
    from sipsync.report import Style, render

    text = sys.stdin.read() if file is None else read_text(file, errors="replace")
    if file is not None and text.lstrip().startswith("{"):
        return render(api.read_plan(file), "markdown", Style(lang=session.lang, target=name, whole=whole))
    if not text.strip():
        summary = Message("there is no text for the comment")
        raise SipsyncError(Diagnostic(Code.FORGE, summary, hint=Message("Give a saved plan or a text.")))
    return text
