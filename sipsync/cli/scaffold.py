"""The files of a new project: the portal's YAML and what belongs beside it. Nothing is ever overwritten."""

from __future__ import annotations

import json
import re
from importlib.resources import files as resources
from pathlib import Path
from typing import Literal

from sipsync.cli.output import read_text, write_new
from sipsync.cli.session import Session
from sipsync.model.message import Message

Forge = Literal["github", "gitlab"]
_WORKFLOWS: dict[Forge, str] = {"github": ".github/workflows/sipsync.yml", "gitlab": ".gitlab-ci.yml"}
_WEBHOOK = "ACME_WEBHOOK"
"""The webhook's variable in the templates."""
_PASSWORD = re.compile(r"^( +)SIP_SALES_PASSWORD: .*\n", re.MULTILINE)
"""A job's line for a password in the templates."""

SCHEMA = ".sipsync/schema.json"
"""Where editors find the schema; in a repository it is committed."""


def schema_text() -> str:
    """The schema that editors check files against."""
    from sipsync.config.schema import json_schema

    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def write_schema(folder: Path) -> Path:
    """Write the schema anew; where it is. It is no secret, so a clone's folder may be anybody's."""
    write_new(folder / SCHEMA, schema_text())
    ignore_all_but_schema(folder)
    return folder / SCHEMA


def keep_webhook(folder: Path, url: str) -> Path:
    """Keep a webhook in a file that nobody else can read and git does not see; where it is."""
    from sipsync.disk.files import private_folder, write_private

    file = private_folder(folder / ".sipsync") / "webhook"
    write_private(file, f"{url}\n".encode())
    ignore_all_but_schema(folder)
    return file


def write_ci(session: Session, folder: Path, forge: Forge, webhook: str, password: str) -> Path:
    """Write what a repository needs, and say what was left as it is; where the workflow is.

    `webhook` and `password` are variables of the portal's file: the one that it needs, and one that it may manage.
    """
    for name in ("gitignore", "gitattributes"):
        file = folder / f".{name}"
        there = file.exists()
        if _extend(file, template(name)) and there:
            session.say(Message("{file}: added what sipsync needs.", file=file))
    workflow = folder / _WORKFLOWS[forge]
    if workflow.exists():
        session.say(Message("{workflow} exists already and was left as it is.", workflow=workflow))
    else:
        line = f"# {password}: ${{{{ secrets.{password} }}}} # so for each password that your files manage"
        text = _PASSWORD.sub(rf"\g<1>{line}\n" if password else "", template(f"{forge}.yml"))
        write_new(workflow, text.replace(_WEBHOOK, webhook))
    return workflow


def hide_from_git(session: Session, file: Path) -> None:
    """Have git pass over a file that holds passwords, and say so; nothing to do where it does, or is no work tree."""
    from sipsync.disk.files import checkout_of
    from sipsync.disk.git import GitError, repository_of

    file = file.parent.resolve() / file.name
    top = checkout_of(file.parent)
    if top is None:
        return
    try:
        if repository_of(file.parent, session.environ).ignores(file):
            return
    except GitError:
        pass  # no git to ask: the line does no harm
    ignore, name = top / ".gitignore", file.relative_to(top).as_posix()
    if _extend(ignore, re.sub(r"([\\*?\[ ])", r"\\\1", f"/{name}") + "\n"):
        session.say(
            Message("{ignore}: git ignores {name} from now on, as it holds passwords.", ignore=ignore, name=name)
        )


def ignore_all_but_schema(folder: Path) -> None:
    """Keep `.sipsync` out of git, but for the schema."""
    ignore = folder / ".sipsync" / ".gitignore"
    if not ignore.exists():
        write_new(ignore, "*\n!.gitignore\n!schema.json\n")


def _extend(file: Path, text: str) -> bool:
    """Add lines to a file, unless it has them all; whether it had not."""
    before = read_text(file) if file.exists() else ""
    if set(text.splitlines()) <= set(before.splitlines()):
        return False
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    write_new(file, before + gap + text)
    return True


def template(name: str) -> str:
    """A file that comes with the program."""
    return (resources("sipsync.cli") / "templates" / name).read_text(encoding="utf-8")
