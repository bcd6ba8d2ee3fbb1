"""Files that nobody writes by chance: each is an error with its place, and stops its own portal only."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sipsync.model.problems import Code

if TYPE_CHECKING:
    from support.runs import Sipsync

HEAD = "sipsync: 1\nportal: {name: odd, sandbox: odd.db}\n"
LINES = "lines: {a: {title: A}}\n"
GOOD = (
    "sipsync: 1\nportal: {name: good, sandbox: good.db}\npolicy: {create: true}\n"
    "lines: {a: {title: A, server: sip.example, login: x}}\n"
)


def text(text: str, **more: str) -> Callable[[Path], object]:
    def lay(folder: Path) -> None:
        for name, other in {"odd": text, **more}.items():
            (folder / f"{name}.yaml").write_text(other, encoding="utf-8")

    return lay


def include(name: str) -> Callable[[Path], object]:
    return text(f"{HEAD}include: [{name}]\n{LINES}")


def portal(access: str) -> Callable[[Path], object]:
    return text(f"sipsync: 1\nportal: {{name: odd, {access}}}\n{LINES}")


def linked(folder: Path) -> None:
    (folder / "odd.yaml").symlink_to("odd.yaml")


def sockets(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("odd.yaml")


def chain(folder: Path) -> None:
    include("_0.yaml")(folder)
    for number in range(2000):
        (folder / f"_{number}.yaml").write_text(f"include: [_{number + 1}.yaml]\n")


def deep(folder: Path) -> None:
    """Folders in folders, until the whole name is longer than a system takes."""
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    os.chdir(folder)


OAUTH = "client_id: a, client_secret: env:A, refresh_token: env:A"
TABLE: dict[str, tuple[Callable[[Path], object], Code, str]] = {
    "a version of YAML to come": (text(f"# a\n%YAML 1.3\n---\n{HEAD}{LINES}"), Code.SYNTAX, "odd.yaml:2:1"),
    "a version of YAML that is none": (text(f"%YAML 9.9\n---\n{HEAD}{LINES}"), Code.SYNTAX, "odd.yaml:1:1"),
    "a version of YAML in a later document": (
        text(f"{HEAD}{LINES}...\n%YAML 1.3\n---\n{HEAD}"),
        Code.SYNTAX,
        "odd.yaml:5:1",
    ),
    "an include with a null character": (include(r'"a\0b"'), Code.INCLUDE, "odd.yaml:3:11"),
    "an include with half a character": (include(r'"\ud800"'), Code.INCLUDE, "odd.yaml:3:11"),
    "an include of 300 characters": (include("a" * 300), Code.INCLUDE, "odd.yaml:3:11"),
    "an include of 3,000 folders": (include("a/" * 3000), Code.INCLUDE, "odd.yaml:3:11"),
    "an include of itself": (include("odd.yaml"), Code.INCLUDE, "odd.yaml:3:11"),
    "an include in a loop": (text(f"{HEAD}include: [_a.yaml]\n{LINES}", _a="include: [_a.yaml]\n"), Code.INCLUDE, ":1"),
    "an include of what can't be read as YAML": (text(f"{HEAD}include: [_a.yaml]\n", _a="'\n"), Code.SYNTAX, "_a.yaml"),
    "includes in a chain of 2,000": (chain, Code.INCLUDE, "_254.yaml:1:11"),
    "a sandbox with a null character": (portal(r'sandbox: "a\0b"'), Code.BAD_VALUE, "odd.yaml:2:30"),
    "a port that is none": (
        portal("oauth: {domain: 'http://127.0.0.1:99999', access_token: env:A}"),
        Code.BAD_URL,
        "odd.yaml:2:37",
    ),
    "a port of tokens that is none": (
        portal(f"oauth: {{domain: a.bitrix24.ru, token_url: 'http://127.0.0.1:65536/', {OAUTH}}}"),
        Code.BAD_URL,
        "odd.yaml:2",
    ),
    "a pipe": (lambda _: os.mkfifo("odd.yaml"), Code.FILE_UNREADABLE, "odd.yaml:1"),
    "a socket": (sockets, Code.FILE_UNREADABLE, "odd.yaml:1"),
    "a link to itself": (linked, Code.FILE_UNREADABLE, "odd.yaml:1"),
    "a link to a device": (
        lambda folder: (folder / "odd.yaml").symlink_to("/dev/zero"),
        Code.FILE_UNREADABLE,
        "odd.yaml:1",
    ),
    "a name that is no text": (
        lambda _: Path(os.fsdecode(b"odd\xff.yaml")).write_text(GOOD),
        Code.FILE_NAME,
        "odd\ufffd",
    ),
    "a name of two lines": (lambda _: Path("odd\n.yaml").write_text("sipsync: 1\n"), Code.BAD_ADDRESS, "odd\n.yaml"),
    "a folder that can't be listed": (deep, Code.FILE_UNREADABLE, "ddd"),
    "two of one name": (text(HEAD, other=HEAD), Code.DUPLICATE_PORTAL, "other.yaml:2"),
    "a key twice": (text(f"{HEAD}lines: {{a: {{title: A, title: B}}}}\n"), Code.DUPLICATE_KEY, "odd.yaml:3"),
}


@pytest.mark.parametrize("what", TABLE)
def test_an_odd_file_is_told_with_its_place_and_the_others_are_planned(
    what: str, home: Path, sipsync: Sipsync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "portals"
    folder.mkdir()
    monkeypatch.chdir(folder)
    lay, code, place = TABLE[what]
    (folder / "good.yaml").write_text(GOOD)
    lay(folder)
    ran = sipsync("plan", "--format", "json", ".")
    plan = json.loads(ran.out)
    found = [found for found in plan["diagnostics"] if found["code"] == code]
    assert any(
        found["hint"] and place in f"{found['at']['file']}:{found['at']['line']}:{found['at']['column']}"
        for found in found
    )
    assert ran.code == 1
    assert (plan["complete"], plan["applyable"]) == (False, True)
    assert [change["address"] for change in plan["resource_changes"]] == ["good.a"]
    for other in (["validate", "."], ["fmt", "--check", "."]):
        assert sipsync(*other).code in (0, 1, 3)
    strict = sipsync("apply", "--yes", "--strict", "--format", "json", ".")
    assert (strict.code, {line["result"] for line in json.loads(strict.out)["lines"]}) == (1, {"skipped"})
    applied = sipsync("apply", "--yes", "--format", "json", ".")
    outcome = json.loads(applied.out)
    assert (applied.code, [line["result"] for line in outcome["lines"]]) == (4, ["applied"])
    assert code in {found["code"] for found in outcome["diagnostics"]}
    assert not (folder / "state").exists()


@pytest.mark.parametrize("command", [("status",), ("doctor",), ("snapshot", "--out", "state.json")])
def test_a_wrong_file_keeps_no_other_portal_from_being_asked(
    command: tuple[str, ...], home: Path, sipsync: Sipsync
) -> None:
    Path("good.yaml").write_text(GOOD)
    Path("odd.yaml").write_text(HEAD + "lines: {a: {titel: A}}\n")
    assert sipsync("apply", "--yes", "good.yaml").code == 0
    ran = sipsync(*command, ".")
    assert ran.code == 1
    assert "odd.yaml:3:13 (odd) [unknown-key]" in ran.out + ran.err
    asked = Path("state.json").read_text() if command[0] == "snapshot" else ran.out
    assert "good" in asked
    for option in (("--exclude", "odd"), ("--portal", "good")):
        assert sipsync(*command, *option, ".").code == 0, option
    ran = sipsync(*command, "--portal", "odd", ".")
    assert (ran.code, "odd.yaml:3:13 (odd) [unknown-key]" in ran.out + ran.err) == (1, True)


def test_a_snapshot_of_nothing_is_not_written(home: Path, sipsync: Sipsync) -> None:
    Path("odd.yaml").write_text("sipsync: 1\nportal: {webhook: env:NOBODY}\nlines: {a: {config_id: 1}}\n")
    ran = sipsync("snapshot", "--out", "state.json", "odd.yaml")
    assert (ran.code, "[secret-unset]" in ran.err) == (1, True)
    assert not Path("state.json").exists()


def test_a_saved_plan_is_applied_without_the_portal_whose_file_is_wrong_now(home: Path, sipsync: Sipsync) -> None:
    Path("good.yaml").write_text(GOOD)
    Path("odd.yaml").write_text(GOOD.replace("good", "odd"))
    Path("unplanned.yaml").write_text("sipsync: 1\nportal: [\n")
    assert sipsync("plan", "--out", "p.json", "good.yaml", "odd.yaml").code == 0
    Path("odd.yaml").write_text(GOOD.replace("good", "odd").replace("title", "titel"))
    ran = sipsync("apply", "--plan", "p.json", "--format", "json", ".")
    outcome = json.loads(ran.out)
    assert (ran.code, [line["address"] for line in outcome["lines"]]) == (4, ["good.a"])
    assert {found["address"] for found in outcome["diagnostics"]} == {"odd"}


def test_a_finding_may_be_let_pass_of_a_portal_whose_file_is_wrong(home: Path, sipsync: Sipsync) -> None:
    Path("good.yaml").write_text(GOOD)
    Path("odd.yaml").write_text(HEAD + "lines: {a: {titel: A}}\n")
    assert sipsync("plan", "--allow", "max-changes:odd", ".").code == 1
    assert sipsync("plan", "--line", "odd.a", ".").code == 1
    assert sipsync("plan", "--line", "good.a", ".").code == 0
    assert sipsync("plan", "--allow", "max-changes:nobody", ".").code == 64
    assert sipsync("plan", "--line", "nobody.a", ".").code == 64


def test_a_portal_that_is_sought_may_be_in_a_file_that_is_not_in_order(
    home: Path, sipsync: Sipsync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(GOOD)
    Path("odd.yaml").write_text("%YAML 1.3\n---\n" + HEAD)
    ran = sipsync("plan", "--portal", "odd", "good.yaml", "odd.yaml")
    assert ran.code == 1
    assert "odd.yaml:1:1 (odd) [syntax]" in ran.err
    ran = sipsync("plan", "--portal", "nobody", "good.yaml", "odd.yaml")
    assert ran.code == 64
    assert "odd.yaml:1:1 (odd) [syntax]" in ran.err


def test_another_program_s_file_in_a_folder_portals_is_told_apart_and_how_to_leave_it_out(
    home: Path, sipsync: Sipsync
) -> None:
    Path("portals").mkdir()
    Path("portals/shop.yaml").write_text("kind: Shop\n")
    assert "YAML files without the marker `sipsync: 1`: 1" in sipsync("validate").out
    for command, code in (("validate", 3), ("fmt", 1)):  # as the hooks for pre-commit run them
        ran = sipsync(command, "--", "portals/shop.yaml")
        assert ran.code == code
        assert "portals/shop.yaml:1:1 [no-marker]" in ran.out + ran.err
        assert "else leave it out (in pre-commit: `exclude`)." in " ".join((ran.out + ran.err).split())
    assert Path("portals/shop.yaml").read_text() == "kind: Shop\n"


def test_a_wrong_file_is_told_once_where_the_plan_and_what_became_of_it_are_shown(home: Path, sipsync: Sipsync) -> None:
    Path("good.yaml").write_text(GOOD)
    Path("odd.yaml").write_text(HEAD + "lines: {a: {titel: A}}\n")
    ran = sipsync("apply", "--yes", "--report", "sarif=s.json", ".")
    assert (ran.code, ran.out.count('unknown key "titel"')) == (4, 1), ran
    assert "Error: 2 errors of the files, told above, keep their portals out" in ran.out
    assert "Apply incomplete. Resources: 1 added" in ran.out
    assert 'unknown key \\"titel\\"' in Path("s.json").read_text()
