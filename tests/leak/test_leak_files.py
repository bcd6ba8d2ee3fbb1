"""A secret that somebody wrote into a file is in no finding about the file, whatever else is wrong with it."""

from __future__ import annotations

import json

import pytest

from sipsync.report import formats_of
from support.leak.files import literal_files
from support.leak.scan import Canary
from support.leak.stage import Ran, Stage

pytestmark = pytest.mark.slow


@pytest.fixture
def literal(stage: Stage) -> Canary:
    """The secret in all the files under `portals`."""
    made = stage.canary("literal", plain=True)
    for name, data in literal_files(made.value).items():
        stage.write(f"portals/{name}", data)
    return made


def reports(formats: tuple[str, ...]) -> list[str]:
    """Options for a report in each of these formats."""
    return [f"--report={name}=report.{name}" for name in formats]


def findings(ran: Ran) -> dict[str, list[str]]:
    """The codes of what was found, by the file's name."""
    found: dict[str, list[str]] = {}
    for one in json.loads(ran.out)["diagnostics"]:
        name = (one.get("at") or {}).get("file", "")
        found.setdefault(name.rpartition("/")[2], []).append(one["code"])
    return found


@pytest.mark.parametrize("json_log", [False, True])
def test_no_finding_about_a_file_shows_the_secret_in_it(stage: Stage, literal: Canary, json_log: bool) -> None:
    ran = stage.sipsync("validate", "--format", "json", *reports(formats_of("Findings")), json_log=json_log)
    assert ran.code == 3
    assert findings(ran).keys() >= literal_files("").keys()
    assert {f"report.{name}" for name in formats_of("Findings")} <= {path.name for path in stage.work.iterdir()}


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_findings_for_people_show_no_secret(stage: Stage, literal: Canary, lang: str) -> None:
    ran = stage.python("-m", "sipsync", "--lang", lang, "--color", "always", "validate")
    assert ran.code == 3
    assert "block.yaml:8:15" in ran.out


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "--out", "plan.json", "--github", "--all", *reports(formats_of("Plan"))],
        ["plan", "--json-events"],
        ["apply", "--yes", "--json-events"],
        ["status", "--format", "json"],
        ["doctor"],
        ["snapshot", "--out", "snapshot.json"],
        ["fmt", "--check", "--diff"],
    ],
    ids=" ".join,
)
def test_no_command_shows_the_secret_of_a_file_that_it_refuses(
    stage: Stage, literal: Canary, command: list[str]
) -> None:
    environ = {"GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "output.txt"}
    assert stage.sipsync(*command, environ=environ).code in (1, 3)
