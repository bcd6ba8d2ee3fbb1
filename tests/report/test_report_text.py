"""The text is what Terraform's readers and tools expect."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from sipsync.model.findings import Findings
from sipsync.model.lines import Registration
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Exit, UsageError
from sipsync.report import Style, formats_of, render
from support.reports import (
    DRY_RUN,
    EVERYTHING,
    FINDINGS,
    OTHERS,
    OUTCOMES,
    PARTIAL,
    PLANS,
    SHOWN,
    UPDATE,
    change,
    finding,
    line,
    outcome,
    part,
    plan,
)

# What tfcmt matches, in Python's notation; most scripts for Terraform look for the same.
PLAN_PASSES = re.compile(r"^(Plan: \d|No changes\.)", re.M)
FAILS = re.compile(r"^([│|] )?(Error: )", re.M)
WARNS = re.compile(r"^([│|] )?(Warning: )", re.M)
DESTROYS = re.compile(r"([1-9][0-9]* to destroy.)", re.M)
CREATED = re.compile(r"^ *# (.*) will be created$", re.M)
UPDATED = re.compile(r"^ *# (.*) will be updated in-place$", re.M)
DESTROYED = re.compile(r"^ *# (.*) will be destroyed$", re.M)
BLOCK = re.compile(r'^  [~+-] resource "[^"]+" "[^"]+" \{$', re.M)
APPLY_PASSES = re.compile(r"^(Apply complete!)", re.M)
ESCAPE = re.compile(r"\x1b\[[\d;]*m")


def text(document: object, **style: object) -> str:
    return render(document, "text", Style(**style))  # type: ignore[arg-type]  # scenarios of many kinds


def test_an_update_has_exactly_the_documented_shape() -> None:
    assert """  # acme.sales will be updated in-place
  # (portals/acme.yaml:9; config_id 69; re-registers the line)
  # title "Sales"
  ~ resource "sip_line" "acme.sales" {
      ~ server   = "old.sip.example" -> "sip.provider.example"
      ~ password = (sensitive value)
        # (2 unchanged fields hidden)
    }

