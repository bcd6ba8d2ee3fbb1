"""Colour, width, and text that must never fail on its way out."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from sipsync.cli import session as streams
from sipsync.cli.session import Session
from sipsync.model.message import Message

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("choice", "environ", "terminal", "colored"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": ""}, True, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CI": "true"}, False, True),
        ("auto", {"CI": "false"}, False, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1", "CI": "1"}, True, False),
    ],
)
def test_colour_follows_the_option_then_the_environment_then_the_terminal(
    choice: streams.ColorChoice, environ: dict[str, str], terminal: bool, colored: bool
) -> None:
    assert streams.in_color(choice, environ, terminal=terminal) is colored


@pytest.mark.parametrize(
    ("environ", "terminal", "columns"),
    [
        ({"COLUMNS": "132"}, False, 132),
        ({"COLUMNS": "3"}, True, 20),
        ({"COLUMNS": "wide"}, False, 80),
        ({}, False, 80),
        ({"CI": "1"}, False, 120),
    ],
)
def test_the_width_is_what_was_told_or_what_fits(environ: dict[str, str], terminal: bool, columns: int) -> None:
    assert streams.width(environ, terminal=terminal) == columns


def test_a_terminal_tells_its_own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((97, 40)))
    assert streams.width({}, terminal=True) == 97


def _captured(monkeypatch: pytest.MonkeyPatch, encoding: str) -> io.BytesIO:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    return raw


def test_what_an_encoding_cannot_hold_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = _captured(monkeypatch, "ascii")
    streams.prepare_streams()
    streams.write("Склад ☎\n")
    assert raw.getvalue() == b"\\u0421\\u043a\\u043b\\u0430\\u0434 \\u260e\n"


@pytest.mark.parametrize(("told", "written"), [(None, "Склад".encode()), ("cp1251", "Склад".encode("cp1251"))])
def test_windows_streams_are_utf8_unless_the_user_said_otherwise(
    told: str | None, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = _captured(monkeypatch, "cp1251")
    monkeypatch.setattr("sipsync.cli.session.os.name", "nt")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    if told:
        monkeypatch.setenv("PYTHONIOENCODING", told)
    streams.prepare_streams()
    sys.stdout.write("Склад")
    sys.stdout.flush()
    assert raw.getvalue() == written


def test_a_stream_that_is_no_text_file_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream := io.StringIO())
    streams.prepare_streams()
    streams.write("as it is\n")
    assert stream.getvalue() == "as it is\n"


def test_a_reader_that_went_away_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        streams.write("nobody reads this\n")
        streams.write("nor this\n")


def test_hints_are_for_people_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Session({}).hint(Message("next"))
    Session({"SIPSYNC_IN_AUTOMATION": "1"}).hint(Message("automation"))
    Session({}, json=True).hint(Message("json"))
    assert capsys.readouterr() == ("", "next\n")


def test_a_person_is_asked_only_at_a_terminal_and_if_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not Session({}).can_ask()
    monkeypatch.setattr("sys.stdin", None)
    assert not Session({}).can_ask()
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
    assert Session({}).can_ask()
    assert not Session({}, input=False).can_ask()
