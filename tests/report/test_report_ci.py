"""JUnit, SARIF and annotations, read by what others wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import junitparser
import pytest
import sarif_pydantic
from lxml import etree
from pydantic import BaseModel

from sipsync.model.findings import Findings
from sipsync.model.problems import Code
from sipsync.report import FORMATS, Style, render
from sipsync.report.causes import cause
from sipsync.report.formats.github import annotation
from sipsync.report.formats.sarif import uri
from support.reports import EVERYTHING, FINDINGS, GUARD, HOSTILE, OUTCOMES, PLANS, STALE, TYPO, finding, plan

XSD = Path(__file__).parent / "schemas" / "jenkins-junit.xsd"


def scenarios(format_: str) -> list[str]:
    return [name for name, each in EVERYTHING.items() if type(each).__name__ in FORMATS[format_]]


def shown(name: str, format_: str) -> str:
    return render(EVERYTHING[name], format_)


# --- JUnit ---


@pytest.mark.parametrize("name", scenarios("junit"))
def test_junit_fits_the_schema_of_jenkins(name: str) -> None:
    etree.XMLSchema(etree.parse(XSD)).assertValid(etree.fromstring(shown(name, "junit").encode()))


@pytest.mark.parametrize("name", scenarios("junit"))
def test_junit_counts_what_is_in_it(name: str) -> None:
    for suite in junitparser.JUnitXml.fromstring(shown(name, "junit").encode()):
        before = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()  # type: ignore[no-untyped-call]
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == before


def cases(name: str) -> dict[str, junitparser.TestCase]:
    return {
        case.name: case for suite in junitparser.JUnitXml.fromstring(shown(name, "junit").encode()) for case in suite
    }


def test_each_applied_line_is_a_case_and_each_missed_one_a_failure() -> None:
    found = cases("partial")
    assert {name for name, case in found.items() if case.is_passed} == {"acme.sales", "acme.new"}
    assert {name for name, case in found.items() if case.is_skipped} == {"acme.chain"}
    (failure,) = found["acme.support"].result
    assert (failure.type, failure.message) == ("TITLE_EXISTS", "Bitrix24 refused it: the title is taken")
    assert failure.text == "Choose another title."


def test_a_planned_change_is_no_failure_and_a_safety_limit_is() -> None:
    assert all(case.is_passed for case in cases("update").values())
    found = cases("guard")
    assert [name for name, case in found.items() if not case.is_passed] == ["portals/acme.yaml:2:3 (acme): max-changes"]
    assert "will be destroyed" in found["acme.old"].system_out


def test_what_is_said_of_a_stale_line_is_one_case() -> None:
    assert len([case for case in cases("stale").values() if not case.is_passed]) == 2
    assert STALE.diagnostics[0].summary == cases("stale")["acme.sales"].result[0].message


def test_a_finding_without_a_place_is_named_by_its_code() -> None:
    assert "unknown-allow" in cases("fleet")


# --- SARIF ---


def unknown_keys(model: BaseModel) -> list[str]:
    """Keys that the format does not have; the models take them in silence."""
    found = list(model.model_extra or ())
    for value in model.__dict__.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, BaseModel):
                found += unknown_keys(each)
    return found


@pytest.mark.parametrize("name", scenarios("sarif"))
def test_sarif_is_sarif(name: str) -> None:
    log = sarif_pydantic.Sarif.model_validate_json(shown(name, "sarif"))
    assert log.version == "2.1.0"
    assert set(unknown_keys(log)) <= {"semanticVersion", "semantic_version", "columnKind", "column_kind"}
    (run,) = log.runs
    rules = [rule.id for rule in run.tool.driver.rules or []]
    assert len(set(rules)) == len(rules)
    for result in run.results or []:
        assert result.rule_index is not None
        assert rules[result.rule_index] == result.rule_id


def test_findings_stand_at_their_lines() -> None:
    (result,) = json.loads(render(Findings(diagnostics=(TYPO,)), "sarif"))["runs"][0]["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "portals/acme.yaml"},
        "region": {"startLine": 9, "startColumn": 5, "endColumn": 10},
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "acme.sales"
    assert result["level"] == "error"


def test_safety_limits_are_findings_too() -> None:
    results = json.loads(render(PLANS["guard"], "sarif"))["runs"][0]["results"]
    assert ("max-changes", "error") in [(result["ruleId"], result["level"]) for result in results]


def test_a_finding_without_any_place_has_no_location() -> None:
    (result,) = json.loads(render(plan(problems=(finding(Code.TIMEOUT, "slow"),)), "sarif"))["runs"][0]["results"]
    assert "locations" not in result
    assert result["message"]["text"] == "slow."


def test_a_message_can_hold_neither_link_nor_placeholder() -> None:
    hostile = finding(Code.TIMEOUT, "see [here](https://evil.example) {0} [x]")
    (result,) = json.loads(render(plan(problems=(hostile,)), "sarif"))["runs"][0]["results"]
    assert result["message"]["text"] == r"see \[here\](https://evil.example) {{0}} \[x\]."


def test_rules_are_explained_in_the_readers_language() -> None:
    russian = json.loads(render(plan(problems=(GUARD,)), "sarif", Style(lang="ru")))
    assert russian["runs"][0]["tool"]["driver"]["rules"][0]["shortDescription"]["text"].startswith("Больше изменений")


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("portals/acme.yaml", "portals/acme.yaml"),
        ("портал a.yaml", "%D0%BF%D0%BE%D1%80%D1%82%D0%B0%D0%BB%20a.yaml"),
        ("/srv/a.yaml", "file:///srv/a.yaml"),
        (r"C:\sip\a.yaml", "file:///C:/sip/a.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
    ],
)
def test_a_file_is_named_by_a_uri(file: str, wanted: str) -> None:
    assert uri(file) == wanted


# --- GitHub ---

COMMAND = re.compile(r"^::(?P<name>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)$")


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner takes it apart."""
    match = COMMAND.match(line)
    assert match, line
    properties = dict(pair.split("=", 1) for pair in match["properties"].split(","))
    return match["name"], {name: unescaped(value) for name, value in properties.items()}, unescaped(match["message"])


