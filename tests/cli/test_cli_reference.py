"""The READMEs name every command and reference page; these every variable, key and exit code; `--help-all` options."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import sipsync as package
from sipsync.cli.commands.explain import PAGES
from sipsync.cli.main import cli
from sipsync.model.policy import IgnoredField, Limits, OperatorPolicy
from sipsync.model.problems import Exit

if TYPE_CHECKING:
    from support.runs import Sipsync

ROOT = Path(__file__).parents[2]
CODE = Path(package.__file__).parent


@pytest.mark.parametrize("readme", ["README.md", "README.ru.md"])
def test_the_readme_names_every_command_and_reference_page(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    names = {*cli.list_commands(click.Context(cli)), *(f"explain {page}" for page in PAGES)}
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", text)) == []


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_reference_pages_name_every_variable_key_and_exit_code(lang: str, sipsync: Sipsync) -> None:
    shown = {page: sipsync("--lang", lang, "explain", page).out for page in PAGES}
    variables = {
        name
        for file in CODE.rglob("*.py")
        for name in re.findall(r"\bSIPSYNC_[A-Z_]*[A-Z]\b", file.read_text(encoding="utf-8"))
    }
    assert "SIPSYNC_HOSTS" in variables
    names = {"environment": variables, "exit-codes": {str(exit_.value) for exit_ in Exit}}
    names["policy"] = {key.name for section in (OperatorPolicy, Limits, IgnoredField) for key in fields(section)}
    missing = {page: [name for name in names[page] if not re.search(rf"\b{name}\b", shown[page])] for page in PAGES}
    assert missing == {page: [] for page in PAGES}


@pytest.mark.parametrize(("readme", "lang"), [("README.md", "en"), ("README.ru.md", "ru")])
def test_the_readme_lists_the_exit_codes_of_the_reference_page(readme: str, lang: str, sipsync: Sipsync) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    codes = re.findall(r"^\| ([0-9]+) \|", text, re.MULTILINE)
    assert codes == re.findall(r"^([0-9]+)$", sipsync("--lang", lang, "explain", "exit-codes").out, re.MULTILINE)


def test_all_options_are_shown_at_once(sipsync: Sipsync) -> None:
    text = sipsync("--help-all").out
    context = click.Context(cli)
    commands = [cli, *filter(None, (cli.get_command(context, name) for name in cli.list_commands(context)))]
    options = {option for command in commands for param in command.params for option in param.opts if option[0] == "-"}
    assert sorted(option for option in options if not re.search(rf"(?<!\S){option}\b", text)) == []
