"""A plan against the portal as it is now: the four states, retried plans, titles through adds and deletes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from sipsync.applying.check import check_plan
from sipsync.model.lines import DesiredLine, DesiredPortal, SandboxAccess, Snapshot
from sipsync.model.policy import IgnoredField, Limits, Policy
from sipsync.model.problems import Code, Exit
from sipsync.model.secret import SecretRef
from sipsync.planning.evidence import desired_digest
from sipsync.rules.state import Effect, PortalState
from support.clock import NOW
from support.lines import codes, desired, file, seal
from support.rulebook import altered, row
from support.stage import Stage, results, stage

NEW = {"server": "add.example", "login": "add"}


def change(one: Stage, config_id: int, **values: Any) -> None:
    """Somebody else changes a line."""
    one.state.commit(Effect(None, rows=(altered(one.state.rows[config_id], **values),)))


async def test_a_new_line_takes_the_title_that_a_rename_of_the_same_plan_gives_up() -> None:
    one = stage([row(1, "Sales")], desired("old", 1, title="Old sales"), desired("new", title="Sales", **NEW))
    plan = one.plan()
    outcome = await one.apply(plan)
    assert results(outcome) == {"old": "applied", "new": "applied"}
    again = await one.apply(plan)
    assert results(again) == {"old": "done", "new": "done"}
    assert again.lines[1].config_id == 2


async def test_a_new_line_takes_the_title_and_the_place_of_a_deleted_one() -> None:
    full = [row(i, f"T{i}") for i in range(1, 11)]
    one = stage(full, desired("new", title="T3", **NEW), removed={"gone": (3, "T3")})
    assert (await one.apply()).exit is Exit.OK


async def test_more_lines_than_the_limit_are_deleted_until_there_is_room_for_the_new_one() -> None:
    full = [row(i, f"T{i}") for i in range(1, 6)]
    one = stage(
        full,
        desired("new", title="New", **NEW),
        cloud_limit=3,
        removed={f"gone{i}": (i, f"T{i}") for i in (1, 2, 3, 4)},
        limits=Limits(cloud_lines=3),
    )
    plan = one.plan()
    assert [call.method.rpartition(".")[2] for call in plan.calls] == ["delete"] * 3 + ["add", "delete"]
    assert plan.calls[3].depends_on == ("acme:1", "acme:2", "acme:3")
    assert (await one.apply(plan)).exit is Exit.OK


async def test_a_chain_behind_a_title_that_is_left_to_the_server_is_planned_and_falls_with_it() -> None:
    there = [row(1, "A"), row(2, "B"), row(9, "Taken", app="app:x")]
    one = stage(there, desired("a", 1, title="Taken"), desired("b", 2, title="A"))
    assert codes(one.plan(), "error") == ["title-held"]
    plan = one.plan(allow=("title-held:acme.a",))
    assert codes(plan, "error") == []
    outcome = await one.apply(plan)
    assert results(outcome) == {"a": "failed", "b": "skipped"}
    assert outcome.lines[0].error == "TITLE_EXISTS"


async def test_of_two_lines_whose_common_title_is_left_to_the_server_the_first_gets_it_in_the_order_of_the_plan() -> (
    None
):
    lines = desired("waits", 1, title="C"), desired("first", 2, title="D"), desired("second", 3, title="D")
    one = stage([row(1, "A"), row(2, "B"), row(3, "C")], *lines)
    assert codes(one.plan(), "error") == ["title-held"]
    plan = one.plan(allow=("title-held:acme.second",))
    assert codes(plan, "error") == []
    for _ in range(2):  # the plan can be tried again: the server has the last word on what is left
        outcome = await one.apply(plan)
        assert outcome.lines[1].error == "TITLE_EXISTS"
    assert results(outcome) == {"waits": "done", "first": "failed", "second": "done"}


@pytest.mark.parametrize("b", [desired("b", 2, title="A"), desired("b", 2, server="new.example")])
def test_half_a_swap_can_not_be_allowed(b: object) -> None:
    one = stage([row(1, "A"), row(2, "B")], desired("a", 1, title="B"), b)  # type: ignore[arg-type]
    plan = one.plan(lines=("acme.a", "acme.b")[: 1 if "title" in b.values else 2], allow=("title-held:acme.a",))  # type: ignore[attr-defined]
    assert codes(plan, "error") == ["half-swap"]


def test_a_credential_that_sees_none_of_the_lines_is_stopped_by_a_guard_and_nothing_else() -> None:
    one = stage([row(1, "A")], desired("a", 5), desired("b", 7))
    plan = one.plan()
    assert codes(plan, "error") == ["vanished-lines"]
    assert plan.exit is Exit.GUARD
    assert codes(one.plan(allow=("vanished-lines:acme",)), "error") == ["line-not-found"] * 2


@pytest.mark.parametrize(("limit", "stopped"), [("0%", True), ("1%", False), ("0", True), ("1", False)])
def test_a_limit_of_nothing_lets_nothing_change(limit: str, stopped: bool) -> None:
    one = stage([row(1, "A")], desired("a", 1, title="B"), policy=Policy(max_changes=limit))
    assert (one.plan().exit is Exit.GUARD) is stopped


# --- retried plans ---


@pytest.mark.parametrize("passwords", [True, False])
async def test_a_line_registered_again_on_request_is_registered_once_however_often_the_plan_is_retried(
    passwords: bool,
) -> None:
    one = stage([row(1, "A")], desired("a", 1, password="PW"), secrets={"PW": "pw"})
    one.portal.passwords = passwords
    plan = one.plan(reregister=("acme.a",))
    assert [call.params.keys() for call in plan.calls] == [{"CONFIG_ID", "TYPE", "SERVER", "LOGIN", "PASSWORD"}]
    assert results(await one.apply(plan)) == {"a": "applied"}
    assert results(await one.apply(plan)) == {"a": "done"}
    assert one.portal.registrations == 1


def test_a_line_whose_registration_was_confirmed_meanwhile_need_not_be_registered_again() -> None:
    one = stage([row(1, "A", status_code=0)], desired("a", 1, server="old.example"))
    plan = one.plan(reregister=("acme.a",))
    assert [line.state for line in one.bound(plan).lines.values()] == ["before"]
    change(one, 1, status_code=403)
    assert [line.state for line in one.bound(plan).lines.values()] == ["before"]
    change(one, 1, status_code=200)
    assert [line.state for line in one.bound(plan).lines.values()] == ["after"]


@pytest.mark.parametrize("glob", ["acme.a", "acme.*", "a"])
def test_lines_to_register_again_are_named_as_they_are_selected(glob: str) -> None:
    one = stage([row(1, "A")], desired("a", 1, title="A"))
    assert one.plan(reregister=(glob,)).summary.reregistrations == 1


async def test_a_line_registered_again_keeps_a_password_that_is_not_managed_or_left_alone() -> None:
    policy = Policy(ignore_fields=(IgnoredField("a", "password", "rotated elsewhere"),))
    one = stage([row(1, "A")], desired("a", 1, password="PW"), secrets={"PW": "other"}, policy=policy)
    outcome = await one.apply(one.plan(reregister=("acme.a",)))
    assert outcome.exit is Exit.OK, outcome.diagnostics
    assert one.state.rows[1].values["password"] == "pw"


def test_a_secret_that_changed_after_a_line_was_planned_to_register_again_makes_it_stale() -> None:
    one = stage([row(1, "A")], desired("a", 1, password="PW"), secrets={"PW": "pw"})
    plan = one.plan(reregister=("acme.a",))
    one.secrets["PW"] = "changed"
    assert [found.code for found in one.bound(plan).diagnostics][:1] == [Code.STALE_SECRET]


def test_a_new_line_planned_without_its_secret_shows_it_and_is_never_made_without() -> None:
    one = stage([], desired("new", title="New", password="PW", **NEW))
    plan = one.plan(secrets=False)
    assert plan.calls[0].sensitive == ("PASSWORD",)
    bound = one.bound(plan)
    assert not bound.calls
    assert bound.diagnostics[0].code is Code.STALE_SECRET


async def test_a_finished_add_is_done_where_the_portal_returns_no_passwords() -> None:
    one = stage([], desired("new", title="New", password="PW", **NEW), secrets={"PW": "x"})
    one.portal.passwords = False
    plan = one.plan()
    await one.apply(plan)
    assert results(await one.apply(plan)) == {"new": "done"}


def test_a_line_of_another_kind_with_the_title_of_a_planned_one_is_not_the_planned_one() -> None:
    one = stage([], desired("new", title="New", type="office", **NEW))
    plan = one.plan()
    one.state.commit(Effect(None, rows=(row(5, "New", password=None, **NEW),)))
    assert [line.state for line in one.bound(plan).lines.values()] == ["stale"]


async def test_what_is_not_sent_because_the_plan_no_longer_holds_is_not_called_planned() -> None:
    one = stage([row(1, "A"), row(2, "B")], desired("a", 1, server="new.example"), desired("b", 2, login="x"))
    plan = one.plan()
    change(one, 1, login="moved")
    outcome = await one.apply(plan, strict=True)
    assert results(outcome) == {"a": "stale", "b": "skipped"}
    assert outcome.exit is Exit.STALE
    assert one.portal.writes == 0


@pytest.mark.parametrize("moved", [1, 2])
async def test_half_a_swap_that_moved_stops_the_other_half(moved: int) -> None:
    one = stage([row(1, "A"), row(2, "B"), row(3, "C")], desired("a", 1, title="B"), desired("b", 2, title="A"))
    plan = one.plan()
    change(one, moved, login="moved")
    outcome = await one.apply(plan)
    assert set(results(outcome).values()) == {"stale", "skipped"}
    assert one.titles == {1: "A", 2: "B", 3: "C"}


# --- what a plan is bound to ---


def refused(one: Stage, **edited: object) -> Code | None:
    """Why the plan, edited like this, is refused."""
    plan = one.plan().model_copy(update=edited)
    found = check_plan(plan, one.view(), NOW, timedelta(days=7))
    return found.code if found else None


def test_a_plan_that_was_not_edited_is_taken() -> None:
    assert refused(stage([row(1, "A")], desired("a", 1, title="B"))) is None


def test_a_safety_limit_can_not_be_edited_out_of_a_plan() -> None:
    one = stage([row(1, "A")], desired("a", 1, title="B"), policy=Policy(max_changes="0"))
    assert one.plan().exit is Exit.GUARD
    assert refused(one, exit=Exit.OK) is Code.PLAN_SEAL


@pytest.mark.parametrize("edited", [{"seal": "é"}, {"seal": ""}, {"created": "2030-01-01T00:00:00+00:00"}])
def test_an_edited_seal_or_time_is_refused(edited: dict[str, object]) -> None:
    assert refused(stage([row(1, "A")], desired("a", 1, title="B")), **edited) is Code.PLAN_SEAL


def test_a_plan_can_not_be_moved_to_another_host() -> None:
    one = stage([row(1, "A")], desired("a", 1, title="B"))
    plan = one.plan().model_copy(update={"host": "other.example"})
    found = check_plan(plan, replace(one.view(), host="other.example"), NOW, timedelta(days=7))
    assert found is not None
    assert found.code is Code.PLAN_SEAL


def test_equal_passwords_of_two_portals_look_different_in_their_evidence() -> None:
    def prints(name: str) -> set[str]:
        there = file(desired("a", 1, portal=name, password="PW"), name=name)
        plan = Stage(PortalState.of([row(1, "A")]), there, {"PW": "new"}).plan()
        return {mark for one in plan.evidence.values() for mark in (*one.before.values(), *one.after.values())}

    assert not prints("acme") & prints("globex")


def test_the_digest_of_the_desired_state_does_not_know_where_files_are() -> None:
    one = file(desired("a", 1, title="B"))
    moved = replace(one, at=replace(one.at, file="elsewhere.yaml", line=7))
    assert desired_digest(moved) == desired_digest(one)
    here, there = (replace(one, access=SandboxAccess(f"/{where}/portal.sqlite")) for where in ("home", "ci"))
    assert desired_digest(here) == desired_digest(there)
    assert desired_digest(replace(one, limits=Limits(rate=5.0))) == desired_digest(one)
    limited = Policy(create=True, delete=False, protected=("a",), max_changes="1", unmanaged="error")
    assert desired_digest(replace(one, policy=limited)) == desired_digest(one)


@pytest.mark.parametrize(
    "other",
    [
        file(desired("a", 1, title="C")),
        file(desired("b", 1, title="B")),
        file(desired("a", 2, title="B")),
        file(desired("a", 1, title="B", type="cloud")),
        file(desired("a", 1, title="B", password="PW")),
        file(desired("a", 1, title="B"), removed={"x": (2, "X")}),
        file(desired("a", 1, title="B"), policy=Policy(delete=True)),
        file(desired("a", 1, title="B"), limits=Limits(cloud_lines=11)),
        replace(file(desired("a", 1, title="B")), access=SandboxAccess("/x")),
    ],
)
def test_the_digest_of_the_desired_state_knows_all_that_matters(other: object) -> None:
    assert desired_digest(other) != desired_digest(file(desired("a", 1, title="B")))  # type: ignore[arg-type]


def test_no_value_of_a_secret_is_in_a_plan() -> None:
    one = stage([row(1, "A")], desired("a", 1, password="PW"), secrets={"PW": "hunter2-hunter2"})
    text = one.plan().model_dump_json()
    assert "hunter2" not in text
    assert '"pw"' not in text
    assert SecretRef("env", "PW") not in one.plan().model_dump().values()
    assert Snapshot((), {}).lines == ()
    assert seal(b"x") != seal(b"y")


@dataclass(frozen=True)
class NewerPolicy(Policy):
    """The policy with one more key."""

    quorum: int = 2


@dataclass(frozen=True)
class NewerLimits(Limits):
    """The limits with one more key."""

    depth: int = 2


@dataclass(frozen=True)
class NewerLine(DesiredLine):
    """A line with one more key."""

    region: str | None = None


def as_newer(line: DesiredLine, region: str | None) -> DesiredLine:
    return NewerLine(line.address, line.at, line.values, line.config_id, line.type, line.places, region)


def test_a_key_that_a_file_does_not_give_is_no_part_of_what_was_planned() -> None:
    before = file(desired("a", 1, title="B"), policy=Policy(create=True))

    def after(quorum: int, region: str | None) -> DesiredPortal:
        lines = tuple(as_newer(line, region) for line in before.lines)
        return replace(before, policy=NewerPolicy(create=True, quorum=quorum), limits=NewerLimits(), lines=lines)

    digests = {desired_digest(after(*given)) for given in ((3, None), (2, "north"))}
    assert desired_digest(after(2, None)) == desired_digest(before)
    assert len(digests - {desired_digest(before)}) == 2


def test_the_order_of_lines_and_their_keys_is_no_part_of_what_was_planned() -> None:
    one, two = desired("a", 1, title="B", server="s.example"), desired("b", 2, title="C")
    turned = replace(one, values=dict(reversed(list(one.values.items()))))
    assert desired_digest(file(two, turned)) == desired_digest(file(one, two))