Plan: 0 to add, 1 to change, 0 to destroy.
1 API call in 1 request; 1 line re-registers.
""" in text(PLANS["update"])


def test_a_title_is_told_where_it_does_not_change_and_once_where_it_does() -> None:
    renamed = plan(part(change("sales", {"title": "Sales"}, {"title": "Shop"})))
    assert "# title" not in text(renamed)
    moved = plan(part(change("sales", {"server": "a"}, {"server": "b"}, title="Отдел\u202e")))
    assert '\n  # title "Отдел\\u202e"\n' in text(moved)
    same = plan(part(change("sales", {}, {}, title="Отдел")))
    assert '\n  # title "Отдел"\n' in text(same)


@pytest.mark.parametrize("name", PLANS)
def test_the_patterns_of_tfcmt_match_every_plan(name: str) -> None:
    document = PLANS[name]
    shown = text(document)
    named = {
        action: [each.address for each in document.resource_changes if each.action == action]
        for action in ("create", "update", "delete")
    }
    assert CREATED.findall(shown) == named["create"]
    assert UPDATED.findall(shown) == named["update"]
    assert DESTROYED.findall(shown) == named["delete"]
    assert len(BLOCK.findall(shown)) == sum(map(len, named.values()))
    severities = {found.severity for found in document.diagnostics}
    assert bool(FAILS.search(shown)) == ("error" in severities)
    assert bool(WARNS.search(shown)) == ("warning" in severities)
    assert bool(DESTROYS.search(shown)) == bool(named["delete"])
    assert bool(PLAN_PASSES.search(shown)) == (document.has_changes or not document.errored)


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_patterns_of_tfcmt_match_every_outcome(name: str) -> None:
    document = OUTCOMES[name]
    shown = text(document)
    assert bool(APPLY_PASSES.search(shown)) == (document.exit is Exit.OK and not document.dry_run)
    assert bool(FAILS.search(shown)) == (document.exit is not Exit.OK)


def test_nothing_to_do_is_said_in_one_line() -> None:
    assert text(plan(part())) == "No changes. Your SIP lines match the configuration.\n"


def test_the_legend_tells_only_symbols_that_occur() -> None:
    legend = text(PLANS["delete"]).split("\n\n")[0]
    assert "- destroy" in legend
    assert "+ create" not in legend
    assert "~ update" not in legend


def test_an_expected_wait_is_told_once_it_is_felt() -> None:
    assert "rate limit" not in text(plan(part(UPDATE, seconds=5.0)))
    assert "; about 6 s under the rate limit." in text(plan(part(UPDATE, seconds=6.0)))
    assert "; about 5 min under the rate limit." in text(plan(part(UPDATE, seconds=300.0)))


def test_an_office_line_that_is_added_is_called_one() -> None:
    desk = change("desk", None, {"title": "Desk"}, type_="office", config_id=None)
    assert "# (portals/acme.yaml:9; office line)" in text(plan(part(desk)))


def test_a_value_that_is_null_is_no_text() -> None:
    odd = change("odd", {"login": None}, {"login": "null"})
    assert '~ login = null -> "null"' in text(plan(part(odd)))


def test_a_field_that_this_version_does_not_know_comes_last() -> None:
    odd = change("odd", {"codec": "a", "title": "x"}, {"codec": "b", "title": "y"})
    shown = text(plan(part(odd)))
    assert shown.index("~ title") < shown.index("~ codec")


def test_an_error_of_a_file_says_that_the_plan_is_not_of_all_portals() -> None:
    problems = (finding(Code.UNKNOWN_KEY, "no such key"),)
    assert "Portals are missing in this plan: see the errors." in text(plan(part(UPDATE), problems=problems))
    assert "This can't be applied." in text(plan(problems=problems))


def test_the_caret_stands_under_the_columns() -> None:
    shown = text(FINDINGS["findings"]).splitlines()
    at = next(place for place, row in enumerate(shown) if "titel: " in row)
    row, caret = shown[at], shown[at + 1]
    assert row[caret.index("^") : caret.rindex("^") + 1] == "titel"


def test_the_caret_stands_right_behind_wide_characters_and_escapes() -> None:
    wide = finding(Code.SYNTAX, "odd", line=1, column=4, end=5, text="日\tx!y")
    shown = text(Findings(diagnostics=(wide,))).splitlines()
    assert shown[2] == r"  1 | 日\tx!y"
    assert shown[3] == "    | " + " " * 5 + "^"


def test_a_place_behind_the_end_of_its_line_gets_a_caret() -> None:
    short = finding(Code.SYNTAX, "odd", line=1, column=3, text="ab")
    assert text(Findings(diagnostics=(short,))).splitlines()[2:4] == ["  1 | ab", "    |   ^"]


def test_a_very_long_line_is_cut_around_the_place() -> None:
    long = finding(Code.SYNTAX, "odd", line=1, column=501, end=504, text="a" * 500 + "BAD" + "c" * 500)
    row, caret = text(Findings(diagnostics=(long,))).splitlines()[2:4]
    assert len(row) < 140
    assert row[caret.index("^") : caret.rindex("^") + 1] == "BAD"
    assert row.endswith("c…")
    assert "| …a" in row


def test_equal_warnings_are_said_once_with_their_places() -> None:
    shown = text(FINDINGS["findings"])
    assert shown.count("the same reference on several lines") == 1
    assert "in 13 places:" in shown
    assert "and 3 more (--all shows them)" in shown
    assert "Warning: 3 more of the kind similar-titles (--all shows them)" in shown


def test_all_shows_what_is_said_many_times_over() -> None:
    shown = text(FINDINGS["findings"], all=True)
    assert "--all" not in shown
    assert shown.count("is like another title") == 8
    assert "(acme.l22)" in shown


def test_many_more_of_a_kind_are_not_all_listed() -> None:
    many = tuple(
        finding(Code.SIMILAR_TITLES, str(number), address=f"acme.l{number}", severity="warning") for number in range(20)
    )
    assert "acme.l14 and 5 more" in text(Findings(diagnostics=many))


def test_a_command_in_a_hint_is_never_broken() -> None:
    command = '`uv tool install "sipsync[sandbox] @ file:///home/anna/sip lines"`'
    told = finding(Code.EXTRA_MISSING, "no", hint=f"Install it, whatever else you do: {command}. Then again.")
    for width in (20, 40, 80):
        assert command in render(plan(problems=(told,)), "text", Style(width=width))


def test_options_in_a_hint_stay_whole() -> None:
    shown = text(PLANS["guard"], width=20)
    assert "max-changes:acme" in shown


def test_a_left_temporary_title_is_told_before_anything_else() -> None:
    assert text(PARTIAL).startswith('Error: line 69 still has the temporary title "~sipsync-69"')


def test_a_dry_run_prints_the_exact_calls_with_secrets_masked() -> None:
    shown = text(DRY_RUN)
    assert 'voximplant.sip.update CONFIG_ID=1 TYPE="cloud" TITLE="~sipsync-1"' in shown
    assert 'SERVER="sip.provider.example" PASSWORD=(sensitive value)' in shown
    assert "Dry run: 4 API calls would be sent, none was." in shown


def test_a_finished_apply_says_that_nothing_was_sent() -> None:
    shown = text(OUTCOMES["nothing-left"])
    assert "Apply complete! Resources: 0 added, 0 changed, 0 destroyed." in shown
    assert "Already applied: nothing was sent." in shown


def test_lines_that_were_not_checked_say_how_to_check_them() -> None:
    assert "1 line re-registered; registration not checked (--wait 60 checks it)." in text(PARTIAL)


def test_registrations_that_did_not_come_back_are_counted() -> None:
    lines = (
        line("a", "update", "applied", reregistered=True, registration=Registration(1, "success", 200)),
        line("b", "update", "applied", reregistered=True, registration=Registration(2, "error", 403, "No")),
    )
    shown = text(outcome(*lines, exit_=Exit.UNHEALTHY))
    assert "2 lines re-registered; registration confirmed for 1, not confirmed for 1." in shown
    assert "acme.b: updated; registration: error (No)" in shown


def test_a_stale_line_is_not_told_twice() -> None:
    assert text(OUTCOMES["stale"]).count("title was changed in Bitrix24 after this plan was made") == 1


def test_a_failure_without_words_still_says_what_did_not_happen() -> None:
    assert "Error: the line was not deleted" in text(outcome(line("a", "delete", "failed"), exit_=Exit.ERROR))


def test_findings_without_files_have_no_verdict_about_files() -> None:
    shown = text(Findings(diagnostics=(finding(Code.TIMEOUT, "too slow"),)))
    assert shown == "Error: too slow\n  [timeout]\n"


def test_valid_files_with_warnings_are_valid() -> None:
    warned = Findings(files=1, diagnostics=(finding(Code.UNMANAGED, "one", severity="warning"),))
    assert text(warned).endswith("Success! The configuration is valid: 1 file.\n")


def test_only_errors_are_counted_without_a_word_on_warnings() -> None:
    assert text(Findings(files=1, diagnostics=(finding(Code.SYNTAX, "x"),))).endswith("\n1 error in 1 file.\n")


@pytest.mark.parametrize("name", [*SHOWN, *OTHERS])
def test_colours_change_nothing_but_colours(name: str) -> None:
    document = EVERYTHING[name]
    coloured = text(document, color=True)
    assert ESCAPE.sub("", coloured) == text(document)
    assert "\x1b" in coloured or name == "no-lines"


def test_text_in_colour_loads_no_terminal_library() -> None:
    script = (
        "import sys\nfrom sipsync.report import render, Style\nfrom sipsync.model.plan import Plan\n"
        "render(Plan(), 'text', Style(color=True))\n"
        "print([name for name in ('rich', 'jinja2', 'click', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_format_that_can_not_show_a_document_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="gitlab"):
        render(Findings(), "gitlab")
    with pytest.raises(UsageError, match="yaml"):
        render(Plan(), "yaml")


def test_a_plan_can_be_shown_in_every_format() -> None:
    assert formats_of("Plan") == ("text", "json", "markdown", "html", "gitlab", "junit", "sarif", "github")
