"""A new managed field is the two edits that `model/fields.py` names, tried on a copy of the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import sipsync

FILE = """
sipsync: 1
portal: {name: acme, sandbox: portal.sqlite}
policy: {create: true}
lines:
  old: {config_id: 101, note: NEW}
  new: {title: B, server: s.example, login: b, note: NEW}
"""
LINE = {"type": "cloud", "title": "A", "server": "s.example", "login": "a", "app": None, "config_id": 101}
PLAIN = 'Field("note", "NOTE", "Note", 20)'
REGISTERING = 'Field("note", "NOTE", "Note", 20, registers=True)'
SECRET = 'Field("note", "NOTE", "Note", 20, registers=True, secret=True)'
TEXT = 'Annotated[str, bounded("note"), TRIMMED]'


@dataclass
class Copy:
    """The program in a folder of its own, and a portal that it served before it knew the field."""

    folder: Path

    def __post_init__(self) -> None:
        shutil.copytree(Path(sipsync.__file__).parent, self.folder / "sipsync")
        (self.folder / "seed.json").write_text(json.dumps({"lines": [LINE]}))
        assert self.run("sandbox", "seed", "--db", "portal.sqlite", "seed.json")[0] == 0

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a command."""
        more = {"PYTHONPATH": str(self.folder), "SIPSYNC_STATE_DIR": str(self.folder / "state"), "PIN": "hunter2"}
        more["SIPSYNC_SANDBOX_SECRETS"] = "1"
        command = [sys.executable, "-m", "sipsync", *arguments]
        ran = subprocess.run(command, cwd=self.folder, env={**os.environ, **more}, capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr

    def edit(self, module: str, before: str, after: str) -> None:
        """Change one place of the program."""
        path = self.folder / "sipsync" / module
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1
        path.write_text(text.replace(before, after), encoding="utf-8")

    @property
    def notes(self) -> list[str]:
        """What the portal has of the field."""
        return [line["note"] for line in json.loads(self.run("sandbox", "dump", "--db", "portal.sqlite")[1])["lines"]]


@pytest.mark.parametrize(
    ("row", "kind", "written", "stored", "cost"),
    [
        (PLAIN, TEXT, "hello", "hello", "no line re-registers"),
        (REGISTERING, TEXT, "hello", "hello", "1 line re-registers"),
        (SECRET, "Reference", "env:PIN", "hunter2", "1 line re-registers"),
    ],
    ids=["plain", "registering", "secret"],
)
def test_a_new_field_is_two_edits(tmp_path: Path, row: str, kind: str, written: str, stored: str, cost: str) -> None:
    copy = Copy(tmp_path)
    copy.edit("model/fields.py", '"password"]', '"password", "note"]')
    copy.edit("model/fields.py", "    )\n}\n", f"        {row},\n    )\n}}\n")
    title = "    title: Title | None = Field("
    copy.edit("config/schema.py", title, f'    note: {kind} | None = Field(None, description="A note.")\n{title}')
    copy.edit("config/schema.py", "from typing import Any\n", "from typing import Annotated, Any\n")
    copy.edit("config/schema.py", "    Version,\n", "    TRIMMED,\n    Version,\n    bounded,\n")
    (tmp_path / "sipsync.yaml").write_text(FILE.replace("NEW", written), encoding="utf-8")

    code, text = copy.run("plan", "--detailed-exitcode", "--out", "plan.json")
    assert (code, len(re.findall(" note +=", text)), cost in text) == (2, 2, True), text
    code, text = copy.run("apply", "--plan", "plan.json", "--yes")
    assert code == 0, text
    assert copy.notes == [stored, stored]
    code, text = copy.run("plan", "--detailed-exitcode")
    assert (code, "No changes" in text) == (0, True), text
    assert copy.run("snapshot", "--out", "snapshot.json")[0] == 0
    code, text = copy.run("plan", "--against", "snapshot.json", "--detailed-exitcode")
    assert (code, "No changes" in text) == (0, True), text

    (tmp_path / "sipsync.yaml").write_text(FILE.replace("NEW", "x" * 21), encoding="utf-8")
    code, text = copy.run("validate")
    assert (code, "sipsync.yaml:6:" in text) == (3, True), text
