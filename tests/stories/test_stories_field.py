"""A new managed field is the two edits that `model/fields.py` names, tried on a copy of the program."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from support.program import ProgramCopy

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


@pytest.mark.slow
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
    copy = ProgramCopy(tmp_path)
    copy.write("seed.json", json.dumps({"lines": [LINE]}))
    # The portal was there before the program knew the field.
    assert copy.run("sandbox", "seed", "--db", "portal.sqlite", "seed.json")[0] == 0
    copy.edit("model/fields.py", '"password"]', '"password", "note"]')
    copy.edit("model/fields.py", "    )\n}\n", f"        {row},\n    )\n}}\n")
    title = "    title: Title | None = Field("
    copy.edit("config/schema.py", title, f'    note: {kind} | None = Field(None, description="A note.")\n{title}')
    copy.edit("config/schema.py", "from typing import Any\n", "from typing import Annotated, Any\n")
    copy.edit("config/schema.py", "    Version,\n", "    TRIMMED,\n    Version,\n    bounded,\n")
    copy.write("sipsync.yaml", FILE.replace("NEW", written))

    code, text = copy.run("plan", "--detailed-exitcode", "--out", "plan.json")
    assert (code, len(re.findall(" note +=", text)), cost in text) == (2, 2, True), text
    code, text = copy.run("apply", "--plan", "plan.json", "--yes")
    assert code == 0, text
    there = json.loads(copy.run("sandbox", "dump", "--db", "portal.sqlite")[1])
    assert [line["note"] for line in there["lines"]] == [stored, stored]
    code, text = copy.run("plan", "--detailed-exitcode")
    assert (code, "No changes" in text) == (0, True), text
    assert copy.run("snapshot", "--out", "snapshot.json")[0] == 0
    code, text = copy.run("plan", "--against", "snapshot.json", "--detailed-exitcode")
    assert (code, "Nothing differs" in text) == (0, True), text

    copy.write("sipsync.yaml", FILE.replace("NEW", "x" * 21))
    code, text = copy.run("validate")
    assert (code, "sipsync.yaml:6:" in text) == (3, True), text
