"""A comment fits, keeps what matters, and no title gets out of its place in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Diagnostic, Exit
from sipsync.report import Style, render
from sipsync.report.formats.markdown import fenced, marker, span
from support.reports import (
    EVERYTHING,
    FINDINGS,
    HOSTILE,
    OUTCOMES,
    PLANS,
    SHOWN,
    change,
    finding,
    line,
    outcome,
    part,
    plan,
)

COMMENT = 65_536
SUMMARY = 1 << 20
OUR_HTML = re.compile(
    r"<!-- sipsync:(plan|apply):[\w.-]+ -->|<details><summary>(<code>[^<>]*</code>)?[^<>]*</summary>|</details>"
)


def tokens(text: str) -> list[Token]:
    flat = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        flat += [token, *(token.children or ())]
    return flat


@pytest.mark.parametrize("name", SHOWN)
def test_there_is_no_html_link_or_picture_but_our_own(name: str) -> None:
    for token in tokens(render(SHOWN[name], "markdown")):
        assert token.type not in ("link_open", "image", "table_open"), token
        if token.type in ("html_block", "html_inline"):
            assert OUR_HTML.sub("", token.content).strip() == ""


ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
NASTY = st.text(st.sampled_from("`~|<>[]()!*_@# \\\n-&;:/a"), min_size=1) | ANYTHING


@given(NASTY)
def test_a_code_span_can_not_be_left(text: str) -> None:
    (inline,) = [token for token in MarkdownIt().parse(f"a {span(text)} b") if token.type == "inline"]
    kinds = [child.type for child in inline.children or ()]
    assert kinds == ["text", "code_inline", "text"]


@given(st.lists(NASTY.map(lambda text: text.replace("\n", " ").replace("\r", " "))))
def test_a_fence_can_not_be_closed_from_inside(lines: list[str]) -> None:
    visible = "\n".join(line for line in lines if line.isprintable())
    (fence,) = MarkdownIt().parse(fenced(visible))
    assert fence.type == "fence"
    assert fence.content.rstrip("\n") == visible.rstrip("\n") or not visible


def test_a_portal_of_a_strange_name_stays_in_its_heading() -> None:
    odd = part(change("a", {"title": "a"}, {"title": "b"}, portal="<b>&"), portal="<b>&")
    assert "<summary><code>&lt;b&gt;&amp;</code>: 1 to change</summary>" in render(plan(odd), "markdown")


def test_the_marker_is_the_first_line_and_can_not_be_closed() -> None:
    assert render(PLANS["update"], "markdown").startswith("<!-- sipsync:plan:default -->\n")
    assert render(PLANS["update"], "markdown", Style(target="prod/eu --> x")).startswith(
        "<!-- sipsync:plan:prod-eu-x -->\n"
    )
    assert "--" not in marker("plan", "-----").removeprefix("<!--").removesuffix("-->")


def test_marks_stand_at_column_0_where_a_diff_is_coloured() -> None:
    shown = render(PLANS["everything"], "markdown")
    assert '\n!       server   = "old.sip.example" -> "sip.provider.example"\n' in shown
    assert '\n+   resource "sip_line" "acme.new" {\n' in shown
    assert '\n-   resource "sip_line" "acme.old" {\n' in shown


def test_deletes_are_warned_of_above_everything_else() -> None:
    shown = render(PLANS["guard"], "markdown")
    assert shown.index("[!CAUTION]") < shown.index("### 1 error") < shown.index("<details>")
    assert "> - `acme.old`: `Old line`, config_id 70" in shown
    assert "lost-for-good" not in shown


def test_the_digest_is_shown_to_be_compared() -> None:
    assert f"`{PLANS['update'].changes_digest}`" in render(PLANS["update"], "markdown")
    assert "digest" not in render(PLANS["no-changes"], "markdown")


# --- the budget ---


def many(
    portals: int, lines: int, *, deletes: int = 0, errors: int = 0, warnings: int = 0, title: str = "Отдел продаж"
) -> Plan:
    parts = []
    for number in range(portals):
        name = f"portal-{number:04}"
        rows = [
            change(
                f"line{each}",
                {"title": title, "server": "old.sip.example"},
                None if each < deletes else {"title": title + "!", "server": "sip.example"},
                portal=name,
                config_id=each,
                title=title,
            )
            for each in range(lines)
        ]
        found: list[Diagnostic] = []
        if number < errors:
            found.append(
                finding(Code.MAX_CHANGES, f"stopped by a safety limit: number {number}", "Fewer, please.", address=name)
            )
        if number < warnings:
            found.append(finding(Code.UNMANAGED, f"odd {number}", "See it." * 9, address=name, severity="warning"))
        parts.append(part(*rows, portal=name, found=tuple(found), exit_=Exit.GUARD if number < errors else Exit.OK))
    return plan(*parts)


def fits(text: str, budget: int) -> bool:
    return len(text.encode()) <= budget


@pytest.mark.slow
@pytest.mark.parametrize("budget", [COMMENT, SUMMARY])
@pytest.mark.parametrize(
    "sizes",
    [
        {"lines": 10},
        {"lines": 10, "deletes": 1, "errors": 100, "warnings": 500},
        {"lines": 10, "deletes": 10},
        {"lines": 10, "deletes": 10, "errors": 500},
        {"lines": 10, "title": HOSTILE},
    ],
    ids=["updates", "mixed", "deletes", "deletes and errors", "hostile"],
)
def test_5000_changes_on_500_portals_fit(sizes: dict[str, int], budget: int) -> None:
    big = many(500, **sizes)  # type: ignore[arg-type]  # one of them is a title
    text = render(big, "markdown", Style(budget=budget))
    assert fits(text, budget)
    assert big.changes_digest in text
    assert "**Cut to fit.** Of 5,000 changes" in text
    assert text.count("```") % 2 == 0


def test_every_delete_error_and_limit_is_named_however_much_is_cut() -> None:
    big = many(500, 10, deletes=1, errors=100, warnings=500)
    text = render(big, "markdown")
    assert all(f"`portal-{number:04}.line0`" in text for number in range(500))
    assert "Error: stopped by a safety limit: number …: 100 portals\n" in text
    assert all(f"    portal-{number:04}: {number}\n" in text for number in range(100))


def test_a_portal_that_only_loses_lines_names_them_all() -> None:
    text = render(many(500, 10, deletes=10), "markdown")
    keys = " ".join(f"line{number}" for number in range(10))
    assert all(f"> - `portal-{number:04}`: `{keys}`\n" in text for number in range(500))


def test_with_too_many_deletes_for_their_names_they_are_counted_by_portal() -> None:
    big = many(800, 10, deletes=10, errors=800)
    text = render(big, "markdown")
    assert fits(text, COMMENT)
    assert "> - `portal-0799`: 10 lines\n" in text
    assert "    portal-0799: 799\n" in text
    assert "Error: max-changes: portal-0000, portal-0001" in render(big, "markdown", Style(budget=20_000))


def test_with_too_many_portals_for_their_names_the_numbers_stay() -> None:
    text = render(many(300, 1, deletes=1, errors=300), "markdown", Style(budget=6000))
    assert fits(text, 6000)
    assert "on 300 portals, too many to name in a comment" in text
    assert "Error: max-changes: 300 times" in text


def test_what_was_cut_says_where_the_whole_is() -> None:
    text = render(many(100, 10), "markdown", Style(budget=9000, whole="https://ci.example/run/1"))
    assert "The whole plan: `https://ci.example/run/1`." in text
    assert "`sipsync show FILE`" in render(many(100, 10), "markdown", Style(budget=9000))


def test_a_plan_that_fits_is_whole() -> None:
    text = render(many(20, 5), "markdown")
    assert "Cut to fit" not in text
    assert text.count("will be updated in-place") == 100


def test_what_fits_is_used_for_details() -> None:
    text = render(many(400, 5), "markdown")
    assert len(text.encode()) > 0.95 * COMMENT
    assert '! portal-0000.line0 "Отдел продаж": title, server' in text


def test_warnings_are_folded_and_give_way_first() -> None:
    few = render(plan(part(found=FINDINGS["findings"].diagnostics)), "markdown")
    assert "<details><summary>21 warnings</summary>" in few
    many_warnings = render(many(500, 10, warnings=500), "markdown", Style(budget=20_000))
    assert fits(many_warnings, 20_000)
    assert "Warning: odd …: 500 portals" in many_warnings
    assert "warnings (`unmanaged`), not shown here for want of room." in render(
        many(50, 10, warnings=50), "markdown", Style(budget=1500)
    )


def test_an_outcome_fits_as_well() -> None:
    lines = [line(f"l{number}", "update", "applied", config_id=number) for number in range(5000)]
    bad = [line(f"b{number}", "update", "failed", message="no") for number in range(50)]
    text = render(outcome(*lines, *bad, exit_=Exit.PARTIAL), "markdown")
    assert fits(text, COMMENT)
    assert "more, not shown for want of room" in text
    assert all(f"(acme.b{number})" in text for number in range(50)) or "in 50 places" in text


def test_an_outcome_tells_trouble_first() -> None:
    text = render(OUTCOMES["partial"], "markdown")
    assert text.index("temporary title") < text.index("TITLE_EXISTS") < text.index("<details>")
    assert "acme.new: created as config_id 81" in text


def test_a_dry_run_shows_its_calls() -> None:
    text = render(OUTCOMES["dry-run"], "markdown")
    assert "## sipsync apply: dry run" in text
    assert "PASSWORD=(sensitive value)" in text


def test_an_outcome_of_nothing_is_short() -> None:
    assert "<details>" not in render(Outcome(), "markdown")


def test_scenarios_of_all_kinds_are_looked_at() -> None:
    assert len(PLANS) >= 10
    assert len(EVERYTHING) >= 20
