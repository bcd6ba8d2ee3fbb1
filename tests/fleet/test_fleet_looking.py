"""Check-ups, embedded portals, stored passwords, and a run that is stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import sipsync
from sipsync import api
from sipsync.model.events import Event, Stopping
from sipsync.model.problems import Code, Exit
from sipsync.model.status import Diagnosis
from support.box import Box

LINES = "lines:\n  a: {config_id: 101, title: New}\n"


def seeded(box: Box) -> None:
    box.seed({"config_id": 101, "title": "A", "login": "a"})
    box.write(LINES)


def found(diagnosis: Diagnosis) -> dict[str, str]:
    return {check.name: check.result for check in diagnosis.checks}


async def test_all_is_well(box: Box) -> None:
    seeded(box)
    checks = found(await api.adoctor(box.fleet()))
    assert checks.keys() == {"credential", "scope", "rights", "clock", "connector"}
    assert set(checks.values()) <= {"ok", "skipped"}


@pytest.mark.parametrize(
    ("method", "fault", "name", "result"),
    [
        ("scope", {"error": "INVALID_CREDENTIALS"}, "credential", "failed"),
        ("voximplant.sip.get", {"error": "ACCESS_DENIED"}, "rights", "failed"),
        ("voximplant.sip.get", {"error": "CHECK_FIELDS_ERROR"}, "rights", "failed"),
        ("server.time", {"error": "ERROR_METHOD_NOT_FOUND"}, "clock", "skipped"),
        ("voximplant.sip.connector.status", {"error": "ERROR_METHOD_NOT_FOUND"}, "connector", "skipped"),
    ],
)
async def test_a_check_up_names_what_fails(box: Box, method: str, fault: Any, name: str, result: str) -> None:
    seeded(box)
    box.faults({"match": {"method": method, "times": 9}, "do": fault})
    assert found(await api.adoctor(box.fleet()))[name] == result


async def test_an_embedded_portal_is_planned_and_applied_without_a_network(box: Box, tmp_path: Path) -> None:
    from sipsync.sandbox import seed_portal

    folder = tmp_path / "embedded"
    folder.mkdir()
    line = {"type": "cloud", "title": "A", "server": "s.example", "login": "a", "password": "p", "config_id": 101}
    seed_portal(str(folder / "portal.sqlite"), {"lines": [{**line, "app": None}]})
    text = f"sipsync: 1\nportal: {{name: acme, sandbox: portal.sqlite}}\n{LINES}"
    (folder / "acme.yaml").write_text(text, encoding="utf-8")
    fleet = sipsync.load([folder], box.operator.__class__.from_environ(box.environ, str(folder)))
    plan = await sipsync.aplan(fleet)
    assert plan.parts[0].host == "sandbox"
    assert (await sipsync.aapply(plan, fleet)).exit is Exit.OK
    assert not (await sipsync.aplan(fleet)).has_changes
    assert found(await api.adoctor(fleet)).keys() == {"credential", "scope", "rights"}


async def test_the_passwords_of_a_reading_are_stored_where_they_are_wanted(box: Box, tmp_path: Path) -> None:
    seeded(box)
    (reading,) = await api.aread(box.fleet())
    references = api.store_passwords("env", reading, str(tmp_path / "secrets.env"), box.operator, {101: "A_PASSWORD"})
    assert references == {101: "env:A_PASSWORD"}
    assert "pw" in (tmp_path / "secrets.env").read_text(encoding="utf-8")


async def test_a_stopped_run_says_what_is_in_flight_and_sends_nothing_more(box: Box) -> None:
    seeded(box)
    plan = await box.plan()
    stop, events = asyncio.Event(), list[Event]()

    def stopping(event: Event) -> None:
        events.append(event)
        stop.set()

    outcome = await sipsync.aapply(plan, box.fleet(), on_event=stopping, stop=stop)
    assert outcome.exit is Exit.INTERRUPTED
    assert [event for event in events if isinstance(event, Stopping)] == [Stopping(())]
    assert box.titles == {101: "A"}


async def test_a_host_that_may_not_get_a_credential_stops_its_portal_only(box: Box) -> None:
    seeded(box)
    box.environ["HOOK"] = "https://evil.example/rest/1/secret/"
    plan = await box.plan()
    assert [problem.code for problem in plan.diagnostics] == [Code.HOST_FORBIDDEN]


async def test_a_second_run_on_one_host_waits_for_the_first_and_then_refuses(box: Box) -> None:
    from sipsync.disk.clock import SystemClock
    from sipsync.disk.locks import lock

    seeded(box)
    plan = await box.plan()
    events: list[Event] = []
    async with lock(plan.parts[0].host, box.operator, SystemClock(), 1.0):
        options = sipsync.ApplyOptions(lock_timeout=0.05)
        outcome = await sipsync.aapply(plan, box.fleet(), options, events.append)
    assert [problem.code for problem in outcome.diagnostics] == [Code.LOCKED]
    assert box.titles == {101: "A"}


def test_the_sync_twins_do_the_same(box: Box) -> None:
    seeded(box)
    fleet = box.fleet()
    plan = api.plan(fleet)
    assert api.apply(plan, fleet).exit is Exit.OK
    assert api.verify(plan, fleet).valid
    assert api.check([box.folder], box.operator).valid
    assert api.find_root([box.folder / "acme.yaml"]) == box.folder
