"""The action's scripts, run as a GitHub runner runs them: from a commit to a snapshot, a plan, a comment, an apply."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from support.git_server import git_server
from support.github import ACTION, TOKEN, Runner, Step
from support.pieces import PASSWORD, ROOT, Forge, Portal, Repository

pytestmark = pytest.mark.slow

BRANCH = "sipsync-snapshot"


@pytest.fixture
def runner(tmp_path: Path, forge: Forge) -> Runner:
    return Runner(tmp_path / "runner", forge)


def reviewed(repository: Repository, runner: Runner, secrets: dict[str, str]) -> Step:
    """A change of the warehouse's server, merged and planned: the job `prepare`."""
    repository.commit("sip.old.example", "sip.new.example")
    planned = runner.step(repository, {"command": "plan"}, secrets)
    assert planned.code == 0, planned.text
    return planned


def approved(planned: Step) -> dict[str, str]:
    """The inputs of the job `apply`."""
    return {
        "command": "apply",
        "plan-file": planned.outputs["plan_path"],
        "expect-plan": planned.outputs["digest"],
    }


def test_from_a_commit_to_a_snapshot_a_plan_a_comment_and_an_apply(
    repository: Repository, runner: Runner, portal: Portal, forge: Forge, secrets: dict[str, str], tmp_path: Path
) -> None:
    # The protected branch leaves a snapshot, as a branch of one commit and one file.
    for _ in range(2):
        done = runner.step(repository, {"command": "snapshot", "snapshot-branch": BRANCH}, secrets)
        assert done.code == 0, done.text
    repository.git("fetch", "--quiet", "origin", BRANCH)
    assert repository.git("rev-list", "--count", "FETCH_HEAD") == "1"
    assert repository.git("ls-tree", "--name-only", "FETCH_HEAD") == "snapshot.json"
    assert PASSWORD not in repository.git("show", "FETCH_HEAD:snapshot.json")
    assert repository.git("status", "--porcelain") == ""

    # A pull request is planned without a credential and without a word to the portal.
    asked = portal.requests()
    repository.git("switch", "--quiet", "--create", "move-the-warehouse")
    repository.commit("sip.old.example", "sip.draft.example")
    planned = runner.step(repository, {"command": "plan", "snapshot-branch": BRANCH}, pull_request="7")
    assert planned.code == 0, planned.text
    assert (planned.outputs["changes"], planned.outputs["to_change"]) == ("true", "1")
    assert {*planned.outputs, "failure_reason"} == set(ACTION["outputs"])
    assert "sip.draft.example" in planned.summary
    assert "sip.draft.example" in forge.comments[1]

    # The next push edits the one comment.
    repository.commit("sip.draft.example", "sip.new.example")
    planned = runner.step(repository, {"command": "plan", "snapshot-branch": BRANCH}, pull_request="7")
    assert planned.code == 0, planned.text
    assert list(forge.comments) == [1]
    assert "sip.new.example" in forge.comments[1]
    assert "sip.draft.example" not in forge.comments[1]
    assert forge.tokens == {f"Bearer {TOKEN}"}
    assert portal.requests() == asked

    # The merge is planned anew, approved, and applied by another job on another machine.
    repository.git("push", "--quiet", "origin", "HEAD:main")
    main = repository.checkout(tmp_path / "prepare")
    prepared = runner.step(main, {"command": "plan"}, secrets)
    assert prepared.code == 0, prepared.text
    assert prepared.outputs["to_change"] == "1"
    assert "sip.new.example" in Path(prepared.outputs["text_plan_path"]).read_text(encoding="utf-8")
    assert portal.updates() == 0
    applied = runner.step(repository.checkout(tmp_path / "apply"), approved(prepared), secrets)
    assert applied.code == 0, applied.text
    assert portal.lines()[70]["server"] == "sip.new.example"
    assert portal.updates() == 1

    # A retried job has nothing to send.
    retried = runner.step(repository.checkout(tmp_path / "retry"), approved(prepared), secrets)
    assert retried.code == 0, retried.text
    assert portal.updates() == 1


def test_a_portal_that_moved_between_review_and_apply_is_left_as_it_is(
    repository: Repository, runner: Runner, portal: Portal, secrets: dict[str, str]
) -> None:
    planned = reviewed(repository, runner, secrets)
    portal.edit(70, SERVER="sip.elsewhere.example")
    before, written = portal.lines(), portal.updates()
    applied = runner.step(repository, approved(planned), secrets)
    assert applied.code == 5, applied.text
    assert applied.outputs["failure_reason"] == "plan-changed"
    assert (portal.lines(), portal.updates()) == (before, written)


