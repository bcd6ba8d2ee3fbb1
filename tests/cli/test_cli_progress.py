"""What is shown while work goes on, and the stream of events for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from sipsync.cli.progress import EventStream, progress
from sipsync.cli.session import Session
from sipsync.model.events import Event, LineDone, LineStarted, PortalDone, PortalStarted, Stopping, Waiting
from sipsync.model.lines import Address
from sipsync.model.message import Message
from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Diagnostic

STORY: tuple[Event, ...] = (
    PortalStarted("acme", "apply"),
    Waiting("acme", 0.5, "rate limit"),
    Waiting("acme", 12, "retry"),
    LineStarted(Address("acme.sales"), "update"),
    LineDone(Address("acme.sales"), "update", ok=True),
    LineStarted(Address("acme.shop"), "create"),
    LineDone(Address("acme.shop"), "create", ok=False),
    Stopping(("acme.depot",)),
    Stopping(()),
    PortalDone("acme", failed=True),
)


def _play(session: Session, total: int = 2) -> None:
    with progress(session, total) as on_event:
        for event in STORY:
            on_event(event)


def test_a_pipe_gets_a_line_for_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    _play(Session({}))
    assert capsys.readouterr() == (
        "",
        "acme: waiting 12 s (retry)\n"
        "acme.shop: create failed\n"
        "Stopping. Sent and not answered yet: acme.depot. Nothing more is sent.\n"
        "Stopping. Nothing is under way, nothing more is sent.\n"
        "acme: failed\n",
    )


def test_beside_json_only_a_signal_is_worth_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    _play(Session({}, json=True))
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition(".")[0] for line in err.splitlines()] == ["Stopping", "Stopping"]


@pytest.mark.parametrize(("total", "ended"), [(1, "1 failed · stopping"), (3, "1/3 portals · 1 failed · stopping")])
def test_a_terminal_gets_a_moving_line_and_above_it_what_matters(
    total: int, ended: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress(Session({"TERM": "xterm", "COLUMNS": "100"}), total) as on_event:
        for event in STORY:
            on_event(event)
        assert str(_live(on_event)._line()) == ended
    out, err = capsys.readouterr()
    assert out == ""
    assert "acme.shop: create failed" in err
    assert "Sent and not answered yet: acme.depot" in err


def test_beside_a_moving_line_stdout_is_for_programs_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress(Session({"TERM": "xterm"}), 1, EventStream(wanted=True)) as on_event:
        on_event(LineDone(Address("acme.sales"), "create", ok=True))
    out, err = capsys.readouterr()
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["version", "apply_complete"]
    assert "apply_complete" not in err


def _live(on_event: Any) -> Any:
    """What draws the moving line."""
    return next(cell.cell_contents for cell in on_event.__closure__ if hasattr(cell.cell_contents, "_line"))


def test_a_moving_line_begins_with_something(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress(Session({"TERM": "xterm"}), 1) as on_event:
        assert str(_live(on_event)._line()) == "Starting"
        on_event(Waiting("acme", 12, "retry"))
        assert "acme waits 12 s (retry)" in str(_live(on_event)._line())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"CI": "true"}])
def test_nothing_moves_in_job_logs_and_on_dumb_terminals(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _play(Session(environ))
    assert "\x1b" not in capsys.readouterr().err


def test_events_that_nobody_wants_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    events = EventStream(wanted=False)
    for event in STORY:
        events(event)
    events.planned(Plan())
    events.applied(Outcome())
    events.failed((Diagnostic(Code.LOCKED, Message("locked")),))
    assert capsys.readouterr() == ("", "")


def test_events_are_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    events = EventStream(wanted=True)
    for event in STORY:
        events(event)
    events.planned(Plan())
    events.applied(Outcome())
    events.failed((Diagnostic(Code.LOCKED, Message("locked")),))
    told = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert told[0] == "version"
    assert {"apply_start", "apply_complete", "apply_errored", "log", "change_summary"} <= set(told)
    assert told[-1] == "diagnostic"
