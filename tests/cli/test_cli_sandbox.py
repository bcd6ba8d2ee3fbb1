"""The demo, the example that it is made of, and the emulated portal's own commands."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import sipsync
from sipsync.cli.scaffold import template
from support.runs import environment

if TYPE_CHECKING:
    from support.runs import Sipsync

QUICKSTART = Path(sipsync.__file__).parents[1] / "examples" / "quickstart"


def test_the_demo_goes_from_plan_to_apply_to_no_changes(home: Path, sipsync: Sipsync) -> None:
    ran = sipsync("demo")
    assert ran.code == 0
    first, _, rest = ran.out.partition("$ sipsync apply --yes")
    assert "Plan: 0 to add, 3 to change, 0 to destroy." in first
    assert "Apply complete! Resources: 0 added, 3 changed, 0 destroyed." in rest
    assert "No changes." in rest.partition("$ sipsync plan")[2]
    assert "Warning" not in ran.out
    assert list(home.iterdir()) == []
    assert _steady(sipsync("demo").out) == _steady(ran.out)


def test_the_demo_leaves_files_that_one_can_go_on_with(home: Path, sipsync: Sipsync) -> None:
    ran = sipsync("demo", "try-it")
    assert (ran.code, "Go on in try-it" in ran.err) == (0, True)
    assert "No changes." in sipsync("plan", "try-it").out
    again = sipsync("demo", "try-it")
    assert (again.code, "is not empty" in again.err) == (1, True)


def test_a_demo_without_its_extra_says_what_to_install(
    home: Path, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipsync.cli.commands.demo.find_spec", lambda _name: None)
    ran = sipsync("demo")
    assert ran.code == 1
    assert "Install it: `" in " ".join(ran.err.split())  # a long path stands in a line of its own
    assert "uvicorn<1,>=0.40" in ran.err


def test_a_demo_that_has_no_place_says_so(home: Path, sipsync: Sipsync) -> None:
    Path("file").write_text("")
    ran = sipsync("demo", "file/below")
    assert (ran.code, "file/below can't be written" in ran.err) == (1, True)


def test_a_demo_that_goes_wrong_is_a_failure(home: Path, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sipsync.sandbox.seed_portal", lambda *_: 0)
    ran = sipsync("demo")
    assert (ran.code, "did not end as it should" in ran.err) == (1, True)


# --- the example ---


def _steady(text: str) -> str:
    """A transcript without what differs from run to run."""
    return re.sub(r"[0-9a-f]{64}", "…", text)


def test_the_example_is_what_the_demo_shows() -> None:
    assert (QUICKSTART / "sipsync.yaml").read_text() == template("demo.yaml")
    assert (QUICKSTART / "seed.json").read_text() == template("demo.json")


def test_the_examples_transcript_is_what_its_commands_print(home: Path, sipsync: Sipsync) -> None:
    for name in ("sipsync.yaml", "seed.json"):
        Path(name).write_text((QUICKSTART / name).read_text())
    readme = (QUICKSTART / "README.md").read_text()
    blocks = re.findall(r"^```console\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        command, _, shown = block.partition("\n")
        ran = sipsync(*command.removeprefix("$ sipsync ").split())
        assert _steady(ran.out) == _steady(shown), command


# --- sandbox ---


def test_what_was_seeded_is_dumped(home: Path, sipsync: Sipsync) -> None:
    Path("seed.json").write_text(template("demo.json"))
    assert sipsync("sandbox", "seed", "--db", "portal.sandbox", "seed.json").out == "portal.sandbox: 3 lines.\n"
    dumped = json.loads(sipsync("sandbox", "dump", "--db", "portal.sandbox").out)
    assert [line["title"] for line in dumped["lines"]] == ["Sales", "Support", "Warehouse"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["dump", "--db", "missing"], 1, "there is no emulated portal missing"),
        (["seed", "--db", "x", "missing.json"], 1, "missing.json can't be read: no such file or directory"),
        (["seed", "--db", "x", "latin.json"], 1, "it is not UTF-8 text"),
        (["seed", "--db", "x", "faults.json"], 1, "is no seed"),
        (["serve", "--faults", "latin.json"], 1, "can't be read"),
        (["serve", "--faults", "text.json"], 1, "text.json is no JSON list of faults"),
        (["serve", "--faults", "faults.json"], 1, "whole numbers"),
        (["serve", "--bucket", "many"], 64, "such as 50/2"),
        (["serve", "--bucket", "0/1"], 64, "such as 50/2"),
        (["serve", "--port", "99999"], 64, "--port"),
        (["sevre"], 64, "serve"),
    ],
)
def test_a_sandbox_that_cannot_be_says_why(
    arguments: list[str], code: int, says: str, home: Path, sipsync: Sipsync
) -> None:
    Path("latin.json").write_bytes(b"\xff\xfe\xff")
    Path("text.json").write_text("hello")
    Path("faults.json").write_text('[{"match": {"nth": 0}, "do": "truncate"}]')
    ran = sipsync("sandbox", *arguments)
    assert ran.code == code
    assert says in ran.err


def _serving(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    running = subprocess.Popen(
        [sys.executable, "-m", "sipsync", "sandbox", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert running.stdout is not None
    return running, json.loads(running.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_served_sandbox_says_where_and_stops_on_a_signal(number: signal.Signals, home: Path) -> None:
    Path("seed.json").write_text(template("demo.json"))
    Path("faults.json").write_text("[]")
    running, started = _serving(
        "--seed", "seed.json", "--app", "appa", "--bucket", "off", "--faults", "faults.json", "--log", "log"
    )
    lines = httpx.post(f"{started['webhook']}voximplant.sip.get", trust_env=False).json()["result"]
    assert [line["TITLE"] for line in lines] == ["Sales", "Support", "Warehouse"]
    assert set(started["apps"]) == {"appa"}
    running.send_signal(number)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (0, "", "")
    assert Path("log").read_text().count("\n") == 1


def test_a_plan_file_goes_from_a_served_portal_to_its_file(home: Path, sipsync: Sipsync) -> None:
    """A portal that was served from a file can be looked at and planned without serving it."""
    Path("seed.json").write_text(template("demo.json"))
    running, _ = _serving("--db", "portal.sandbox", "--seed", "seed.json")
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    Path("sipsync.yaml").write_text(template("demo.yaml"))
    assert "3 to change" in sipsync("plan").out