def test_nothing_of_the_checkout_is_run_as_python(
    repository: Repository, runner: Runner, secrets: dict[str, str], tmp_path: Path
) -> None:
    stolen = tmp_path / "stolen"
    attack = f"import os; open({str(stolen)!r}, 'a').write(os.environ.get('ACME_WEBHOOK', 'ran'))\n"
    for name in ("json.py", "sys.py", "sipsync.py", "sitecustomize.py", "venv/__init__.py", "venv/__main__.py"):
        file = repository.tree / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(attack, encoding="utf-8")
    planned = runner.step(repository, {"command": "plan"}, secrets)
    assert (planned.code, planned.outputs["changes"]) == (0, "false"), planned.text
    env = {"GITHUB_ACTION_PATH": str(tmp_path / "no-action"), "RUNNER_TEMP": str(tmp_path)}
    assert "no-action" in repository.run(ROOT / ".github/install.sh", env=env).text
    assert not stolen.exists()


@pytest.mark.parametrize("path", ["--root=x", "-x/portals/acme.yaml"])
def test_a_path_is_a_path_whatever_it_begins_with(
    path: str, repository: Repository, runner: Runner, secrets: dict[str, str]
) -> None:
    planned = runner.step(repository, {"command": "plan", "paths": path}, secrets)
    assert planned.outputs["failure_reason"] == "invalid"
    assert f"there is no file or folder {path}" in planned.text


@pytest.mark.parametrize("command", ["snapshot", "plan"])
@pytest.mark.parametrize("branch", ["main", "refs/heads/main", "release"])
def test_a_branch_of_the_users_is_never_made_the_snapshots(
    command: str, branch: str, repository: Repository, runner: Runner, secrets: dict[str, str]
) -> None:
    before = repository.git("ls-remote", "origin")
    step = runner.step(repository, {"command": command, "snapshot-branch": branch}, secrets)
    assert (step.code, step.outputs["failure_reason"]) == (64, "wrong-usage"), step.text
    assert repository.git("ls-remote", "origin") == before


def test_another_plan_than_the_approved_one_is_not_applied(
    repository: Repository, runner: Runner, portal: Portal, secrets: dict[str, str]
) -> None:
    planned = reviewed(repository, runner, secrets)
    applied = runner.step(repository, {**approved(planned), "expect-plan": "0" * 64}, secrets)
    assert applied.code == 5, applied.text
    assert applied.outputs["failure_reason"] == "plan-changed"
    assert portal.updates() == 0


def test_drift_fails_and_says_what_differs(
    repository: Repository, runner: Runner, portal: Portal, secrets: dict[str, str]
) -> None:
    assert runner.step(repository, {"command": "drift"}, secrets).code == 0
    portal.edit(70, SERVER="sip.elsewhere.example")
    drifted = runner.step(repository, {"command": "drift"}, secrets)
    assert drifted.code == 2, drifted.text
    assert drifted.outputs["failure_reason"] == "drift"
    assert "sip.elsewhere.example" in drifted.summary
    assert "## sipsync drift: 1 line differs from the files" in drifted.summary


def test_what_the_target_branch_protects_counts_in_a_shallow_checkout(
    repository: Repository, runner: Runner, forge: Forge, secrets: dict[str, str], tmp_path: Path
) -> None:
    repository.unprotect()
    checkout = repository.shallow(tmp_path / "checkout", "unprotect")
    planned = runner.step(checkout, {"command": "plan"}, secrets, pull_request="7")
    assert planned.code == 6, planned.text
    assert planned.outputs["failure_reason"] == "safety-limit"
    assert "protected" in forge.comments[1]
    assert checkout.git("rev-list", "--count", "origin/main") == "1"


def test_a_whole_history_stays_whole(
    repository: Repository, runner: Runner, secrets: dict[str, str], tmp_path: Path
) -> None:
    repository.unprotect()
    checkout = repository.checkout(tmp_path / "checkout", "unprotect")
    repository.git("switch", "--quiet", "main")
    repository.commit("title: Sales", "title: Sale")
    assert runner.step(checkout, {"command": "plan"}, secrets, pull_request="7").code == 6
    assert checkout.git("rev-parse", "--is-shallow-repository") == "false"
    assert checkout.git("rev-parse", "origin/main") == repository.git("rev-parse", "main")


def test_a_target_branch_that_can_not_be_fetched_ends_the_plan(
    repository: Repository, runner: Runner, portal: Portal, secrets: dict[str, str]
) -> None:
    repository.git("--git-dir", str(repository.origin), "update-ref", "-d", "refs/heads/main")
    planned = runner.step(repository, {"command": "plan"}, secrets, pull_request="7")
    assert planned.code == 1
    assert planned.outputs == {"failure_reason": "no-target-branch"}
    assert portal.requests() == 0