def unescaped(text: str) -> str:
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, character)
    return text


@pytest.mark.parametrize("name", scenarios("github"))
def test_every_line_is_one_command_that_a_runner_understands(name: str) -> None:
    for line in shown(name, "github").splitlines():
        parsed(line)


def test_an_annotation_points_at_the_columns() -> None:
    assert parsed(annotation(cause([TYPO]), Style())) == (
        "error",
        {"file": "portals/acme.yaml", "line": "9", "col": "5", "endColumn": "10", "title": "sipsync: unknown-key"},
        'acme.sales: unknown key "titel"\nDid you mean "title"?',
    )


def test_an_annotation_of_nowhere_has_a_title_only() -> None:
    assert (
        annotation(cause([finding(Code.TIMEOUT, "100% slow")]), Style())
        == "::error title=sipsync%3A timeout::100%25 slow"
    )


def test_a_windows_path_is_one_that_github_knows() -> None:
    at = finding(Code.SYNTAX, "x", line=1, file="portals\\a.yaml")
    assert parsed(annotation(cause([at]), Style()))[1]["file"] == "portals/a.yaml"


def test_errors_come_first_since_only_ten_are_shown() -> None:
    names = [parsed(line)[0] for line in render(FINDINGS["findings"], "github").splitlines()]
    assert names == sorted(names, key=["error", "warning"].index)


def test_the_result_is_a_notice() -> None:
    assert render(PLANS["no-changes"], "github").endswith("::No changes. Your SIP lines match the configuration.\n")
    assert "::Plan: 0 to add, 1 to change, 0 to destroy.%0A1 API call" in render(PLANS["update"], "github")
    assert "::Apply incomplete." in render(OUTCOMES["partial"], "github")
    assert "notice" not in render(PLANS["errors"], "github")


def test_a_hostile_message_stays_in_its_command() -> None:
    found = finding(Code.TIMEOUT, HOSTILE)
    assert annotation(cause([found]), Style()).count("\n") == 0
    assert parsed(annotation(cause([found]), Style()))[2].count("\n") == 0
