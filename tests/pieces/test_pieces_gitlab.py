"""The GitLab include's scripts, run as a runner runs them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from support.pieces import PASSWORD, ROOT, Forge, Job, Portal, Repository

pytestmark = pytest.mark.slow

PIPELINE = yaml.safe_load((ROOT / "examples/gitlab/sipsync.yml").read_text(encoding="utf-8"))

MERGE_REQUEST = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}


@dataclass
class Runner:
    """Runs jobs of the include by their names."""

    forge: Forge

    def job(self, name: str, repository: Repository, secrets: dict[str, str] | None = None) -> Job:
        """Run a job's script in one shell, as GitLab does: the first failure ends it."""
        env = {
            **PIPELINE["variables"],
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.forge.url}/api/v4",
            **(MERGE_REQUEST if name == "sipsync:plan" else {}),
            "CI_PROJECT_ID": "42",
            "CI_REPOSITORY_URL": str(repository.origin),
            **(secrets or {}),
        }
        return repository.run("bash", "-eo", "pipefail", "-c", "\n".join(PIPELINE[name]["script"]), env=env)


@pytest.fixture
def runner(forge: Forge) -> Runner:
    return Runner(forge)


def test_from_a_commit_to_a_snapshot_a_plan_a_comment_and_an_apply(
    repository: Repository, runner: Runner, portal: Portal, forge: Forge, secrets: dict[str, str]
) -> None:
    done = runner.job("sipsync:snapshot", repository, secrets)
    assert done.code == 0, done.text
    repository.git("fetch", "--quiet", "origin", "sipsync-snapshot")
    assert PASSWORD not in repository.git("show", "FETCH_HEAD:snapshot.json")

    asked = portal.requests()
    repository.git("switch", "--quiet", "--create", "move-the-warehouse")
    repository.commit("sip.old.example", "sip.new.example")
    for _ in range(2):
        planned = runner.job("sipsync:plan", repository, {"GITLAB_TOKEN": "token-of-the-project"})
        assert planned.code == 0, planned.text
    assert list(forge.comments) == [1]
    assert "sip.new.example" in forge.comments[1]
    report = json.loads((repository.tree / "plan-report.json").read_text(encoding="utf-8"))
    assert report == {"create": 0, "update": 1, "delete": 0}
    assert portal.requests() == asked

    planned = runner.job("sipsync:prepare", repository, secrets)
    assert planned.code == 0, planned.text
    applied = runner.job("sipsync:apply", repository, secrets)
    assert applied.code == 0, applied.text
    assert portal.lines()[70]["server"] == "sip.new.example"
    assert portal.updates() == 1


def test_a_portal_that_moved_between_review_and_apply_is_left_as_it_is(
    repository: Repository, runner: Runner, portal: Portal, secrets: dict[str, str]
) -> None:
    repository.commit("sip.old.example", "sip.new.example")
    assert runner.job("sipsync:prepare", repository, secrets).code == 0
    portal.edit(70, SERVER="sip.elsewhere.example")
    before, written = portal.lines(), portal.updates()
    applied = runner.job("sipsync:apply", repository, secrets)
    assert applied.code == 5, applied.text
    assert (portal.lines(), portal.updates()) == (before, written)


def test_what_the_target_branch_protects_counts_in_a_shallow_checkout(
    repository: Repository, runner: Runner, portal: Portal, forge: Forge, secrets: dict[str, str], tmp_path: Path
) -> None:
    assert runner.job("sipsync:snapshot", repository, secrets).code == 0
    repository.unprotect()
    checkout = repository.shallow(tmp_path / "checkout", "unprotect")
    planned = runner.job("sipsync:plan", checkout, {"GITLAB_TOKEN": "token-of-the-project"})
    assert planned.code == 6, planned.text
    assert "protected" in forge.comments[1]


def test_a_target_branch_that_can_not_be_fetched_ends_the_plan(
    repository: Repository, runner: Runner, portal: Portal, secrets: dict[str, str]
) -> None:
    assert runner.job("sipsync:snapshot", repository, secrets).code == 0
    repository.git("--git-dir", str(repository.origin), "update-ref", "-d", "refs/heads/main")
    planned = runner.job("sipsync:plan", repository)
    assert planned.code != 0
    assert "Plan:" not in planned.text


def test_without_a_token_the_plan_is_made_and_no_comment_written(
    repository: Repository, runner: Runner, forge: Forge, secrets: dict[str, str]
) -> None:
    assert runner.job("sipsync:snapshot", repository, secrets).code == 0
    planned = runner.job("sipsync:plan", repository)
    assert planned.code == 0, planned.text
    assert forge.written == 0
    assert (repository.tree / "plan.md").stat().st_size


def test_the_artifacts_are_files_that_the_jobs_leave(
    repository: Repository, runner: Runner, secrets: dict[str, str]
) -> None:
    assert runner.job("sipsync:prepare", repository, secrets).code == 0
    artifacts = PIPELINE["sipsync:prepare"]["artifacts"]
    for name in [*artifacts["paths"], artifacts["reports"]["terraform"]]:
        assert (repository.tree / Path(name)).is_file(), name


MAIN = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}


def started(env: dict[str, str]) -> set[str]:
    """The jobs whose rules let a pipeline with these variables have them; paths are taken to have changed."""

    def holds(rule: dict[str, str]) -> bool:
        terms = re.sub(r"\$(\w+)", lambda found: repr(env.get(found[1], "")), rule["if"])
        return bool(eval(terms.replace("&&", " and "), {"__builtins__": {}}))

    return {name for name, job in PIPELINE.items() if "rules" in job and any(map(holds, job["rules"]))}


@pytest.mark.parametrize(
    ("env", "jobs"),
    [
        ({"CI_PIPELINE_SOURCE": "merge_request_event", "CI_DEFAULT_BRANCH": "main"}, {"plan"}),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "other", "CI_DEFAULT_BRANCH": "main"}, set()),
        ({"CI_PIPELINE_SOURCE": "push", **MAIN}, {"snapshot", "prepare", "apply"}),
        ({"CI_PIPELINE_SOURCE": "schedule", **MAIN}, {"snapshot"}),
        ({"CI_PIPELINE_SOURCE": "schedule", "SIPSYNC_DRIFT": "true", **MAIN}, {"snapshot", "drift"}),
    ],
    ids=["merge request", "another branch", "main", "hourly", "nightly"],
)
def test_each_pipeline_has_its_jobs(env: dict[str, str], jobs: set[str]) -> None:
    assert started(env) == {f"sipsync:{name}" for name in jobs}


def test_drift_fails_the_nightly_job_and_its_reports_say_what_differs(
    repository: Repository, runner: Runner, portal: Portal, secrets: dict[str, str]
) -> None:
    nightly = {**secrets, "SIPSYNC_DRIFT": "true"}
    assert runner.job("sipsync:drift", repository, nightly).code == 0
    portal.edit(70, SERVER="sip.elsewhere.example")
    drifted = runner.job("sipsync:drift", repository, nightly)
    assert drifted.code == 2, drifted.text
    artifacts = PIPELINE["sipsync:drift"]["artifacts"]
    for name in [*artifacts["paths"], artifacts["reports"]["junit"]]:
        assert "sip.elsewhere.example" in (repository.tree / name).read_text(encoding="utf-8")
    assert portal.updates() == 1, "nothing but the edit was written"
