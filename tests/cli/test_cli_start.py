"""Starting up: what is imported when, what the help says, and what a wrong command line gets."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from sipsync import __version__
from sipsync.__main__ import main
from sipsync.cli.main import SECTIONS, cli
from sipsync.cli.session import Session

if TYPE_CHECKING:
    from support.runs import Sipsync

COMMANDS = cli.list_commands(click.Context(cli))


def _imported(*arguments: str) -> set[str]:
    """The modules that a command line imports."""
    script = (
        "import sys, sipsync.__main__ as entry\n"
        f"sys.argv = ['sipsync', *{list(arguments)!r}]\n"
        "try:\n    entry.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('\\n'.join(name for name, module in sys.modules.items() if module), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = done.stderr.split()
    return {name.partition(".")[0] for name in modules} | {name for name in modules if name.startswith("sipsync.")}


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_costs_no_import(flag: str) -> None:
    assert not _imported(flag) & {"click", "pydantic", "httpx", "rich", "deepdiff", "asyncio", "ruamel"}


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS), ["secret", "set", "-h"]])
def test_help_does_not_wait_for_what_only_the_work_needs(arguments: list[str]) -> None:
    unused = {"pydantic", "httpx", "deepdiff", "rich", "ruamel", "starlette", "jinja2", "asyncio", "logging"}
    assert not _imported(*arguments) & unused


def test_a_check_of_files_waits_for_nothing_that_a_portal_needs(acme: Any) -> None:
    file = acme.write("lines: {sales: {config_id: 101, login: z, password: env:SALES}}\n")
    unused = {"asyncio", "ssl", "httpx", "deepdiff", "platformdirs", "rich", "ruamel"}
    assert not _imported("validate", str(file)) & {*unused, "sipsync.model.plan", "sipsync.model.outcome"}


def test_a_plan_waits_for_no_terminal_library_no_command_line_of_httpx_and_no_second_reader(acme: Any) -> None:
    file = acme.write("lines: {sales: {config_id: 101, login: z}}\n")
    assert not _imported("plan", str(file)) & {"rich", "pygments", "ruamel"}


def test_the_version_is_told_beside_other_options_too(sipsync: Sipsync) -> None:
    assert sipsync("--color", "never", "--version").out == f"sipsync {__version__}\n"


def test_the_help_lists_every_command_by_what_it_is_for(sipsync: Sipsync) -> None:
    ran = sipsync("--help")
    assert ran.code == 0
    assert sipsync("-h").out == sipsync("help").out == ran.out
    for section, commands in SECTIONS.items():
        _, _, rest = ran.out.partition(f"\n{section}:\n")
        assert all(f"  {name} " in rest for name in commands), section


@pytest.mark.parametrize("group", ["secret", "sandbox"])
def test_the_help_of_a_group_cuts_no_sentence(group: str, sipsync: Sipsync) -> None:
    assert "..." not in sipsync(group, "--help").out.partition("Commands:")[2]


def test_help_and_version_are_commands_too(sipsync: Sipsync) -> None:
    assert sipsync("version").out == f"sipsync {__version__}\n"
    assert sipsync("help", "plan").out == sipsync("plan", "-h").out == sipsync("plan", "--help").out
    assert sipsync("help", "sandbox", "seed").out.startswith("Usage: sipsync sandbox seed")
    misspelt = sipsync("help", "plna")
    assert misspelt.code == 64
    assert "plan" in misspelt.err


@pytest.mark.parametrize(
    ("habit", "command"),
    [
        ("plan -target=acme.sales -out plan.json", "plan --line=acme.sales --out plan.json"),
        ("plan -target 'acme.*' -json", "plan --line 'acme.*' --format=json"),
        ("plan -detailed-exitcode", "plan --detailed-exitcode"),
        ("apply -auto-approve -parallelism=4", "apply --yes --parallel=4"),
        ("show -json acme.plan.json", "show --format=json acme.plan.json"),
        ("state list", "status"),
        ("refresh", "plan"),
        ("taint acme.sales", "apply --reregister ADDRESS"),
        ("apply --auto-approve", "apply --yes"),
        ("apply -input=false -replace=acme.sales", "apply --input=false --reregister=acme.sales"),
        ("workspace list", "plan --portal NAME"),
        ("output -json", "status --format json"),
    ],
)
def test_a_habit_from_terraform_gets_the_command_that_is_meant(habit: str, command: str, sipsync: Sipsync) -> None:
    ran = sipsync(*shlex.split(habit))
    assert (ran.code, ran.out) == (64, "")
    assert f"`sipsync {command}`." in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("habit", "names", "edit"),
    [
        ("plan -destroy", "-destroy", "`removed:`"),
        ("apply --destroy", "--destroy", "`removed:`"),
        ("destroy -auto-approve", "'destroy'", "`removed:`"),
        ("plan -refresh=false", "-refresh", "`sipsync plan --against SNAPSHOT`"),
        ("apply -auto-approve -no-color", "-no-color", "`sipsync --color never plan`"),
        ("plan -var region=ru", "-var", "write the value into the file"),
        ("plan -var-file=x.tfvars", "-var-file", "`include:`"),
        ("-chdir=portals plan", "-chdir", "`sipsync plan FOLDER`"),
        ("import sip_line.x 69", "import", "`config_id: 69`"),
        ("import sip_line.x 69", "import", "`sipsync import`"),
    ],
)
def test_a_habit_from_terraform_gets_the_edit_that_is_meant(
    habit: str, names: str, edit: str, sipsync: Sipsync
) -> None:
    ran = sipsync(*shlex.split(habit))
    told = " ".join(ran.err.split())
    assert (ran.code, ran.out, names in told, edit in told) == (64, "", True, True), ran


def test_a_word_behind_one_dash_is_named_whole(sipsync: Sipsync) -> None:
    assert "No such option '-dstroy'" in sipsync("plan", "-dstroy").err
    assert "No such option '-dstroy'" in sipsync("-dstroy", "plan").err
    assert "No such option '-q'" in sipsync("plan", "-q").err
    assert "'--parallel'" in sipsync("plan", "-paralel=2").err


def test_an_option_that_a_command_lacks_is_no_habit(sipsync: Sipsync) -> None:
    ran = sipsync("schema", "-target=acme.sales")
    assert ran.code == 64
    assert "No such option" in ran.err


def _params(command: click.Command) -> list[click.Parameter]:
    below: list[click.Parameter] = []
    if isinstance(command, click.Group):
        for name in command.commands:
            below += _params(command.commands[name])
    return command.params + below


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_for_each_parameter_and_examples(name: str, sipsync: Sipsync) -> None:
    ran = sipsync(name, "--help")
    assert ran.code == 0
    assert "Examples:" in ran.out
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    for param in _params(command):
        described: Any = param
        assert described.help, (name, param.name)


def test_options_that_only_fleets_need_are_shown_by_help_all_alone(sipsync: Sipsync) -> None:
    assert "--parallel" not in sipsync("plan", "--help").out
    everything = sipsync("plan", "--help-all")
    assert everything.code == 0
    assert "--parallel" in everything.out
    assert "--parallel" not in sipsync("plan", "--help").out


def test_everything_can_be_shown_at_once(sipsync: Sipsync) -> None:
    ran = sipsync("--help-all")
    assert ran.code == 0
    assert "Every day:" in ran.out
    assert all(f"Usage: sipsync {name}" in ran.out for name in COMMANDS)
    assert "--parallel" in ran.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plna"], "plan"),
        (["plan", "--ouf", "x"], "--out"),
        (["plan", "--format", "yaml"], "'yaml' is not one of"),
        (["plan", "--max-age", "tomorrow"], "12h"),
        (["plan", "--timeout", "nan"], "not a number of seconds"),
        (["plan", "--timeout", "-1"], "not a number of seconds"),
        (["plan", "--timeout", "soon"], "not a number of seconds"),
        (["plan", "--parallel", "0"], "0 is not in the range"),
        (["plan", "--report", "pdf=plan.pdf"], "FORMAT=FILE"),
        (["plan", "--report", "json"], "FORMAT=FILE"),
        (["plan", "--secret-command", "store"], "NAME=COMMAND"),
        (["plan", "--secret-command", "store='open"], "quote that is not closed"),
        (["snapshot"], "--out"),
        (["apply", "--plan", "x", "--line", "a.b"], "part of a saved plan"),
        (["--log-level", "loud", "plan"], "'loud' is not one of"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
        (["completion"], "Choose from: bash, zsh, fish, powershell\n"),
    ],
)
def test_a_wrong_command_line_exits_with_64_and_says_what_is_wrong(
    arguments: list[str], says: str, sipsync: Sipsync
) -> None:
    ran = sipsync(*arguments)
    assert ran.code == 64
    assert ran.out == ""
    assert ran.err.startswith("Error: ")
    assert says in ran.err


def test_no_command_at_all_shows_the_help_and_exits_with_64(sipsync: Sipsync) -> None:
    ran = sipsync()
    assert (ran.code, ran.out) == (64, "")
    assert "Every day:" in ran.err


def test_options_can_be_given_as_variables(sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIPSYNC_PLAN_FORMAT", "yaml")
    assert "'yaml' is not one of" in sipsync("plan").err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_prints_the_script_and_how_to_install_it(shell: str, sipsync: Sipsync) -> None:
    ran = sipsync("completion", shell)
    assert ran.code == 0
    assert "_SIPSYNC_COMPLETE" in ran.out
    assert ran.out.startswith("# ")


def test_a_broken_program_is_told_without_traceback_or_values(
    sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("sipsync.api.check", broken)
    for level in ("warning", "debug"):
        ran = sipsync("--log-level", level, "validate")
        assert ran.code == 1
        assert "internal error: RuntimeError at sipsync/cli/commands/validate.py:" in ran.err
        assert "hunter2" not in ran.out + ran.err
        assert "Traceback" not in ran.err
    assert "debug: sipsync.cli.output: internal error, via sipsync/cli/commands/validate.py" in ran.err


def test_a_failure_among_several_is_told_by_the_first(sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ExceptionGroup("group", [ExceptionGroup("inner", [KeyError("hunter2")])])

    monkeypatch.setattr("sipsync.api.check", broken)
    ran = sipsync("validate")
    assert (ran.code, "KeyError" in ran.err, "hunter2" in ran.err) == (1, True, False)


@pytest.mark.parametrize("writing", [False, True])
def test_an_interruption_says_whether_anything_may_have_changed(
    writing: bool, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(session: Session, /, **_: object) -> None:
        session.writing = writing
        raise KeyboardInterrupt

    monkeypatch.setattr("sipsync.cli.commands.schema.command.callback", click.pass_obj(interrupted))
    ran = sipsync("schema")
    assert ran.code == 130
    assert ("nothing was changed" in ran.err) is not writing


def test_ctrl_c_before_there_is_anything_to_stop_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sipsync.cli.main.run", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_logs_can_be_json(sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("sipsync.api.check", broken)
    lines = sipsync("--json-log", "--log-level", "debug", "validate").err.splitlines()
    record = json.loads(lines[-1])
    assert record["@level"] == "debug"
    assert record["@module"] == "sipsync.cli.output"


def test_the_package_runs_as_a_module(process: Sipsync, home: Path) -> None:
    ran = process("completion", "fish")
    assert (ran.code, ran.err) == (0, "")
