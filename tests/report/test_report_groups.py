"""Equal changes are one fact in the text; what stands alone is told, and nothing is left out unsaid."""

from __future__ import annotations

import re

import pytest

from sipsync.model.lines import Registration
from sipsync.model.outcome import LineOutcome, Outcome, PortalOutcome
from sipsync.model.plan import Plan
from sipsync.report import Style, render
from support.reports import change, part, plan

BLOCK = re.compile(r"^  # (\S+) (?:will|is)", re.M)


def fleet(portals: int, lines: int, *extra: object) -> Plan:
    """So many lines of so many portals move to another server; one more line of each has a change of its own."""
    parts = []
    for number in range(portals):
        name = f"p{number:03}"
        rows = [
            change(f"l{each}", {"server": "sip.a.example"}, {"server": "sip.b.example"}, portal=name, config_id=each)
            for each in range(lines)
        ]
        own = change("own", {"title": f"Old {number}"}, {"title": f"New {number}"}, portal=name, config_id=900)
        parts.append(part(own, *rows, portal=name))
    return plan(*parts)


def text(document: Plan | Outcome, **style: object) -> str:
    return render(document, "text", Style(**style))  # type: ignore[arg-type]  # any of its fields


def test_equal_changes_of_many_lines_come_first_and_are_counted() -> None:
    shown = text(fleet(200, 10))
    assert "\nEqual changes:\n  ~ server: sip.a.example -> sip.b.example: 2,000 lines of 200 portals\n" in shown
    assert shown.index("Equal changes") < shown.index("# p000.own")
    assert "Plan: 0 to add, 2200 to change, 0 to destroy." in shown


def test_what_is_alone_is_told_before_the_lines_of_groups_and_the_rest_is_counted() -> None:
    shown = text(fleet(20, 10))
    named = BLOCK.findall(shown)
    assert named[:20] == [f"p{number:03}.own" for number in range(20)]
    assert len(named) == 50
    assert "\n170 more lines (--all shows them).\n" in shown
    asked = render(fleet(200, 0), "text", Style(way_to_all="sipsync show --all"))
    assert "(sipsync show --all shows them).\n" in asked
    assert "\n2,150 more lines, 150 of them in no group (--all shows them).\n" in text(fleet(200, 10))


def test_all_of_them_are_told_on_request() -> None:
    shown = text(fleet(20, 10), all=True)
    assert len(BLOCK.findall(shown)) == 220
    assert "more line" not in shown
    assert "20 portals" in shown


def test_the_largest_group_comes_first_and_each_field_is_a_fact_of_its_own() -> None:
    both = {"server": "a.example", "login": "x y", "password": None}
    rows = [
        change(f"b{each}", both, {**both, "server": "b.example", "login": ""}, config_id=each) for each in range(10)
    ]
    rows += [
        change(f"l{each}", {"server": "a.example"}, {"server": "b.example"}, config_id=100 + each) for each in range(5)
    ]
    shown = text(plan(part(*rows)))
    assert (
        """Equal changes:
  ~ server: a.example -> b.example: 15 lines of 1 portal
  ~ login: "x y" -> "": 10 lines of 1 portal
  ~ password: (sensitive value): 10 lines of 1 portal
"""
        in shown
    )


def test_few_lines_have_no_groups() -> None:
    assert "Equal changes" not in text(fleet(3, 3))


def test_deletes_are_never_grouped_and_never_left_out() -> None:
    gone = [change(f"d{each}", {"title": "Old"}, None, config_id=each, title="Old") for each in range(70)]
    shown = text(plan(part(*gone)))
    assert "Equal changes" not in shown
    assert len(BLOCK.findall(shown)) == 70
    new = [change(f"n{each}", None, {"server": "b.example"}, config_id=None) for each in range(60)]
    shown = text(plan(part(*new, *gone)))
    assert "  + server: b.example: 60 lines of 1 portal\n" in shown
    assert len([name for name in BLOCK.findall(shown) if ".d" in name]) == 70


def test_a_value_cannot_pass_for_more_than_it_is() -> None:
    rows = [change(f"l{each}", {"server": "a: 9 lines"}, {"server": "b\n  ~ x"}, config_id=each) for each in range(10)]
    assert '  ~ server: "a: 9 lines" -> "b\\n  ~ x": 10 lines of 1 portal\n' in text(plan(part(*rows)))


def applied(count: int, **more: object) -> Outcome:
    row = change("x", {"server": "sip.a.example"}, {"server": "sip.b.example"}).change
    lines = tuple(
        LineOutcome.model_validate(
            {"address": f"acme.l{each}", "portal": "acme", "action": "update", "result": "applied", "change": row}
            | (more if each == count - 1 else {})
        )
        for each in range(count)
    )
    return Outcome(parts=(PortalOutcome(portal="acme", lines=lines),))


def test_an_apply_tells_what_changed_in_groups_as_well() -> None:
    shown = text(applied(60))
    assert "Equal changes:\n  ~ server: sip.a.example -> sip.b.example: 60 lines of 1 portal\n" in shown
    assert "\nacme.l49: updated\nand 10 more lines (--all shows them).\n" in shown
    assert len(re.findall(r"(?m)^acme\.l\d+: updated$", text(applied(60), all=True))) == 60
    assert "Equal changes" not in text(applied(5))


@pytest.mark.parametrize("odd", [{"registration": Registration(1, "error", 403, "No")}, {"result": "restored"}])
def test_a_line_that_needs_a_look_is_never_left_out(odd: dict[str, object]) -> None:
    assert "acme.l59: " in text(applied(60, **odd))
