"""The Atlantis workflow and the cron script, run for real."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
import yaml

from support.pieces import ROOT, Job, Portal, Repository

pytestmark = pytest.mark.slow

ATLANTIS = yaml.safe_load((ROOT / "examples/atlantis/repos.yaml").read_text(encoding="utf-8"))


def atlantis(stage: str, repository: Repository, env: dict[str, str]) -> Job:
    """Run the steps of a stage, each in a shell of its own, as Atlantis does."""
    env = {**env, "PLANFILE": str(repository.tree / "default.tfplan"), "BASE_BRANCH_NAME": "main"}
    done = Job(0, "")
    for step in ATLANTIS["workflows"]["sipsync"][stage]["steps"]:
        if "env" in step:
            env[step["env"]["name"]] = variable(step["env"], repository, env)
        else:
            done = repository.run("sh", "-c", step["run"], env=env)
            if done.code:
                break
    return done


def variable(step: dict[str, str], repository: Repository, env: dict[str, str]) -> str:
    """What an `env` step sets its variable to: a value, or what a command prints."""
    if "command" in step:
        return repository.run("sh", "-c", step["command"], env=env).text.removesuffix("\n")
    return step["value"]


def test_atlantis_plans_and_applies(repository: Repository, portal: Portal, secrets: dict[str, str]) -> None:
    repository.commit("sip.old.example", "sip.new.example")
    planned = atlantis("plan", repository, secrets)
    assert planned.code == 0, planned.text
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in planned.text
    applied = atlantis("apply", repository, secrets)
    assert applied.code == 0, applied.text
    assert portal.lines()[70]["server"] == "sip.new.example"


def test_atlantis_heeds_what_the_target_branch_protects(
    repository: Repository, portal: Portal, secrets: dict[str, str], tmp_path: Path
) -> None:
    repository.unprotect()
    checkout = repository.checkout(tmp_path / "merged")  # --checkout-strategy=merge: the target, the change merged in
    checkout.git("merge", "--quiet", "--no-ff", "--message", "merged", "origin/unprotect")
    planned = atlantis("plan", checkout, secrets)
    assert planned.code == 6, planned.text
    assert atlantis("apply", checkout, secrets).code == 6
    assert portal.updates() == 0


def test_atlantis_lets_no_file_read_another_variable(
    repository: Repository, portal: Portal, secrets: dict[str, str]
) -> None:
    repository.commit("env:SIP_SALES_PASSWORD", "env:ATLANTIS_GH_TOKEN")
    planned = atlantis("plan", repository, {**secrets, "ATLANTIS_GH_TOKEN": "token-of-the-server"})
    assert planned.code == 1, planned.text
    assert "token-of-the-server" not in planned.text


CRON = ROOT / "examples/cron/sipsync-cron"


def test_cron_applies_what_the_main_branch_says_and_prints_nothing(
    repository: Repository, portal: Portal, secrets: dict[str, str], tmp_path: Path
) -> None:
    checkout = repository.checkout(tmp_path / "checkout")
    repository.commit("sip.old.example", "sip.new.example")
    log = tmp_path / "log"
    assert checkout.run(CRON, "drift", checkout.tree, log, env=secrets) == Job(2, "")
    assert portal.updates() == 0
    assert checkout.run(CRON, "apply", checkout.tree, log, env=secrets) == Job(0, "")
    assert portal.lines()[70]["server"] == "sip.new.example"
    assert checkout.run(CRON, "drift", checkout.tree, log, env=secrets) == Job(0, "")
    ends = [line for line in log.read_text(encoding="utf-8").splitlines() if line.endswith(("(0)", "(2)"))]
    assert [line.split(" ", 1)[1] for line in ends] == [
        "drift: the portal differs from the files (2)",
        "apply: as in the files (0)",
        "drift: as in the files (0)",
    ]


def test_cron_s_second_run_leaves_the_first_alone(
    repository: Repository, portal: Portal, secrets: dict[str, str], tmp_path: Path
) -> None:
    held = os.open(repository.tree, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert repository.run(CRON, "apply", repository.tree, tmp_path / "log", env=secrets) == Job(0, "")
    finally:
        os.close(held)
    assert portal.requests() == 0
    assert (tmp_path / "log").read_text(encoding="utf-8") == ""
