"""How a target branch is read: what can't be told stops the plan, and nothing that a repository holds is run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import sipsync
from sipsync import api
from sipsync.model.problems import Code, ConfigError, Exit
from support.box import Box
from support.branch import AFTER, codes, commit, git


async def unknown(box: Box, *words: str) -> str:
    """The hint of a plan that is stopped as the target can't be told, and passes where the operator allows that."""
    plan = await box.plan()
    assert plan.exit is Exit.GUARD
    assert codes(plan) == [Code.TARGET_UNKNOWN]
    assert [word for word in words if word not in plan.diagnostics[0].summary] == []
    allowed = await box.plan(allow=(f"target-unknown:{plan.diagnostics[0].address}",))
    assert (allowed.exit, allowed.diagnostics[0].severity) == (Exit.OK, "warning")
    return plan.diagnostics[0].hint


async def test_a_branch_that_was_not_fetched_stops_the_plan_and_says_how_to_fetch_it(branch: Box) -> None:
    branch.write(AFTER)
    git(branch, "update-ref", "refs/heads/main", "refs/remotes/origin/main")
    git(branch, "update-ref", "-d", "refs/remotes/origin/main")
    git(branch, "remote", "add", "origin", str(branch.folder / ".git"))
    hint = await unknown(branch, "origin/main", "git does not have that branch here")
    assert "`git fetch origin +refs/heads/main:refs/remotes/origin/main`" in hint
    assert "--allow target-unknown:acme" in hint
    run_the_command(hint, branch.folder)
    assert codes(await branch.plan()) == [Code.PROTECTED]


async def test_a_shallow_checkout_stays_shallow(branch: Box, tmp_path_factory: pytest.TempPathFactory) -> None:
    git(branch, "branch", "main", "origin/main")
    commit(branch)
    shallow = tmp_path_factory.mktemp("shallow") / "checkout"
    git(branch, "clone", "--quiet", "--depth=1", f"file://{branch.folder}", str(shallow))
    inside = replace(branch, folder=shallow)
    inside.write(AFTER)
    hint = await unknown(inside)
    assert "git fetch --depth=1 origin" in hint
    run_the_command(hint, shallow)
    assert codes(await inside.plan()) == [Code.PROTECTED]
    assert git(inside, "rev-list", "--count", "origin/main") == "1"