def test_a_private_repository_is_read_with_the_job_s_token_which_is_left_nowhere(
    repository: Repository, runner: Runner, secrets: dict[str, str], tmp_path: Path
) -> None:
    assert runner.step(repository, {"command": "snapshot", "snapshot-branch": BRANCH}, secrets).code == 0
    repository.unprotect()
    checkout = repository.shallow(tmp_path / "checkout", "unprotect")
    with git_server(repository.origin.parent, TOKEN) as server:
        checkout.git("remote", "set-url", "origin", f"{server.url}/{repository.origin.name}")
        inputs = {"command": "plan", "snapshot-branch": BRANCH}
        planned = runner.step(checkout, inputs, pull_request="7", server=server.url)
    assert planned.code == 6, planned.text
    assert server.asked
    for file in (*checkout.tree.rglob("*"), *runner.folder.rglob("*")):
        if file.is_file():
            assert not found_in(file.read_bytes()), file
    assert not found_in(os.fsencode(planned.text))


def found_in(data: bytes) -> bool:
    """Whether the job's token is there, plain or as git sends it."""
    return TOKEN.encode() in data or base64.b64encode(f"x-access-token:{TOKEN}".encode()) in data


def test_no_file_can_name_the_job_s_token(repository: Repository, runner: Runner, secrets: dict[str, str]) -> None:
    repository.commit("env:SIP_SALES_PASSWORD", "env:GITHUB_TOKEN")
    planned = runner.step(repository, {"command": "plan"}, secrets)
    assert planned.code == 1, planned.text
    assert "GITHUB_TOKEN is not one that files may read" in planned.text


def test_a_comment_that_can_not_be_written_fails_after_the_plan(
    repository: Repository, runner: Runner, secrets: dict[str, str]
) -> None:
    repository.commit("sip.old.example", "sip.new.example")
    planned = runner.step(repository, {"command": "plan"}, secrets, pull_request="8")
    assert planned.code == 1, planned.text
    assert (planned.outputs["failure_reason"], planned.outputs["to_change"]) == ("comment-failed", "1")
    assert "sip.new.example" in planned.summary


def test_paths_may_be_given_on_several_lines(repository: Repository, runner: Runner, secrets: dict[str, str]) -> None:
    repository.commit("sip.old.example", "sip.new.example")
    (repository.tree / "broken.yaml").write_text("sipsync: 1\n", encoding="utf-8")
    planned = runner.step(repository, {"command": "plan", "paths": "portals\n  broken.yaml\n"}, secrets)
    assert planned.outputs == {"failure_reason": "invalid"}
    planned = runner.step(repository, {"command": "plan", "paths": "\n  portals\n"}, secrets)
    assert planned.outputs["to_change"] == "1", planned.text


def test_without_a_snapshot_the_plan_says_which_job_to_run(repository: Repository, runner: Runner) -> None:
    planned = runner.step(repository, {"command": "plan", "snapshot-branch": BRANCH}, pull_request="7")
    assert planned.code == 1
    assert planned.outputs == {"failure_reason": "no-snapshot"}
    assert f"::error title=sipsync::No snapshot on {BRANCH}" in planned.text


def test_a_mistake_in_a_file_is_shown_at_its_line(repository: Repository, runner: Runner, forge: Forge) -> None:
    repository.commit("title: Warehouse", "titel: Warehouse")
    planned = runner.step(repository, {"command": "plan", "snapshot-branch": BRANCH}, pull_request="7")
    assert planned.code == 3
    assert planned.outputs == {"failure_reason": "invalid"}
    assert "::error file=portals/acme.yaml,line=14" in planned.text
    assert forge.written == 0


@pytest.mark.parametrize(
    ("inputs", "fork"), [({}, "true"), ({"comment": "false"}, "false")], ids=["from a fork", "comment: false"]
)
def test_no_comment_is_written_where_it_may_not_be(
    repository: Repository, runner: Runner, forge: Forge, secrets: dict[str, str], inputs: dict[str, str], fork: str
) -> None:
    repository.commit("sip.old.example", "sip.new.example")
    planned = runner.step(repository, {"command": "plan", **inputs}, secrets, pull_request="7", fork=fork)
    assert planned.code == 0, planned.text
    assert "sip.new.example" in planned.summary
    assert forge.written == 0


def test_a_command_that_is_none_is_wrong_usage(repository: Repository, runner: Runner) -> None:
    done = runner.step(repository, {"command": "destroy"})
    assert (done.code, done.outputs) == (64, {"failure_reason": "wrong-usage"})


def test_the_action_installs_sipsync_from_its_own_checkout_once(repository: Repository, tmp_path: Path) -> None:
    registry = {name: value for name, value in os.environ.items() if name.lower().startswith(("pip_", "https_proxy"))}
    env = {**registry, "RUNNER_TEMP": str(tmp_path), "GITHUB_ACTION_PATH": str(ROOT)}
    done = repository.run(ROOT / ".github/install.sh", env=env)
    assert done.code == 0, done.text
    version = repository.run(tmp_path / "sipsync/bin/sipsync", "--version")
    assert version.code == 0, version.text
    assert repository.run(ROOT / ".github/install.sh", env={**env, "GITHUB_ACTION_PATH": "/nowhere"}).code == 0
