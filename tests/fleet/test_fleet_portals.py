"""Many portals: one portal's trouble beside others, plans and states that do not fit, owners that share a host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import sipsync
from sipsync import api
from sipsync.disk import planfile
from sipsync.fleet.host import HostJob
from sipsync.model.events import Event, LineDone, LineStarted, PortalDone, PortalStarted, Stopping
from sipsync.model.options import Selection
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Exit, SipsyncError, StalePlan, UsageError
from sipsync.report import render
from support.box import KEY, Box
from support.clock import Clock

LINES = "lines:\n  a: {config_id: 101, title: New}\n"


def seeded(box: Box, *more: dict[str, Any]) -> None:
    box.seed({"config_id": 101, "title": "A", "login": "a"}, *more)


def other(box: Box, text: str = LINES, name: str = "globex.yaml") -> Box:
    """Another portal, and its file in the same folder."""
    second = Box(box.url, box.folder)
    variable = f"HOOK_{second.name}".upper()
    box.environ[variable] = second.webhook
    (box.folder / name).write_text(f"sipsync: 1\nportal: {{webhook: 'env:{variable}'}}\n{text}", encoding="utf-8")
    seeded(second)
    return second


def merge(plans: list[Plan]) -> Plan:
    """Merging is concatenation."""
    return plans[0].model_copy(update={"parts": tuple(part for plan in plans for part in plan.parts)})


def errors(found: Any) -> list[Code]:
    return [one.code for one in found.diagnostics if one.severity == "error"]


# --- what is selected ---


@pytest.mark.parametrize(
    "options",
    [
        {"portals": ("nope",)},
        {"lines": ("acme.nope",)},
        {"exclude": ("nope",)},
        {"reregister": ("acme.nope",)},
        {"allow": ("title-held:acme.nope",)},
        {"allow": ("half-swap:acme.a",)},
        {"allow": ("title-held",)},
    ],
)
async def test_an_option_that_names_nothing_is_wrong_usage(box: Box, options: dict[str, Any]) -> None:
    seeded(box)
    box.write(LINES)
    with pytest.raises(UsageError) as caught:
        await box.plan(**options)
    assert caught.value.exit is Exit.USAGE


async def test_portals_without_a_selected_line_are_left_out(box: Box) -> None:
    seeded(box)
    box.write(LINES)
    other(box)
    assert [part.portal for part in (await box.plan(lines=("globex.*",))).parts] == ["globex"]
    assert [part.portal for part in (await box.plan(portals=("ac*",))).parts] == ["acme"]


# --- one portal beside others ---


async def test_a_secret_that_is_missing_stops_its_portal_only_and_is_told_once(box: Box) -> None:
    seeded(box)
    box.write("lines:\n  a: {config_id: 101, password: 'env:NONE'}\n  b: {title: B, password: 'env:NONE'}\n")
    other(box)
    plan = await box.plan()
    assert errors(plan) == [Code.SECRET_UNSET]
    assert [part.exit for part in plan.parts] == [Exit.ERROR, Exit.OK]
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.PARTIAL


async def test_a_portal_that_a_safety_limit_stops_is_told_and_the_others_are_applied(box: Box) -> None:
    seeded(box)
    box.write("policy: {max_changes: 0}\n" + LINES)
    second = other(box)
    outcome = await box.apply()
    assert outcome.exit is Exit.GUARD
    assert second.titles == {101: "New"}
    assert box.titles == {101: "A"}


async def test_a_portal_that_can_not_be_reached_any_more_fails_alone(box: Box) -> None:
    seeded(box)
    box.write(LINES)
    other(box)
    plan = await box.plan()
    box.faults({"match": {"method": "batch", "times": 99}, "do": {"error": "INVALID_CREDENTIALS"}})
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.PARTIAL
    assert errors(outcome) == [Code.CREDENTIAL]


async def test_a_portal_that_does_not_answer_lets_the_next_one_begin(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from sipsync.fleet import parallel

    monkeypatch.setattr(parallel, "PLACE_SECONDS", 0.01)
    for name in ("acme", "globex", "initech"):
        (box.folder / f"{name}.yaml").write_text(f"sipsync: 1\nportal: {{sandbox: {name}.db}}\n", encoding="utf-8")
    last, begun = asyncio.Event(), []

    async def work(job: HostJob) -> dict[str, int]:
        begun.append(job.portals[0].name)
        if len(begun) == 3:
            last.set()
        await last.wait()
        return {job.portals[0].name: len(begun)}

    fleet = sipsync.load([box.folder], box.operator)
    done, failed = await parallel.run_all(
        fleet.portals,
        box.operator,
        Selection(),
        work,
        Clock(),
        parallel=1,
        kind="read",
        on_event=lambda _event: None,
    )
    assert (done, failed) == (dict.fromkeys(begun, 3), {})


async def test_a_fault_of_ours_in_one_portal_does_not_cost_the_others(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sipsync.applying.bind import bind
    from sipsync.fleet import work

    seeded(box)
    box.write(LINES)
    second = other(box)
    plan = await box.plan()

    def broken(parts: Any, views: Any, **given: Any) -> Any:
        if parts[0].portal == "acme":
            raise ZeroDivisionError("secret text")
        return bind(parts, views, **given)

    monkeypatch.setattr(work, "bind", broken)
    outcome = await box.apply(plan)
    assert errors(outcome) == [Code.INTERNAL]
    assert "secret text" not in str(outcome.to_dict())
    assert second.titles == {101: "New"}


# --- plans that do not fit ---


async def test_a_plan_with_a_portal_that_the_files_do_not_have_is_stale(box: Box) -> None:
    seeded(box)
    box.write(LINES)
    other(box)
    plan = await box.plan()
    (box.folder / "globex.yaml").unlink()
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.STALE
    assert box.titles == {101: "New"}
    import asyncio

    assert errors(await asyncio.to_thread(api.verify, plan, box.fleet())) == [Code.STALE_FILE]


async def test_plans_are_merged_and_a_portal_that_is_in_there_twice_is_refused(box: Box) -> None:
    seeded(box)
    box.write(LINES)
    other(box)
    parts = [await box.plan(portals=(name,)) for name in ("acme", "globex")]
    assert merge(parts).plan_id == (await box.plan()).plan_id
    with pytest.raises(StalePlan):
        await box.apply(merge([*parts, parts[0]]))
    assert box.titles == {101: "A"}
    assert (await box.apply(merge(parts))).exit is Exit.OK


async def test_a_saved_plan_is_applied_as_it_was_planned_on_any_machine(box: Box, tmp_path: Path) -> None:
    seeded(box, {"config_id": 102, "title": "B", "login": "b"})
    box.write("lines:\n  a: {config_id: 101, title: X}\n  b: {config_id: 102, title: Y}\n")
    planfile.write(tmp_path / "plan.json", await box.plan(lines=("acme.a",)))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (box.folder / "acme.yaml").rename(moved / "acme.yaml")
    fleet = sipsync.load([moved], replace(box.operator, root=str(moved)))
    outcome = await sipsync.aapply(planfile.read(tmp_path / "plan.json"), fleet)
    assert outcome.exit is Exit.OK
    assert box.titles == {101: "X", 102: "B"}


async def test_a_limit_that_stopped_a_plan_can_not_be_edited_out_of_its_file(box: Box) -> None:
    seeded(box)
    box.write("policy: {max_changes: 0}\n" + LINES)
    document = (await box.plan()).to_dict()
    document["parts"][0]["exit"] = 0
    outcome = await box.apply(Plan.from_dict(document))
    assert errors(outcome) == [Code.PLAN_SEAL]
    assert box.titles == {101: "A"}


# --- states ---


async def test_a_plan_against_a_saved_state_says_what_a_plan_says(box: Box, tmp_path: Path) -> None:
    seeded(box)
    box.environ["SIPSYNC_SNAPSHOT_KEY"] = KEY
    box.write(LINES)
    api.write_state(tmp_path / "state.json", await api.asnapshot(box.fleet()))
    requests = box.stats["requests"]
    plan = await box.plan(against=api.read_state(tmp_path / "state.json"))
    assert [dict(call.params) for call in plan.calls] == [{"CONFIG_ID": 101, "TYPE": "cloud", "TITLE": "New"}]
    assert plan.exit is Exit.OK
    assert box.stats["requests"] == requests
    assert errors(await box.apply(plan)) == [Code.PLAN_SEAL]


@pytest.mark.parametrize(
    ("edited", "key"),
    [
        ({"taken": "yesterday"}, KEY),
        ({"taken": "yesterday"}, ""),
        ({"taken": "2026-01-01"}, ""),
        ({"taken": "2001-01-01T00:00:00+00:00"}, ""),
        ({"taken": "2999-01-01T00:00:00+00:00"}, ""),
        ({"seal": ""}, KEY),
        ({"seal": "é"}, KEY),
        ({"host": "other"}, KEY),
        ({"portal": "other"}, KEY),
    ],
)
async def test_a_state_that_was_edited_or_is_old_is_refused(
    box: Box, tmp_path: Path, edited: dict[str, str], key: str
) -> None:
    seeded(box)
    box.environ |= {"SIPSYNC_SNAPSHOT_KEY": key} if key else {}
    box.write(LINES)
    state = await api.asnapshot(box.fleet())
    saved = state.portals[0].model_copy(update=edited)
    api.write_state(tmp_path / "state.json", state.model_copy(update={"portals": (saved,)}))
    plan = await box.plan(against=api.read_state(tmp_path / "state.json"))
    assert errors(plan) == [Code.SNAPSHOT]
    assert plan.exit is Exit.ERROR


async def test_a_state_whose_seal_can_not_be_checked_is_used_with_a_warning_and_no_word_of_success(
    box: Box, tmp_path: Path
) -> None:
    seeded(box)
    box.environ["SIPSYNC_PLAN_KEY"] = KEY  # seals plans only
    box.write("lines:\n  a: {config_id: 101, title: A}\n")
    api.write_state(tmp_path / "state.json", await api.asnapshot(box.fleet()))
    plan = await box.plan(against=api.read_state(tmp_path / "state.json"))
    (warning,) = plan.diagnostics
    assert (warning.code, plan.exit, plan.has_changes) == (Code.SNAPSHOT_UNVERIFIED, Exit.OK, False)
    assert "SIPSYNC_SNAPSHOT_KEY" in str(warning.hint)
    assert "keep SIPSYNC_PLAN_KEY out of this job" in str(warning.hint)
    for format_ in ("text", "markdown", "html", "github"):
        shown = render(plan, format_)
        assert "no changes" not in shown.lower()
        assert "Nothing differs from a snapshot that nobody verified." in shown
    box.write(LINES)
    changed = await box.plan(against=api.read_state(tmp_path / "state.json"))
    for format_ in ("text", "markdown", "html"):
        assert "Compared with a snapshot that nobody verified" in render(changed, format_)


async def test_a_saved_line_that_is_neither_cloud_nor_office_is_an_error_of_that_line(box: Box) -> None:
    seeded(box)
    box.write(LINES)
    state = await api.asnapshot(box.fleet())
    (saved,) = state.portals
    lines = tuple(line.model_copy(update={"type": "other"}) for line in saved.lines)
    state = state.model_copy(update={"portals": (saved.model_copy(update={"lines": lines}),)})
    assert errors(await box.plan(against=state)) == [Code.TYPE_DIFFERS]


async def test_a_part_of_the_fleet_is_no_state(box: Box) -> None:
    seeded(box)
    box.write(LINES)
    box.write(LINES, "again.yaml")
    with pytest.raises(SipsyncError):
        await api.asnapshot(box.fleet())


# --- looking ---


async def test_a_saved_plan_is_verified_offline(box: Box) -> None:
    seeded(box)
    box.write(LINES)
    plan = await box.plan()
    requests = box.stats["requests"]
    # The sync twin has a loop of its own.
    import asyncio

    def found(**options: Any) -> list[Code]:
        return errors(api.verify(plan, box.fleet(), api.ApplyOptions(**options)))

    assert await asyncio.to_thread(found) == []
    assert await asyncio.to_thread(found, max_plan_age=timedelta(seconds=-1)) == [Code.PLAN_TOO_OLD]
    box.environ["HOOK"] = ""
    assert await asyncio.to_thread(found) == [Code.SECRET_UNSET]
    assert box.stats["requests"] == requests


async def test_the_registrations_of_all_portals_are_told_and_one_that_is_down_is_said(box: Box) -> None:
    seeded(box, {"config_id": 102, "title": "B", "type": "office", "login": "b"})
    box.write(LINES)
    other(box)
    box.environ["HOOK"] = "http://127.0.0.1:9/rest/1/secret/"
    status = await api.astatus(box.fleet())
    assert [(line.portal, line.address) for line in status.lines] == [("globex", "globex.a")]
    assert status.exit is Exit.ERROR
    box.environ["HOOK"] = box.webhook
    status = await api.astatus(box.fleet(), live=True)
    assert [line.live is not None for line in status.lines] == [True, False, True]
    assert [reading.snapshot is not None for reading in await api.aread(box.fleet())] == [True, True]


async def test_a_check_up_tells_what_is_wrong_with_each_portal(box: Box) -> None:
    seeded(box)
    box.write(LINES)
    diagnosis = await api.adoctor(box.fleet())
    assert {check.name: check.result for check in diagnosis.checks}["rights"] == "ok"
    box.environ["HOOK"] = ""
    diagnosis = await api.adoctor(box.fleet())
    assert diagnosis.exit is Exit.ERROR


# --- what nobody foresaw ---


@pytest.mark.parametrize("broken", ["aclose", "release"])
async def test_what_breaks_after_the_writes_costs_no_report(
    box: Box, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from sipsync.disk import system_lock
    from sipsync.portal.transport import Transport

    seeded(box)
    box.write(LINES)
    plan = await box.plan()

    closed = Transport.__aexit__

    async def closes(self: Transport, *_: object) -> None:
        await closed(self)
        raise ZeroDivisionError("secret text")

    def take(path: Path) -> Callable[[], None]:
        let_go = taken(path)

        def fail() -> None:
            assert let_go is not None
            let_go()
            raise ZeroDivisionError("secret text")

        return fail

    taken = system_lock.take
    if broken == "aclose":
        monkeypatch.setattr(Transport, "__aexit__", closes)
    else:
        monkeypatch.setattr("sipsync.disk.locks.take", take)
    outcome = await box.apply(plan)
    monkeypatch.undo()
    assert [(line.result, line.config_id) for line in outcome.lines] == [("applied", 101)]
    assert (errors(outcome), outcome.exit) == ([Code.INTERNAL], Exit.PARTIAL)
    assert "secret text" not in str(outcome.to_dict())


@pytest.mark.parametrize("kind", [PortalStarted, LineStarted, LineDone, PortalDone, Stopping])
async def test_a_listener_that_fails_costs_no_report_and_no_other_portal(box: Box, kind: type[Event]) -> None:
    import asyncio

    seeded(box)
    box.write(LINES)
    second = other(box)
    plan = await box.plan()
    stop = asyncio.Event()
    if kind is Stopping:
        stop.set()

    def listen(event: Event) -> None:
        if isinstance(event, kind) and getattr(event, "portal", getattr(event, "address", "acme"))[:4] == "acme":
            raise ZeroDivisionError("secret text")

    outcome = await sipsync.aapply(plan, box.fleet(), on_event=listen, stop=stop)
    wrote = box.titles == {101: "New"}
    assert wrote is (kind in (LineDone, PortalDone))
    expected = {PortalDone: Exit.OK, Stopping: Exit.INTERRUPTED}.get(kind, Exit.PARTIAL)
    assert (len(outcome.parts), outcome.exit) == (2, expected)
    assert Code.INTERNAL in errors(outcome) or kind in (PortalDone, Stopping)
    assert second.titles == {101: "A" if kind is Stopping else "New"}
