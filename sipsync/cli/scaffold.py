"""The files of a new project: the portal's YAML and what belongs beside it. Nothing is ever overwritten."""

from __future__ import annotations

import json
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sipsync.cli.session import Session

Forge = Literal["github", "gitlab"]
FOLDER = ".sipsync"
_WORKFLOWS: dict[Forge, str] = {"github": ".github/workflows/sipsync.yml", "gitlab": ".gitlab-ci.yml"}
_TEMPLATE_VARIABLE = "ACME_WEBHOOK"
"""The webhook's variable in the templates."""


def write_schema(folder: Path) -> None:
    """Write the schema that editors check the file against; it is made anew each time."""
    from sipsync.config.schema import json_schema

    _write(_own_folder(folder) / "schema.json", json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")


def keep_webhook(folder: Path, url: str) -> None:
    """Keep a webhook in a file that nobody else can read and git does not see."""
    from sipsync.disk.files import write_private

    write_private(_own_folder(folder) / "webhook", f"{url}\n".encode())


def write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet."""
    _write(file, text)


def write_ci(session: Session, folder: Path, forge: Forge, variable: str) -> None:
    """Write what a repository needs, and say what was left as it is."""
    _extend(session, folder / ".gitignore", _template("gitignore"))
    _extend(session, folder / ".gitattributes", _template("gitattributes"))
    workflow = folder / _WORKFLOWS[forge]
    if workflow.exists():
        session.say(f"{workflow} exists already and was left as it is.")
    else:
        _write(workflow, _template(f"{forge}.yml").replace(_TEMPLATE_VARIABLE, variable))


def _own_folder(folder: Path) -> Path:
    """`.sipsync` in the project, for this user alone, and out of git."""
    from sipsync.disk.files import private_folder

    own = private_folder(folder / FOLDER)
    ignore = own / ".gitignore"
    if not ignore.exists():
        _write(ignore, "*\n")
    return own


def _extend(session: Session, file: Path, text: str) -> None:
    """Add lines to a file, unless it has them all."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if set(text.splitlines()) <= set(before.splitlines()):
        return
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    _write(file, before + gap + text)
    if before:
        session.say(f"{file}: added what sipsync needs.")


def _template(name: str) -> str:
    return (resources("sipsync.cli") / "templates" / name).read_text(encoding="utf-8")


def _write(file: Path, text: str) -> None:
    from sipsync.disk.files import unwritable, write_file

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(file, error) from None
    write_file(file, text.encode())
