"""The workflow that `init --ci github` writes, run from the first commit to a night on which something drifted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.github import Event, Runner
from support.pieces import PASSWORD, Forge, Portal, Repository, environment

pytestmark = pytest.mark.slow

NIGHT = Event("schedule", schedule="43 3 * * *")


@pytest.fixture
def begun(tmp_path: Path, portal: Portal) -> Repository:
    """What `init` wrote, pushed as it is."""
    (tmp_path / "home").mkdir()
    (tmp_path / "tree").mkdir()
    made = Repository(tmp_path / "tree", tmp_path / "origin.git", environment(tmp_path / "home"))
    made.git("init", "--quiet", "--bare", "--initial-branch=main", str(made.origin))
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", str(made.origin))
    done = made.run("sipsync", "init", "--ci", "github", "--webhook-env", "HOOK", env={"HOOK": portal.webhook})
    assert done.code == 0, done.text
    push(made, "Begin", "main")
    return made


@pytest.fixture
def runner(tmp_path: Path, begun: Repository, forge: Forge, portal: Portal) -> Runner:
    """A runner with the secrets that the workflow's head asks for, and no other."""
    environments = {name: {"HOOK": portal.webhook} for name in ("sip-read", "sip-apply")}
    key = begun.run("sipsync", "secret", "plan-key").text.strip()
    return Runner(tmp_path / "runner", forge, {"": {"SIPSYNC_SNAPSHOT_KEY": key}, **environments})


def edit(repository: Repository, name: str, old: str, new: str) -> None:
    file = repository.tree / name
    before = file.read_text(encoding="utf-8")
    after = re.sub(old, new, before)
    assert after != before
    file.write_text(after, encoding="utf-8")


def push(repository: Repository, message: str, branch: str) -> None:
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", message)
    repository.git("push", "--quiet", "origin", f"HEAD:{branch}")


def test_from_the_first_commit_to_a_night_on_which_something_drifted(
    begun: Repository, runner: Runner, portal: Portal, forge: Forge
) -> None:
    first = runner.event(begun, Event("workflow_dispatch"))
    assert {name: job.step.code for name, job in first.items()} == {"snapshot": 0, "drift": 0}

    asked = portal.requests()
    begun.git("switch", "--quiet", "--create", "rename")
    edit(begun, "sipsync.yaml", "title: Warehouse", "title: Depot")
    push(begun, "Rename", "rename")
    [(name, planned)] = runner.event(begun, Event("pull_request", "rename", pull_request="7")).items()
    assert (name, planned.step.code, planned.step.outputs["to_change"]) == ("plan", 0, "1"), planned.step.text
    assert "Depot" in forge.comments[1]
    assert portal.requests() == asked

    begun.git("push", "--quiet", "origin", "HEAD:main")
    merged = runner.event(begun, Event("push"))
    assert {name: job.step.code for name, job in merged.items()} == {"snapshot": 0, "prepare": 0, "apply": 0}
    assert portal.lines()[70]["title"] == "Depot"
    assert "portal.line-70: updated" in merged["apply"].step.summary
    assert set(runner.event(begun, Event("push"))) == {"snapshot", "prepare"}, "there is nothing left to apply"
    assert portal.updates() == 1

    assert set(runner.event(begun, Event("schedule", schedule="17 * * * *"))) == {"snapshot"}
    assert runner.event(begun, NIGHT)["drift"].step.code == 0
    portal.edit(70, SERVER="sip.elsewhere.example")
    drifted = runner.event(begun, NIGHT)["drift"].step
    assert (drifted.code, drifted.outputs["failure_reason"]) == (2, "drift"), drifted.text
    assert "sip.elsewhere.example" in drifted.summary


def test_a_password_is_managed_once_the_file_and_the_workflow_name_it(
    begun: Repository, runner: Runner, portal: Portal
) -> None:
    edit(begun, "sipsync.yaml", "# (password: env:SIP_PORTAL_69_PASSWORD)", r"\1")
    push(begun, "Manage it", "main")
    missing = runner.event(begun, Event("push"))["prepare"].step
    assert (missing.code, "SIP_PORTAL_69_PASSWORD" in missing.text) == (1, True), missing.text

    edit(begun, ".github/workflows/sipsync.yml", "# (SIP_PORTAL_69_PASSWORD: .*) # so for each", r"\1 # so for each")
    push(begun, "Name it in the workflow", "main")
    for secrets in (runner.secrets["sip-read"], runner.secrets["sip-apply"]):
        secrets["SIP_PORTAL_69_PASSWORD"] = f"{PASSWORD}-2"
    ran = runner.event(begun, Event("push"))
    assert {name: job.step.code for name, job in ran.items()} == {"snapshot": 0, "prepare": 0, "apply": 0}
    assert portal.lines()[69]["password"] == f"{PASSWORD}-2"
    assert PASSWORD not in "".join(job.step.text + job.step.summary for job in ran.values())
    assert runner.event(begun, NIGHT)["drift"].step.code == 0
