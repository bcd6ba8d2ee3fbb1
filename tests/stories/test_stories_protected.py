"""What the target branch protects stays protected in a pull request, whatever the pull request does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

import sipsync
from sipsync.model.policy import OperatorPolicy
from sipsync.model.problems import Code, Exit, UsageError
from support.box import Box
from support.branch import AFTER, BEFORE, PROTECTED, codes, commit, git


def renamed_file(box: Box) -> None:
    (box.folder / "acme.yaml").unlink()
    box.write(AFTER, "other.yaml")


def renamed_portal(box: Box) -> None:
    text = box.write(AFTER).read_text(encoding="utf-8")
    (box.folder / "acme.yaml").write_text(text.replace("name: acme", "name: other"), encoding="utf-8")


def renamed_key(box: Box) -> None:
    box.write(AFTER.replace("reception:", "front-desk:"))


def renamed_key_without_its_id(box: Box) -> None:
    box.write("lines:\n  front-desk: {title: Reception, server: new.example}\n")


def renamed_key_without_its_title(box: Box) -> None:
    box.write("lines:\n  front-desk: {config_id: 101, title: Desk, server: new.example}\n")


def renamed_all_at_once(box: Box) -> None:
    (box.folder / "acme.yaml").unlink()
    box.write("lines:\n  front-desk: {config_id: 101, title: Desk, server: new.example}\n", "sipsync.yaml")


def deleted_under_another_key(box: Box) -> None:
    box.write("policy: {delete: true}\nlines: {}\nremoved:\n  gone: {config_id: 101, title: Reception}\n")


def reached_by_another_reference(box: Box) -> None:
    box.environ["HOOK2"] = box.environ["HOOK"]
    (box.folder / "acme.yaml").unlink()
    text = box.write(AFTER.replace("reception:", "front-desk:"), "other.yaml").read_text(encoding="utf-8")
    (box.folder / "other.yaml").write_text(text.replace("env:HOOK", "env:HOOK2"), encoding="utf-8")


@pytest.mark.parametrize(
    "attack",
    [
        renamed_file,
        renamed_portal,
        renamed_key,
        renamed_key_without_its_id,
        renamed_key_without_its_title,
        renamed_all_at_once,
        deleted_under_another_key,
        reached_by_another_reference,
    ],
)
async def test_a_pull_request_can_not_unprotect_a_line(branch: Box, attack: Callable[[Box], None]) -> None:
    attack(branch)
    commit(branch)
    plan = await branch.plan()
    assert plan.exit is Exit.GUARD
    assert codes(plan) == [Code.PROTECTED]
    assert "on origin/main" in plan.diagnostics[0].summary


async def test_other_lines_of_the_portal_are_changed(branch: Box) -> None:
    branch.write(BEFORE.replace("102}", "102, server: new.example}"))
    plan = await branch.plan()
    assert (plan.exit, plan.summary.change) == (Exit.OK, 1)


async def test_a_protected_title_is_the_line_s_whatever_the_database_takes_for_equal(branch: Box) -> None:
    branch.seed({"config_id": 101, "title": "RECEPTION"})
    shared = "password: env:HOOK"  # of which the branch is warned
    branch.write(f"{PROTECTED}lines:\n  reception: {{title: Reception, {shared}}}\n  b: {{title: B, {shared}}}\n")
    commit(branch, "refs/remotes/origin/main")
    branch.write("lines:\n  front-desk: {config_id: 101, server: new.example}\n")
    assert codes(await branch.plan()) == [Code.PROTECTED]


async def test_what_is_protected_on_one_portal_is_not_on_another(branch: Box) -> None:
    other = replace(branch, name=f"{branch.name}b", environ={})
    branch.environ["OTHER"] = other.webhook
    other.seed({"config_id": 101, "title": "Reception"})
    text = other.write(BEFORE, "other.yaml").read_text(encoding="utf-8").replace("env:HOOK", "env:OTHER")
    (branch.folder / "other.yaml").write_text(text.replace("  sales: {config_id: 102}\n", ""), encoding="utf-8")
    commit(branch, "refs/remotes/origin/main")
    (branch.folder / "other.yaml").write_text(
        text.replace(BEFORE, "lines:\n  reception: {config_id: 101, server: new.example}\n"), encoding="utf-8"
    )
    plan = await branch.plan()
    assert (plan.exit, plan.summary.change) == (Exit.OK, 1)


async def test_a_renamed_key_does_not_get_around_the_operator_s_policy(branch: Box) -> None:
    branch.write(BEFORE)
    commit(branch, "refs/remotes/origin/main")
    renamed_key(branch)
    operator = replace(branch.operator, policy=OperatorPolicy(protected=("recept*",)))
    fleet = sipsync.load([branch.folder / "acme.yaml"], operator)
    assert codes(await sipsync.aplan(fleet)) == [Code.PROTECTED]


@pytest.mark.parametrize("glob", ["'101'", "'10?'", "Recep*", "reception"])
async def test_a_line_is_protected_by_its_id_its_title_or_its_key(branch: Box, glob: str) -> None:
    git(branch, "update-ref", "-d", "refs/remotes/origin/main")
    del branch.environ["GITHUB_BASE_REF"]
    branch.write(f"policy: {{protected: [{glob}]}}\n{AFTER}")
    assert codes(await branch.plan()) == [Code.PROTECTED]


@pytest.mark.parametrize("ref", ["refs/tags/origin/main", "refs/heads/origin/main", "refs/origin/main"])
async def test_nothing_else_that_is_called_origin_main_is_the_target(branch: Box, ref: str) -> None:
    branch.write(AFTER)
    commit(branch, ref)
    assert codes(await branch.plan()) == [Code.PROTECTED]


async def test_the_operator_names_the_branch_before_the_forge(branch: Box) -> None:
    branch.write(AFTER)
    branch.environ["GITHUB_BASE_REF"] = "nowhere"
    for name in ("main", "origin/main"):
        branch.environ["SIPSYNC_TARGET_BRANCH"] = name
        assert codes(await branch.plan()) == [Code.PROTECTED]
    del branch.environ["SIPSYNC_TARGET_BRANCH"]
    del branch.environ["GITHUB_BASE_REF"]
    assert (await branch.plan()).exit is Exit.OK
    branch.environ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = "main"
    assert codes(await branch.plan()) == [Code.PROTECTED]


async def test_files_that_git_would_not_export_count(branch: Box) -> None:
    (branch.folder / ".gitattributes").write_text("*.yaml export-ignore\n", encoding="utf-8")
    commit(branch, "refs/remotes/origin/main")
    branch.write(AFTER)
    assert codes(await branch.plan()) == [Code.PROTECTED]


@pytest.mark.parametrize("name", ["policy.inc", "shared/policy", "link.yaml"])
async def test_an_include_of_another_ending_counts(branch: Box, name: str) -> None:
    (branch.folder / "shared").mkdir()
    (branch.folder / "shared/policy").write_text(PROTECTED, encoding="utf-8")
    (branch.folder / "policy.inc").write_text(PROTECTED, encoding="utf-8")
    (branch.folder / "link.yaml").symlink_to("shared/../shared/policy")
    branch.write(f"include: [{name}]\n{BEFORE}")
    commit(branch, "refs/remotes/origin/main")
    shutil.rmtree(branch.folder / "shared")
    (branch.folder / "link.yaml").unlink()
    renamed_key(branch)
    assert codes(await branch.plan()) == [Code.PROTECTED]


async def test_a_file_of_another_ending_counts(branch: Box) -> None:
    (branch.folder / "acme.yaml").rename(branch.folder / "acme.conf")
    commit(branch, "refs/remotes/origin/main")
    text = (branch.folder / "acme.conf").read_text(encoding="utf-8").replace(PROTECTED + BEFORE, AFTER)
    (branch.folder / "elsewhere").write_text(text, encoding="utf-8")
    (branch.folder / "acme.conf").unlink()
    (branch.folder / "acme.conf").symlink_to("elsewhere")
    plan = await sipsync.aplan(sipsync.load([branch.folder / "acme.conf"], branch.operator))
    assert codes(plan) == [Code.PROTECTED]


async def test_a_plan_is_the_same_with_and_without_a_target_branch(branch: Box) -> None:
    branch.write(BEFORE.replace("102}", "102, server: new.example}"))
    reviewed = await branch.plan()
    del branch.environ["GITHUB_BASE_REF"]
    assert (await branch.plan()).plan_id == reviewed.plan_id
    assert (await branch.apply(reviewed)).exit is Exit.OK


# --- a plan that was made without the protection ---


async def test_a_plan_made_without_the_protection_is_stopped_when_it_is_applied(branch: Box) -> None:
    branch.write(AFTER)
    del branch.environ["GITHUB_BASE_REF"]
    plan = await branch.plan()
    branch.environ["GITHUB_BASE_REF"] = "main"
    for options in ({}, {"dry_run": True}, {"strict": True}):
        outcome = await branch.apply(plan, **options)
        assert (outcome.exit, codes(outcome)) == (Exit.GUARD, [Code.PROTECTED])
        assert branch.lines[101]["server"] == "old.example"
    with pytest.raises(UsageError):
        await branch.apply(plan, allow=("protected:acme.nobody",))
    outcome = await branch.apply(plan, allow=("protected:acme.reception",))
    assert (outcome.exit, codes(outcome)) == (Exit.OK, [])
    assert [found.code for found in outcome.diagnostics] == [Code.PROTECTED]
    assert branch.lines[101]["server"] == "new.example"
    assert (await branch.apply(plan)).exit is Exit.OK  # nothing is left to do


async def test_a_target_that_can_not_be_told_stops_a_saved_plan_as_well(branch: Box) -> None:
    branch.write(AFTER)
    del branch.environ["GITHUB_BASE_REF"]
    plan = await branch.plan()
    branch.environ["GITHUB_BASE_REF"] = "gone"
    outcome = await branch.apply(plan)
    assert (outcome.exit, codes(outcome)) == (Exit.GUARD, [Code.TARGET_UNKNOWN])
    assert (await branch.apply(plan, allow=("target-unknown:acme",))).exit is Exit.OK


@pytest.mark.parametrize(
    ("policy", "code", "allow"),
    [
        (OperatorPolicy(delete=True, protected=("Sal*",)), Code.PROTECTED, "protected:acme.gone"),
        (OperatorPolicy(delete=True, max_changes="1"), Code.MAX_CHANGES, "max-changes:acme"),
        (OperatorPolicy(delete=True, unmanaged="error"), Code.UNMANAGED, "unmanaged:acme"),
        (OperatorPolicy(), Code.DELETE_OFF, ""),
    ],
)
async def test_a_stricter_policy_of_the_operator_counts_when_a_plan_is_applied(
    box: Box, policy: OperatorPolicy, code: Code, allow: str
) -> None:
    box.seed(
        {"config_id": 101, "title": "Reception"},
        {"config_id": 102, "title": "Sales"},
        {"config_id": 103, "title": "Not in the file"},
    )
    file = box.write(f"policy: {{delete: true}}\n{AFTER}removed:\n  gone: {{config_id: 102, title: Sales}}\n")
    file.write_text(file.read_text(encoding="utf-8").replace("  sales: {config_id: 102}\n", ""), encoding="utf-8")
    plan = await box.plan()
    strict = sipsync.load([file], replace(box.operator, policy=policy))
    outcome = await sipsync.aapply(plan, strict)
    assert (outcome.exit, codes(outcome)) == (Exit.GUARD, [code])
    assert box.lines[101]["server"] == "old.example"
    if allow:
        options = sipsync.ApplyOptions(allow=(allow,))
        assert (await sipsync.aapply(plan, strict, options)).exit is Exit.OK
