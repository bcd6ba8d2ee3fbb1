"""The READMEs name every command, variable and key of the policy; `--help-all` every option."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import sipsync as package
from sipsync.cli.main import cli
from sipsync.model.policy import Policy

if TYPE_CHECKING:
    from support.runs import Sipsync

ROOT = Path(__file__).parents[2]
CODE = Path(package.__file__).parent


@pytest.mark.parametrize("readme", ["README.md", "README.ru.md"])
def test_the_readme_names_every_command_variable_and_key_of_the_policy(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    variables = {
        name
        for file in CODE.rglob("*.py")
        for name in re.findall(r"\bSIPSYNC_[A-Z_]*[A-Z]\b", file.read_text(encoding="utf-8"))
    }
    commands = cli.list_commands(click.Context(cli))
    names = {*commands, *variables, *(field.name for field in fields(Policy))}
    assert "SIPSYNC_HOSTS" in names
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", text)) == []


def test_all_options_are_shown_at_once(sipsync: Sipsync) -> None:
    text = sipsync("--help-all").out
    context = click.Context(cli)
    commands = [cli, *filter(None, (cli.get_command(context, name) for name in cli.list_commands(context)))]
    options = {option for command in commands for param in command.params for option in param.opts if option[0] == "-"}
    assert sorted(option for option in options if not re.search(rf"(?<!\S){option}\b", text)) == []
