"""`status`, `doctor`, `fmt`, `schema`, `explain`, `comment`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sipsync.cli.main import cli
from sipsync.cli.options import complete_lines, complete_portals
from sipsync.model.problems import Code

if TYPE_CHECKING:
    import click

    from support.runs import Sipsync

FILE = "lines:\n  sales: {config_id: 101, title: Sales}\n"
UGLY = "sipsync:   1\nportal: {webhook: env:HOOK}\nlines:\n     sales:\n          config_id: 101   # ours\n"


def test_status_tells_the_stored_registration_and_asks_nobody(acme: Any, sipsync: Sipsync) -> None:
    acme.write(FILE, "sipsync.yaml")
    ran = sipsync("status")
    assert ran.code == 0
    assert "sipsync.sales" in ran.out
    assert "voximplant.sip.status" not in acme.stats["calls"]


TWO = "lines:\n  sales: {config_id: 101, title: Sales}\n  store: {config_id: 102, title: Склад}\n"


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (("--line", "sales"), {"sales"}),
        (("--exclude", "*.sales"), {"store"}),
        (("--portal", "sipsync"), {"sales", "store"}),
    ],
)
def test_status_shows_the_lines_that_are_selected(
    options: tuple[str, str], keys: set[str], acme: Any, sipsync: Sipsync
) -> None:
    acme.write(TWO, "sipsync.yaml")
    ran = sipsync("status", "--format", "json", *options)
    assert ran.code == 0
    assert {line["address"] for line in json.loads(ran.out)["lines"]} == {f"sipsync.{key}" for key in keys}


@pytest.mark.parametrize("command", [("status",), ("doctor",), ("snapshot", "--out", "s.json")])
def test_a_selection_that_names_nothing_is_wrong_usage(command: tuple[str, ...], acme: Any, sipsync: Sipsync) -> None:
    acme.write(TWO, "sipsync.yaml")
    for option in ("--portal", "--line", "--exclude"):
        ran = sipsync(*command, option, "nobody")
        assert ran.code == 64, option
        assert "nobody" in ran.err
    assert "no portal is left" in sipsync(*command, "--exclude", "*").err


@pytest.mark.parametrize("command", [("doctor",), ("snapshot", "--out", "s.json")])
def test_portals_are_asked_by_name_and_as_a_whole(command: tuple[str, ...], acme: Any, sipsync: Sipsync) -> None:
    acme.write(TWO, "sipsync.yaml")
    assert sipsync(*command, "--portal", "sip*", "--line", "sales").code == 0
    ran = sipsync(*command, "--exclude", "sipsync.sales")
    assert ran.code == 64
    assert "names no portal" in ran.err


FLEET = "sipsync: 1\nportal: {name: NAME, sandbox: NAME.db}\npolicy: {create: true}\nlines: {a: LINE}\n"
LINE = "{title: A, server: sip.example, login: x, password: env:NONE}"


def fleet(**lines: str) -> None:
    Path("portals").mkdir()
    for name, line in lines.items():
        Path(f"portals/{name}.yaml").write_text(FLEET.replace("NAME", name).replace("LINE", line))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 3),
        (("--portal", "good"), 0),
        (("--exclude", "odd"), 0),
        (("--portal", "odd"), 3),
        (("--line", "good.a"), 0),
        (("--portal", "nobody"), 64),
        (("--exclude", "good.a"), 64),
    ],
)
def test_validate_tells_of_the_portals_that_are_chosen(
    options: tuple[str, ...], code: int, home: Path, sipsync: Sipsync
) -> None:
    fleet(good=LINE, fine=LINE, odd="{titel: A}")
    ran = sipsync("validate", "--format", "json", *options)
    assert ran.code == code, ran
    if code != 64:
        told = json.loads(ran.out)
        assert {found["code"] for found in told["diagnostics"] if found["address"] == "odd"} == (
            {"unknown-key", "missing-key"} if code else set()
        )


def test_show_shows_the_parts_of_the_portals_that_are_chosen(home: Path, sipsync: Sipsync) -> None:
    fleet(good=LINE, fine=LINE)
    sipsync("plan", "--out", "p.json")

    def shown(*options: str) -> set[str]:
        ran = sipsync("show", "p.json", "--format", "json", *options)
        assert ran.code == 0
        return {change["address"] for change in json.loads(ran.out)["resource_changes"]}

    assert shown() == {"good.a", "fine.a"}
    assert shown("--portal", "good") == shown("--line", "good.a") == shown("--exclude", "f*") == {"good.a"}
    for option in ("--portal", "--line", "--exclude"):
        assert sipsync("show", "p.json", option, "nobody").code == 64
    assert sipsync("show", "p.json", "--portal", "good", "--verify").code == 0


def test_live_status_says_that_portal_users_may_be_notified(acme: Any, sipsync: Sipsync) -> None:
    acme.write(FILE, "sipsync.yaml")
    ran = sipsync("status", "--live", "--format", "json")
    assert ran.code == 0
    assert "notified" in ran.err
    assert json.loads(ran.out)["lines"][0]["live"]


def test_what_an_office_pbx_signs_in_with_is_shown_on_request_alone(acme: Any, sipsync: Sipsync) -> None:
    acme.seed({"config_id": 101, "type": "office", "title": "Sales", "login": "a"})
    acme.write(FILE, "sipsync.yaml")
    assert "for the office PBX" not in sipsync("status").out
    assert "for the office PBX" in sipsync("status", "--incoming").out


def test_doctor_says_how_each_check_went(acme: Any, sipsync: Sipsync) -> None:
    acme.write(FILE, "sipsync.yaml")
    ran = sipsync("doctor")
    assert (ran.code, "All is well." in ran.out) == (0, True)
    assert json.loads(sipsync("doctor", "--format", "json").out)["checks"]


def test_doctor_tells_which_box_to_tick(acme: Any, sipsync: Sipsync) -> None:
    acme.seed({"config_id": 101, "title": "Sales", "login": "a"}, access={"scope": "crm,user"})
    acme.write(FILE, "sipsync.yaml")
    ran = sipsync("doctor")
    assert ran.code == 1
    assert "telephony" in ran.out.lower()


def test_fmt_writes_the_one_layout_once(home: Path, sipsync: Sipsync) -> None:
    file = Path("sipsync.yaml")
    file.write_text(UGLY)
    file.chmod(0o644)
    checked = sipsync("fmt", "--check", "--diff")
    assert checked.code == 3
    assert "+sipsync: 1\n" in checked.out
    assert "[not-formatted]" in checked.err
    assert file.read_text() == UGLY
    assert sipsync("fmt").out == "sipsync.yaml\n"
    assert "# ours" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644
    again = sipsync("fmt", "--check")
    assert (again.code, again.out, again.err) == (0, "", "")


def test_fmt_tells_what_it_cannot_read_and_goes_on(home: Path, sipsync: Sipsync) -> None:
    Path("portals").mkdir()
    Path("portals/bad.yaml").write_text("sipsync: 1\nportal: [\n")
    Path("portals/good.yaml").write_text(UGLY)
    ran = sipsync("fmt")
    assert (ran.code, ran.out) == (1, "portals/good.yaml\n")
    assert "portals/bad.yaml:" in ran.err


def test_fmt_leaves_a_file_whole_that_it_cannot_replace(
    home: Path, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    Path("sipsync.yaml").write_text(UGLY)
    monkeypatch.setattr("os.replace", refuse)
    ran = sipsync("fmt")
    assert (ran.code, "permission denied" in ran.err) == (1, True)
    assert [path.name for path in Path().iterdir()] == ["sipsync.yaml"]
    assert Path("sipsync.yaml").read_text() == UGLY


@pytest.mark.parametrize(("option", "title"), [("", ""), ("--plan", "sipsync plan"), ("--events", "sipsync events")])
def test_schemas_are_printed(option: str, title: str, sipsync: Sipsync) -> None:
    ran = sipsync("schema", *filter(None, [option]))
    assert ran.code == 0
    assert title in json.loads(ran.out).get("title", "")


def test_two_schemas_at_once_are_wrong_usage(sipsync: Sipsync) -> None:
    assert sipsync("schema", "--plan", "--events").code == 64


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_finding_is_explained(lang: str, sipsync: Sipsync) -> None:
    listed = sipsync("--lang", lang, "explain").out.splitlines()
    assert [line.split()[0] for line in listed] == [*Code, "policy", "environment", "exit-codes"]
    assert sipsync("--lang", lang, "explain", "TITLE_HELD").code == 0


@pytest.mark.parametrize(("code", "says"), [("title-hell", 'Did you mean "title-held"?'), ("zzz", "lists all")])
def test_a_finding_that_is_none_gets_a_suggestion(code: str, says: str, sipsync: Sipsync) -> None:
    ran = sipsync("explain", code)
    assert (ran.code, says in ran.err) == (64, True)


def _context(**params: object) -> click.Context:
    command = cli.get_command(None, "plan")  # type: ignore[arg-type]  # the context is not looked at
    assert command is not None
    context = command.make_context("plan", [], resilient_parsing=True)
    context.params |= params
    return context


def test_completion_knows_findings_portals_and_lines(acme: Any) -> None:
    acme.write("lines:\n  sales: {config_id: 101, title: Sales}\n  shop: {config_id: 102}\n")
    context = _context(paths=(acme.folder / "acme.yaml",))
    param = context.command.params[0]
    assert [item.value for item in complete_portals(context, param, "a")] == ["acme"]
    assert complete_portals(context, param, "b") == []
    assert [item.value for item in complete_lines(context, param, "acme.sh")] == ["acme.shop"]


def test_completion_is_silent_about_files_that_cannot_be_read(home: Path) -> None:
    context = _context()
    assert complete_lines(context, context.command.params[0], "") == []


def test_a_shell_gets_its_answers_from_the_program(acme: Any, process: Sipsync) -> None:
    acme.write(FILE, "sipsync.yaml")

    def answers(words: str) -> str:
        count = str(len(words.split(" ")) - 1)
        return process(env={"_SIPSYNC_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}).out

    assert "plain,sipsync.sales" in answers("sipsync plan --line ")
    assert "plain,title-held" in answers("sipsync explain title-")
    assert "plain,markdown=" in answers("sipsync plan --report m")
    assert "plain,doctor" in answers("sipsync doc")


def test_a_comment_is_printed_by_a_dry_run(acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.write("lines:\n  sales: {config_id: 101, title: Shop}\n", "sipsync.yaml")
    sipsync("plan", "--out", "a.plan.json")
    (acme.folder / "plan.md").write_text("the plan\n")
    for arguments in (["a.plan.json"], ["--plan", "a.plan.json"]):
        ran = sipsync("comment", "--github", "--dry-run", *arguments)
        assert ran.code == 0
        assert ran.out.startswith("<!-- sipsync:plan:default -->\n")
        assert "Shop" in ran.out
    assert sipsync("comment", "--gitlab", "--dry-run", "plan.md", "--name", "acme").out == (
        "<!-- sipsync:plan:acme -->\nthe plan\n"
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a pipe\n"))
    assert sipsync("comment", "--gitlab", "--dry-run").out.endswith("\nfrom a pipe\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 64, "--github or --gitlab"),
        (["--github", "a.md", "--plan", "b.json"], 64, "Give FILE or --plan FILE."),
        (["--github", "missing.md"], 1, "missing.md can't be read: no such file or directory"),
        (["--github", "empty.md"], 1, "no text for the comment"),
        (["--github", "plan.md"], 1, "GITHUB_REPOSITORY"),
        (["--gitlab", "plan.md"], 1, "CI_PROJECT_ID"),
    ],
)
def test_a_comment_that_cannot_be_written_says_why(
    arguments: list[str], code: int, says: str, home: Path, sipsync: Sipsync
) -> None:
    Path("empty.md").write_text("\n")
    Path("plan.md").write_text("plan\n")
    ran = sipsync("comment", *arguments)
    assert (ran.code, says in ran.err) == (code, True)


def test_what_became_of_a_comment_is_told(home: Path, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    from sipsync.forge.comment import Posted

    sent: list[str] = []

    def post(_target: object, body: str, marker: str, **_: object) -> Posted:
        sent.append(marker + body)
        return Posted("created", body, "https://forge.example/1" if len(sent) == 1 else "")

    monkeypatch.setattr("sipsync.forge.comment.post", post)
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/lines")
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    Path("plan.md").write_text("plan\n")
    assert (
        sipsync("comment", "--github", "--number", "7", "plan.md").out == "Comment created: https://forge.example/1\n"
    )
    assert sipsync("comment", "--github", "--number", "7", "plan.md").out == "Comment created.\n"
    assert sent == ["<!-- sipsync:plan:default -->plan\n"] * 2
