"""What was approved in a pull request is what is applied after the merge: one digest of the changes, under any key."""

from __future__ import annotations

from pathlib import Path

import pytest

import sipsync
from sipsync import api
from sipsync.model.plan import Plan
from sipsync.model.problems import Exit, StalePlan
from sipsync.report import render
from support.box import KEY, Box

FILE = """policy: {create: true, delete: true}
lines:
  a: {config_id: 101, title: Reception, login: boss, password: env:PASSWORD}
  new: {title: New, server: new.example, login: user, password: env:PASSWORD}
removed:
  old: {config_id: 102, title: Old}
"""


def prepared(box: Box, text: str = FILE) -> None:
    box.seed(
        {"config_id": 101, "title": "Sales", "password": "same"}, {"config_id": 102, "title": "Old", "password": "gone"}
    )
    box.environ["PASSWORD"] = "same"
    box.write(text)


async def reviewed(box: Box, before: str = FILE, after: str = FILE) -> Plan:
    """The plan of a pull request: against a snapshot, without credentials."""
    box.write(before)
    state = await api.asnapshot(box.fleet())
    box.write(after)
    return await box.plan(against=state)


async def test_the_plan_of_a_pull_request_and_the_one_after_the_merge_have_one_digest(box: Box) -> None:
    prepared(box)
    review = await reviewed(box)
    live = await box.plan()
    box.environ["SIPSYNC_PLAN_KEY"] = KEY
    under_another_key = await box.plan()
    assert review.changes_digest == live.changes_digest == under_another_key.changes_digest
    assert live.plan_id != under_another_key.plan_id
    assert live.to_dict()["changes_digest"] == live.changes_digest
    outcome = await box.apply(under_another_key, expect_changes=review.changes_digest)
    assert outcome.exit is Exit.OK


@pytest.mark.parametrize(
    "other",
    [
        FILE.replace("login: boss", "login: chief"),
        FILE.replace("title: New,", "title: Newer,"),
        FILE.replace("  new: {", "  newer: {"),
        FILE.replace("  new: {", "  new: {type: office, "),
        FILE.replace("user, password: env:PASSWORD", "user, password: env:OTHER"),
        FILE.replace("removed:\n  old: {config_id: 102, title: Old}\n", ""),
    ],
)
async def test_another_change_has_another_digest(box: Box, other: str) -> None:
    prepared(box)
    box.environ["OTHER"] = "same"
    review = await reviewed(box)
    box.write(other)
    with pytest.raises(StalePlan):
        await box.apply(expect_changes=review.changes_digest)
    assert box.titles == {101: "Sales", 102: "Old"}


async def test_what_no_reviewer_sees_is_not_in_the_digest(box: Box) -> None:
    prepared(box)
    one = await box.plan()
    box.write("# moved\n" + FILE.replace("policy: {create", "policy: {max_changes: 9, create"))
    assert (await box.plan(no_ops=True)).changes_digest == one.changes_digest


async def test_a_password_that_was_compared_in_two_ways_is_named(box: Box) -> None:
    prepared(box)
    review = await reviewed(box)
    box.environ["PASSWORD"] = "rotated"
    with pytest.raises(StalePlan) as refused:
        await box.apply(expect_changes=review.changes_digest)
    (found,) = refused.value.diagnostics
    assert "by value: they differ on acme.a, and are equal on no line" in found.hint
    assert "rotated" not in f"{found}{found.hint}"


async def test_a_reference_that_changed_and_stands_for_the_same_password_is_named(box: Box) -> None:
    moved = FILE.replace("boss, password: env:PASSWORD", "boss, password: env:OTHER")
    prepared(box)
    box.environ["OTHER"] = "same"
    review = await reviewed(box, after=moved)
    with pytest.raises(StalePlan) as refused:
        await box.apply(expect_changes=review.changes_digest)
    assert "acme.a" in refused.value.diagnostics[0].hint


async def test_where_no_password_was_compared_none_is_blamed(box: Box) -> None:
    prepared(box, "lines:\n  a: {config_id: 101, title: Reception}\n")
    with pytest.raises(StalePlan) as refused:
        await box.apply(expect_changes="0" * 64)
    assert "password" not in refused.value.diagnostics[0].hint


async def test_a_digest_given_to_the_wrong_option_is_told_the_right_one(box: Box) -> None:
    prepared(box)
    plan = await box.plan()
    with pytest.raises(StalePlan) as refused:
        await box.apply(plan, expect=plan.changes_digest)
    assert "--expect-changes" in refused.value.diagnostics[0].hint
    with pytest.raises(StalePlan) as refused:
        await box.apply(plan, expect_changes=plan.plan_id)
    assert "--expect-plan" in refused.value.diagnostics[0].hint
    await box.apply(plan)
    with pytest.raises(StalePlan) as refused:
        await box.apply(expect_changes=plan.changes_digest)
    assert "nothing to change" in refused.value.diagnostics[0].hint


async def test_a_plan_for_review_is_never_said_to_be_applicable(box: Box, tmp_path: Path) -> None:
    prepared(box)
    review = await reviewed(box)
    assert review.has_changes
    assert not review.applyable
    assert (await box.plan()).applyable
    for format_ in ("text", "markdown", "html"):
        shown = render(review, format_)
        assert review.changes_digest in shown
        assert review.digest not in shown
    outcome = await sipsync.aapply(review, box.fleet(), sipsync.ApplyOptions())
    assert (outcome.exit, box.titles) == (Exit.STALE, {101: "Sales", 102: "Old"})


@pytest.mark.parametrize("given", ["", "95dcd79d", "0" * 63])
async def test_half_a_digest_is_told_as_that(given: str, box: Box) -> None:
    prepared(box)
    plan = await box.plan()
    for option in ({"expect": given}, {"expect_changes": given}):
        with pytest.raises(StalePlan) as refused:
            await box.apply(plan, **option)
        assert "64 hexadecimal digits" in refused.value.diagnostics[0].hint
    for option in ({"expect": "0" * 16}, {"expect": "0" * 64}, {"expect_changes": "0" * 64}):
        with pytest.raises(StalePlan) as refused:
            await box.apply(plan, **option)
        assert "`sipsync plan --out FILE`" in refused.value.diagnostics[0].hint
