"""What the house promises to whoever adds something: just the files that CONTRIBUTING names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import sipsync

PACKAGE = Path(sipsync.__file__).parent
MAP = PACKAGE.parent / ".github" / "CONTRIBUTING.md"
ROWS = re.findall(r"^\| an? ([^|]+) \| (\d) \| ([^|]+) \|$", MAP.read_text(encoding="utf-8"), re.MULTILINE)
FILE = "sipsync: 1\nportal: {name: acme, sandbox: portal.sqlite}\nlines: {a: {title: A, password: 'upper:x'}}\n"

COMMAND = '''"""`sipsync say-hello`."""
import click
from sipsync.cli.group import Command

@click.command("say-hello", cls=Command, help="Say hello.")
def command() -> int:
    click.echo("hello")
    return 0
'''
FORMAT = '''"""How many lines change."""
def render(document, style):
    return f"{document.summary.change} to change\\n"
'''
SCHEME = '''"""`upper:NAME`: the name in capitals."""
from sipsync.model.secret import Secret

async def resolve(refs, operator):
    return {ref: Secret(ref.rest.upper()) for ref in refs}
'''


@dataclass
class Copy:
    """The program in a folder of its own, where one may add to it."""

    folder: Path

    def __post_init__(self) -> None:
        shutil.copytree(PACKAGE, self.folder / "sipsync")
        (self.folder / "sipsync.yaml").write_text(FILE, encoding="utf-8")

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a command."""
        more = {"PYTHONPATH": str(self.folder), "SIPSYNC_STATE_DIR": str(self.folder / "state")}
        command = [sys.executable, "-m", "sipsync", *arguments]
        ran = subprocess.run(command, cwd=self.folder, env={**os.environ, **more}, capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr

    def add(self, file: str, text: str) -> None:
        """A new file."""
        path = self.folder / "sipsync" / file
        assert not path.exists()
        path.write_text(text, encoding="utf-8")

    def edit(self, file: str, before: str, after: str) -> None:
        """One more row."""
        path = self.folder / "sipsync" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1
        path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_new_command_is_a_file_and_a_row(copy: Copy) -> None:
    copy.add("cli/commands/say_hello.py", COMMAND)
    copy.edit("cli/main.py", '        "demo": ', '        "say-hello": "Say hello.",\n        "demo": ')
    assert copy.run("say-hello") == (0, "hello\n")
    assert "say-hello" in copy.run("--help")[1]


def test_a_new_format_is_a_file_and_a_row(copy: Copy) -> None:
    copy.add("report/formats/short.py", FORMAT)
    copy.edit("report/__init__.py", '    "gitlab": ', '    "short": Format("short", ("Plan",)),\n    "gitlab": ')
    copy.run("plan", "--no-secrets", "--report", "short=short.txt")
    assert (copy.folder / "short.txt").read_text(encoding="utf-8") == "0 to change\n"


def test_a_new_kind_of_secret_is_a_file_and_a_row(copy: Copy) -> None:
    assert copy.run("validate")[0] == 3
    copy.add("secrets/schemes/upper.py", SCHEME)
    copy.edit("model/secret.py", '    "keyring": ', '    "upper": "upper:NAME",\n    "keyring": ')
    assert copy.run("validate")[0] == 0


def test_the_map_names_files_that_are_there_and_counts_them() -> None:
    assert len(ROWS) == 8
    for what, number, files in ROWS:
        named = re.findall("`([^`]+)`", files)
        assert len(named) == int(number), what
        assert all((PACKAGE / name).exists() for name in named if "<" not in name), what
        assert all((PACKAGE / name).parent.is_dir() for name in named), what
