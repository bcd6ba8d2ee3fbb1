"""What the house promises to whoever adds something: just the files that CONTRIBUTING names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.program import PACKAGE, ProgramCopy

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


@pytest.fixture
def copy(tmp_path: Path) -> ProgramCopy:
    copy = ProgramCopy(tmp_path)
    copy.write("sipsync.yaml", FILE)
    return copy


def test_a_new_command_is_a_file_and_a_row(copy: ProgramCopy) -> None:
    copy.add("cli/commands/say_hello.py", COMMAND)
    copy.edit("cli/main.py", '        "demo": ', '        "say-hello": "Say hello.",\n        "demo": ')
    assert copy.run("say-hello") == (0, "hello\n")
    assert "say-hello" in copy.run("--help")[1]


def test_a_new_format_is_a_file_and_a_row(copy: ProgramCopy) -> None:
    copy.add("report/formats/short.py", FORMAT)
    copy.edit("report/__init__.py", '    "gitlab": ', '    "short": ("Plan",),\n    "gitlab": ')
    copy.run("plan", "--no-secrets", "--report", "short=short.txt")
    assert (copy.folder / "short.txt").read_text(encoding="utf-8") == "0 to change\n"


def test_a_new_kind_of_secret_is_a_file_and_a_row(copy: ProgramCopy) -> None:
    assert copy.run("validate")[0] == 3
    copy.add("secrets/schemes/upper.py", SCHEME)
    copy.edit("model/secret.py", '    "keyring": ', '    "upper": "upper:NAME",\n    "keyring": ')
    assert copy.run("validate")[0] == 0


GUARD = '''
def too_many_new(owner: OwnerPlan) -> Iterator[Stop]:
    """More lines are added than the policy lets be added at once."""
    portal, count = owner.given.desired, sum(change.verb == "add" for change in owner.changes)
    if portal.policy.max_new is not None and count > portal.policy.max_new:
        summary = Message("stopped: max_new is {most}, the plan adds {count}", most=portal.policy.max_new, count=count)
        yield portal, summary, Message("Add fewer.")


GUARDS = (
    Guard(Code.TOO_MANY_NEW, too_many_new),
'''
KEY = '''    max_new: Number | None = field(
        default=None, metadata=_tightened(lambda *each: min(filter(None, each), default=None))
    )
    """Lines that a plan may add."""
    protected: '''


@pytest.mark.slow
def test_a_new_guard_is_a_function_with_its_row_a_key_and_a_finding(copy: ProgramCopy) -> None:
    lines = "lines:\n  a: {title: A, server: s.example, login: a}\n  b: {title: B, server: s.example, login: b}\n"
    file = f"sipsync: 1\nportal: {{name: acme, sandbox: portal.sqlite}}\npolicy: {{create: true, max_new: 1}}\n{lines}"
    copy.write("sipsync.yaml", file)
    assert "max_new" in copy.run("validate")[1]
    copy.edit("model/policy.py", "    protected: tuple[Words", f"{KEY}tuple[Words")
    copy.edit("model/policy.py", "SECTION, Day, ", "SECTION, Day, Number, ")
    copy.edit("planning/guards.py", "\nGUARDS = (\n", GUARD)
    copy.edit("model/problems.py", "    MAX_CHANGES = ", '    TOO_MANY_NEW = "too-many-new"\n    MAX_CHANGES = ')
    text = "### too-many-new: Too many new lines\n\nThe plan adds too many.\n\nAdd fewer.\n\n### max-changes:"
    copy.edit("report/explanations.md", "### max-changes:", text)
    code, output = copy.run("plan")
    assert (code, "max_new is 1, the plan adds 2" in output, "--allow too-many-new:acme" in output) == (6, True, True)
    assert copy.run("plan", "--allow", "too-many-new:acme")[0] == 0
    assert "The plan adds too many." in copy.run("explain", "too-many-new")[1]
    copy.write("sipsync.yaml", file.replace("max_new: 1", "max_new: 5"))
    copy.write("operator.yaml", "max_new: 1\n")
    assert copy.run("plan")[0] == 0
    assert copy.run("plan", "--policy", "operator.yaml")[0] == 6


def test_the_map_names_files_that_are_there_and_counts_them() -> None:
    assert len(ROWS) == 9
    for what, number, files in ROWS:
        named = re.findall("`([^`]+)`", files)
        assert len(named) == int(number), what
        assert all((PACKAGE / name).exists() for name in named if "<" not in name), what
        assert all((PACKAGE / name).parent.is_dir() for name in named), what
