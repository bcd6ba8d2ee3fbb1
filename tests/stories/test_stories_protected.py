"""What the target branch protects stays protected in a pull request."""

from __future__ import annotations

import subprocess

from sipsync.model.problems import Code, Exit
from support.box import Box

FILE = "lines:\n  a: {config_id: 101, server: new.example}\n"


def git(box: Box, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(box.folder), *arguments],
        check=True,
        capture_output=True,
    )


def repository(box: Box) -> None:
    """A main branch that protects a line, and a working tree that no longer does."""
    box.seed({"config_id": 101, "title": "A"})
    git(box, "init", "-q", "-b", "main")
    (box.folder / "_policy.yaml").write_text("policy: {protected: [a]}\n", encoding="utf-8")
    box.write(f"include: [_policy.yaml]\n{FILE}")
    git(box, "add", ".")
    git(box, "commit", "-qm", "Protect a")
    (box.folder / "_policy.yaml").unlink()
    box.write(FILE)


async def test_a_pull_request_can_not_unprotect_a_line(box: Box) -> None:
    repository(box)
    assert (await box.plan()).exit is Exit.OK
    box.environ["SIPSYNC_TARGET_BRANCH"] = "main"
    plan = await box.plan()
    assert plan.exit is Exit.GUARD
    assert [found.code for found in plan.diagnostics] == [Code.PROTECTED]


async def test_a_forge_tells_the_target_branch(box: Box) -> None:
    repository(box)
    git(box, "update-ref", "refs/remotes/origin/main", "main")
    box.environ["GITHUB_BASE_REF"] = "main"
    assert (await box.plan()).exit is Exit.GUARD


async def test_a_target_branch_that_git_does_not_have_is_a_warning(box: Box) -> None:
    repository(box)
    box.environ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = "nowhere"
    plan = await box.plan()
    assert plan.exit is Exit.OK
    assert [(found.code, found.severity) for found in plan.diagnostics] == [(Code.PROTECTED, "warning")]