async def test_a_checkout_without_the_branch_s_files_fetches_nothing_by_itself(
    branch: Box, tmp_path_factory: pytest.TempPathFactory
) -> None:
    git(branch, "branch", "main", "origin/main")
    branch.write(AFTER)
    commit(branch)
    git(branch, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path_factory.mktemp("partial") / "checkout"
    git(branch, "clone", "--quiet", "--filter=blob:none", f"file://{branch.folder}", str(partial))
    inside = replace(branch, folder=partial)
    hint = await unknown(inside, "git does not have all files of that branch here")
    run_the_command(hint, partial)
    assert codes(await inside.plan()) == [Code.PROTECTED]


def run_the_command(hint: str, folder: Path) -> None:
    """Run what stands in the hint between back quotes, as somebody who copies it."""
    (command,) = re.findall("`([^`]*)`", hint)
    subprocess.run(shlex.split(command), cwd=folder, check=True, capture_output=True)


async def test_without_git_the_plan_is_stopped(branch: Box, tmp_path: Path) -> None:
    branch.environ["PATH"] = str(tmp_path)
    assert "Install git" in await unknown(branch, "git is not installed here")


async def test_a_git_among_the_files_is_not_run(branch: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = branch.folder / "git"
    fake.write_text("#!/bin/sh\ntouch pwned\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.chdir(branch.folder)
    branch.environ["PATH"] = f".::{os.environ['PATH']}"
    branch.write(AFTER)
    assert codes(await branch.plan()) == [Code.PROTECTED]
    assert not (branch.folder / "pwned").exists()


async def test_outside_of_a_checkout_the_plan_is_stopped(branch: Box) -> None:
    shutil.rmtree(branch.folder / ".git")
    await unknown(branch, "is not in a checkout of a git repository")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sipsync: 1\nportal: {webhook: env:HOOK}\npolicy: {protectd: [reception]}\n", 'unknown key "protectd"'),
        ("sipsync: 1\nportal: [\n", "acme.yaml:3:1"),
        ("sipsync: 1\ninclude: [gone.txt]\nportal: {webhook: env:HOOK}\n", "the included file is not there"),
        ("sipsync: 1\n# \N{LATIN SMALL LETTER E WITH ACUTE}\n", "acme.yaml:2:3: the file is not UTF-8 text"),
    ],
)
async def test_an_error_in_the_branch_s_own_file_stops_the_plan(branch: Box, text: str, reason: str) -> None:
    (branch.folder / "acme.yaml").write_text(text, encoding="latin-1")
    commit(branch, "refs/remotes/origin/main")
    branch.write(AFTER)
    assert "Mend it on that branch" in await unknown(branch, reason)


@pytest.mark.parametrize("name", ["-main", "--output=x", "main~1", "main^{tree}", "a..b", "a b", "@{u}", "m:x", "/m"])
async def test_what_is_no_name_of_a_branch_never_reaches_git(branch: Box, name: str) -> None:
    branch.environ["SIPSYNC_TARGET_BRANCH"] = name
    await unknown(branch, f'"{name}" is no name of a branch')


async def test_a_broken_repository_stops_the_plan(branch: Box) -> None:
    (branch.folder / ".git/HEAD").unlink()
    await unknown(branch, "not a git repository")


async def test_a_portal_that_may_be_in_another_repository_stops_the_plan(branch: Box) -> None:
    git(branch, "update-index", "--add", "--cacheinfo", f"160000,{git(branch, 'rev-parse', 'HEAD')},portals")
    git(branch, "rm", "--cached", "--quiet", "acme.yaml")
    git(branch, "commit", "--quiet", "--message", "m")
    git(branch, "update-ref", "refs/remotes/origin/main", "HEAD")
    branch.write(AFTER)
    await unknown(branch, "portals")


async def test_a_link_to_another_checkout_does_not_bring_its_main_branch_along(
    branch: Box, tmp_path_factory: pytest.TempPathFactory
) -> None:
    theirs = replace(branch, folder=tmp_path_factory.mktemp("theirs"))
    git(theirs, "init", "--quiet")
    theirs.write(AFTER)
    commit(theirs, "refs/remotes/origin/main")
    (branch.folder / "portals").symlink_to(theirs.folder)
    root = str(api.find_root([branch.folder / "portals"]))
    with pytest.raises(ConfigError, match="a link that leads outside"):
        sipsync.load([branch.folder / "portals"], replace(branch.operator, root=root))


async def test_a_submodule_s_own_main_branch_is_not_the_target(branch: Box) -> None:
    inner = branch.folder / "portals"
    git(branch, "submodule", "--quiet", "add", str(branch.folder / ".git"), "portals")
    git(branch, "-C", "portals", "update-ref", "refs/remotes/origin/main", "HEAD")
    inside = replace(branch, folder=inner)
    inside.write(AFTER)
    await unknown(inside, "is a submodule")


# --- hostile repositories, and what is none ---


async def test_a_bare_repository_among_the_files_is_not_taken_for_one(branch: Box, tmp_path: Path) -> None:
    bare = branch.folder / "sip"
    hostile = tmp_path / "hostile"
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", hostile], check=True)
    inside = replace(branch, folder=hostile)
    inside.write(AFTER)
    (hostile / ".gitattributes").write_text("* filter=x\n", encoding="utf-8")
    commit(inside, "refs/remotes/origin/main")
    (hostile / ".git").rename(bare)
    for name, value in {
        "core.bare": "false",
        "core.worktree": ".",
        "core.fsmonitor": f"touch {tmp_path}/monitor",
        "filter.x.smudge": f"touch {tmp_path}/smudge",
    }.items():
        subprocess.run(["git", "config", "--file", bare / "config", name, value], check=True)
    at_sip = replace(branch, folder=bare)
    at_sip.write(AFTER)
    assert codes(await at_sip.plan()) == [Code.PROTECTED]
    assert not {"monitor", "smudge"} & {path.name for path in tmp_path.iterdir()}


async def test_what_the_repository_is_configured_to_run_is_not_run(branch: Box, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("reference-transaction", "post-checkout", "post-index-change"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/hook\n", encoding="utf-8")
        (hooks / hook).chmod(0o755)
    (branch.folder / ".gitattributes").write_text("* filter=x diff=x\n", encoding="utf-8")
    commit(branch, "refs/remotes/origin/main")
    for name, value in {
        "core.hooksPath": str(hooks),
        "core.fsmonitor": f"touch {tmp_path}/monitor",
        "core.pager": f"touch {tmp_path}/pager",
        "filter.x.smudge": f"touch {tmp_path}/smudge",
        "diff.x.textconv": f"touch {tmp_path}/textconv",
    }.items():
        git(branch, "config", name, value)
    branch.write(AFTER)
    assert codes(await branch.plan()) == [Code.PROTECTED]
    assert not {"hook", "monitor", "pager", "smudge", "textconv"} & {path.name for path in tmp_path.iterdir()}


async def test_git_is_told_no_secret_and_needs_no_safe_directory(branch: Box, tmp_path: Path) -> None:
    real, folder = shutil.which("git"), tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(
        f'#!/bin/sh\nenv >>{tmp_path}/environ\nexport GIT_TEST_ASSUME_DIFFERENT_OWNER=1\nexec {real} "$@"\n',
        encoding="utf-8",
    )
    (folder / "git").chmod(0o755)
    branch.environ |= {"PATH": f"{folder}:{os.environ['PATH']}", "GIT_DIR": "/nowhere", "GITHUB_TOKEN": "canary-1"}
    branch.write(AFTER)
    assert codes(await branch.plan()) == [Code.PROTECTED]
    told = (tmp_path / "environ").read_text(encoding="utf-8")
    names = {line.partition("=")[0] for line in told.splitlines()}
    assert "canary" not in told
    assert branch.webhook not in told
    assert {name for name in names if not name.startswith("GIT_")} <= {"PATH", "PWD", "LC_ALL", "_", "SHLVL", "TMPDIR"}


async def test_replaced_objects_and_grafts_do_not_count(branch: Box) -> None:
    protecting = git(branch, "rev-parse", "HEAD:acme.yaml")
    branch.write(AFTER)
    commit(branch)
    git(branch, "replace", protecting, git(branch, "rev-parse", "HEAD:acme.yaml"))
    assert codes(await branch.plan()) == [Code.PROTECTED]


async def test_a_job_of_the_name_sipsync_is_no_portal(branch: Box) -> None:
    (branch.folder / "ci.yml").write_text("sipsync:plan:\n  script: [!reference [.x, script]]\n", encoding="utf-8")
    (branch.folder / "job.yml").write_text("sipsync:\n  script: [sipsync plan]\n", encoding="utf-8")
    (branch.folder / "large.yml").write_text("a: 1\n" * 1_000_000, encoding="utf-8")
    commit(branch, "refs/remotes/origin/main")
    branch.write(AFTER)
    assert codes(await branch.plan()) == [Code.PROTECTED]


async def test_a_linked_worktree_is_read_like_any_checkout(branch: Box, tmp_path: Path) -> None:
    git(branch, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    inside = replace(branch, folder=tmp_path / "linked")
    inside.write(AFTER)
    assert codes(await inside.plan()) == [Code.PROTECTED]


async def test_a_checkout_within_another_one_has_branches_of_its_own(
    branch: Box, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outer = tmp_path_factory.mktemp("outer")
    subprocess.run(["git", "init", "--quiet", outer], check=True)
    inside = replace(branch, folder=outer / "inner")
    git(branch, "clone", "--quiet", str(branch.folder), str(inside.folder))
    git(inside, "update-ref", "refs/remotes/origin/main", "HEAD")
    inside.write(AFTER)
    assert codes(await inside.plan()) == [Code.PROTECTED]
