"""Foreign text is shown, never interpreted: in every format."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.report import FORMATS, Style, render
from sipsync.report.escape import columns, quoted, visible
from sipsync.report.formats.json import dumped
from support.reports import EVERYTHING, HOSTILE, PLANS, change, part, plan

ANYTHING = st.text(st.characters(codec=None))


@given(ANYTHING)
def test_whatever_is_shown_can_be_seen(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert not re.search(r"##(\[|vso\[|teamcity\[)", shown)


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="#\u115f\u1160\u2800\u3164\uffa0")))
def test_harmless_text_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(ANYTHING)
def test_quotes_can_not_be_left(text: str) -> None:
    shown = quoted(text)
    inside = re.sub(r"\\.", "", shown[1:-1])
    assert shown[0] == shown[-1] == '"'
    assert '"' not in inside
    assert "\\" not in inside


def test_escapes_tell_what_is_there() -> None:
    assert visible("a\x1b[31m\n\t\r\x9b\u202e\u00a0\u3164\U000e0001") == (
        r"a\x1b[31m\n\t\r\x9b\u202e\xa0\u3164\U000e0001"
    )


def test_an_older_command_of_a_runner_is_broken_wherever_it_stands() -> None:
    assert visible("x ##[set-output name=a]b ## c") == r"x \x23#[set-output name=a]b ## c"


def test_wide_and_combining_characters_take_the_columns_that_they_take() -> None:
    assert columns("日本") == 4
    assert columns("e\u0301") == 1


@given(st.recursive(ANYTHING, lambda inner: st.lists(inner) | st.dictionaries(ANYTHING, inner)))
def test_json_means_the_same_and_does_nothing_to_a_terminal(value: object) -> None:
    text = dumped(value, indent=1)
    assert json.loads(text) == value
    assert text.replace("\n", "").isprintable()
    assert "##[" not in text


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", EVERYTHING)
def test_no_format_lets_a_control_character_through(name: str, format_: str) -> None:
    document = EVERYTHING[name]
    if type(document).__name__ in FORMATS[format_]:
        text = render(document, format_)
        assert text.endswith("\n") or (format_ == "github" and text == "")
        assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("format_", FORMATS)
def test_no_format_starts_a_line_with_a_workflow_command_of_a_title(format_: str) -> None:
    lines = render(PLANS["hostile"], format_).splitlines()
    started = [line for line in lines if line.lstrip().startswith("::")]
    assert all(re.match(r"::(error|warning|notice) (file|title)=", line) for line in started)
    assert bool(started) == (format_ == "github")
    assert not any("##[" in line for line in lines)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_title_leaves_the_lines_of_the_text_as_they_were(title: str) -> None:
    def shape(with_title: str) -> list[str]:
        row = change("a", {"title": with_title}, {"title": "x"}, title=with_title)
        text = render(plan(part(row)), "text")
        return [line.split("=")[0] for line in text.splitlines() if "digest" not in line]

    assert shape(title) == shape("plain")


def test_the_hostile_title_is_still_readable() -> None:
    text = render(PLANS["hostile"], "text", Style(width=10_000))
    assert r"[red]x[/] \x1b]8;;https://evil.example\x07 <script>" in text
    assert HOSTILE not in text
