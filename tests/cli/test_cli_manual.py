"""A wheel brings a manual page for sipsync and one for each command, made of the commands themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import click
import pytest

from sipsync.cli.main import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheel, built twice."""
    folders = [tmp_path_factory.mktemp("wheel") for _ in range(2)]
    for folder in folders:
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return [wheel for folder in folders for wheel in folder.glob("*.whl")]


@pytest.fixture(scope="module")
def pages(wheels: list[Path]) -> dict[str, str]:
    """What the wheel installs under share/man/man1."""
    with ZipFile(wheels[0]) as wheel:
        names = [name for name in wheel.namelist() if "/data/share/man/man1/" in name]
        return {name.rpartition("/")[2]: wheel.read(name).decode() for name in names}


def commands(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from commands(click.Context(command, info_name=name, parent=context))


COMMANDS = {
    context.command_path.replace(" ", "-") + ".1": context.command
    for context in commands(click.Context(cli, info_name="sipsync", **cli.context_settings))
}


def test_a_wheel_is_the_same_each_time_it_is_built(wheels: list[Path]) -> None:
    assert wheels[0].read_bytes() == wheels[1].read_bytes()


def test_there_is_a_page_for_each_command(pages: dict[str, str]) -> None:
    assert sorted(pages) == sorted(COMMANDS)


def test_a_page_names_every_option_argument_and_example(pages: dict[str, str]) -> None:
    plain = {name: re.sub(r"\\f[BR]", "", text).replace("\\-", "-") for name, text in pages.items()}
    missing = [
        (name, option)
        for name, command in COMMANDS.items()
        for param in command.params
        for option in (param.opts if isinstance(param, click.Option) else [param.make_metavar(click.Context(command))])
        if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", plain[name])
    ]
    assert missing == []
    assert "sipsync apply --plan acme.plan.json" in plain["sipsync-apply.1"]


def test_a_page_holds_no_request_but_its_own(pages: dict[str, str]) -> None:
    requests = {line.split(" ")[0] for text in pages.values() for line in text.splitlines() if line[:1] in {".", "'"}}
    assert requests <= {".TH", ".SH", ".SS", ".TP", ".PP", ".nf", ".fi"}
    assert {escape for text in pages.values() for escape in re.findall(r"\\(f.|\(..|\[u|.)", text)} <= {
        *("fB", "fR", "-", "e", "(ga", "[u", "&")
    }


def test_no_paragraph_is_broken_by_a_blank_at_the_beginning_of_a_line(pages: dict[str, str]) -> None:
    filled = {name: re.sub(r"(?ms)^\.nf$.*?^\.fi$", "", text) for name, text in pages.items()}
    assert [(name, line) for name, text in filled.items() for line in re.findall(r"(?m)^[\b\t ].*", text)] == []


@pytest.mark.slow  # it needs a program that not every machine has
def test_groff_has_nothing_to_say(pages: dict[str, str], tmp_path: Path) -> None:
    assert shutil.which("groff"), "install groff (in Debian: groff-base)"
    for name, text in pages.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        command = ["groff", "-man", "-ww", "-z", "-Tutf8", name]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        told = [line for line in (ran.stdout + ran.stderr).splitlines() if "missing date" not in line]
        assert (ran.returncode, told) == (0, []), "the date is left out, so that a wheel is the same each time"
