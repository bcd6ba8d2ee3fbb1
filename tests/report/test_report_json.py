"""JSON for programs: schemas, Terraform's keys, the event stream, GitLab's counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jq
import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from sipsync.model.events import Event, LineDone, LineStarted, PortalDone, PortalStarted, Stopping, Waiting
from sipsync.model.lines import Address
from sipsync.model.plan import Plan
from sipsync.model.problems import Code
from sipsync.report import render
from sipsync.report.events import Message, Stream, diagnostic, line_of
from sipsync.report.schemas import SCHEMAS, schema
from support.reports import EVERYTHING, FINDINGS, OUTCOMES, PLANS, TYPO, finding

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GITLAB_RECIPE = (
    "([.resource_changes[]?.change.actions?]|flatten)"
    '|{"create":(map(select(.=="create"))|length),"update":(map(select(.=="update"))|length),'
    '"delete":(map(select(.=="delete"))|length)}'
)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name), format_checker=FormatChecker())


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    json.dumps(schema(name))


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_document_fits_its_schema(name: str) -> None:
    document = EVERYTHING[name]
    written = json.loads(render(document, "json"))
    validator(type(document).__name__.lower()).validate(written)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("format_version", ("format_version",), "2.0"),
        ("digest", ("digest",), "x"),
        ("digest of the changes", ("changes_digest",), "x"),
        ("actions", ("resource_changes", 0, "change", "actions"), ["replace"]),
        ("secret", ("resource_changes", 0, "change", "before", "password"), 7),
        ("exit", ("parts", 0, "exit"), "guard"),
        ("part", ("parts", 0, "diagnostics"), []),
    ],
)
def test_the_schema_of_a_plan_bites(name: str, path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(render(PLANS["update"], "json"))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        validator("plan").validate(document)


def test_a_schema_takes_keys_and_codes_of_a_later_minor_version() -> None:
    document = json.loads(render(PLANS["guard"], "json"))
    document["format_version"] = "1.7"
    document["resource_changes"][0]["later"] = 1
    document["diagnostics"][0]["code"] = "a-new-one"
    validator("plan").validate(document)


def test_there_is_no_schema_of_something_else() -> None:
    with pytest.raises(KeyError):
        schema("nothing")


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_read_back_as_it_was(name: str) -> None:
    assert Plan.from_dict(json.loads(render(PLANS[name], "json"))) == PLANS[name]


@pytest.mark.parametrize("name", PLANS)
def test_the_counts_for_gitlab_are_what_its_recipe_makes_of_the_plan(name: str) -> None:
    by_recipe = jq.compile(GITLAB_RECIPE).input_text(render(PLANS[name], "json")).first()
    assert json.loads(render(PLANS[name], "gitlab")) == by_recipe


def test_a_policy_over_terraforms_keys_finds_what_it_looks_for() -> None:
    deleted = '[.resource_changes[]|select(.change.actions|index("delete"))|select(.type=="sip_line").address]'
    assert jq.compile(deleted).input_text(render(PLANS["everything"], "json")).first() == ["acme.old"]
    secrets = '[.resource_changes[].change|(.before,.after)|select(.!=null)|select(has("password")).password]|unique'
    assert jq.compile(secrets).input_text(render(PLANS["everything"], "json")).first() == [None]


# --- the event stream ---


def stream_of(events: list[tuple[Event, float]]) -> list[Message]:
    stream = Stream()
    return [message for event, seconds in events for message in stream.event(event, NOW + timedelta(seconds=seconds))]


EVENTS: list[tuple[Event, float]] = [
    (PortalStarted("acme", "apply"), 0),
    (LineStarted(Address("acme.sales"), "update"), 1),
    (LineStarted(Address("globex.x"), "create"), 1),
    (Waiting("acme", 3.4, "rate limit"), 2),
    (LineDone(Address("acme.sales"), "update", ok=True), 6),
    (LineDone(Address("globex.x"), "create", ok=False), 6),
    (LineDone(Address("acme.never-started"), "delete", ok=True), 6),
    (Stopping(("acme.sales",)), 7),
    (Stopping(()), 8),
    (PortalDone("acme", failed=True), 9),
    (PortalDone("globex"), 9),
]


def test_every_object_of_the_stream_fits_its_schema() -> None:
    stream = Stream()
    messages = [stream.version(NOW), *stream_of(EVENTS)]
    for plan in PLANS.values():
        messages += stream.plan(plan, NOW)
    for outcome in OUTCOMES.values():
        messages += stream.outcome(outcome, NOW)
    check = validator("events")
    for message in messages:
        line = line_of(message)
        assert line.endswith("\n")
        assert line[:-1].isprintable()
        check.validate(json.loads(line))
    assert {message["type"] for message in messages} == {
        "version",
        "planned_change",
        "change_summary",
        "diagnostic",
        "log",
        *(f"apply_{name}" for name in ("start", "progress", "complete", "errored")),
    }


def test_the_stream_begins_with_its_version() -> None:
    first = Stream().version(NOW)
    assert (first["type"], first["ui"], first["@module"]) == ("version", "1.0", "sipsync.ui")
    assert first["@timestamp"] == "2026-11-23T12:00:00.000000+00:00"


def test_a_line_is_told_from_its_start_to_its_end_with_the_time_it_took() -> None:
    told = [(message["type"], message["@message"]) for message in stream_of(EVENTS)]
    assert told == [
        ("log", "acme: applying"),
        ("apply_start", "acme.sales: Modifying..."),
        ("apply_start", "globex.x: Creating..."),
        ("log", "acme: waiting 3 s (rate limit)"),
        ("apply_progress", "acme.sales: Still modifying... [1s elapsed]"),
        ("apply_complete", "acme.sales: Modifications complete after 5s"),
        ("apply_errored", "globex.x: Creation errored after 5s"),
        ("apply_complete", "acme.never-started: Destruction complete after 0s"),
        ("log", "Stopping; sent and not answered yet: acme.sales"),
        ("log", "Stopping; nothing is under way"),
        ("log", "acme: failed"),
        ("log", "globex: done"),
    ]


def test_a_plan_ends_with_its_counts() -> None:
    last = list(Stream().plan(PLANS["everything"], NOW))[-1]
    assert last["type"] == "change_summary"
    assert last["changes"] == {"add": 1, "change": 3, "import": 0, "remove": 1, "operation": "plan"}
    assert last["@message"] == "Plan: 1 to add, 3 to change, 1 to destroy."


def test_an_outcome_ends_with_its_counts() -> None:
    last = list(Stream().outcome(OUTCOMES["applied"], NOW))[-1]
    assert last["changes"] == {"add": 0, "change": 1, "import": 0, "remove": 1, "operation": "apply"}


def test_a_finding_has_terraforms_range_and_our_code() -> None:
    told = diagnostic(TYPO, NOW)
    assert told["@message"] == 'Error: unknown key "titel"'
    assert told["diagnostic"]["range"] == {
        "filename": "portals/acme.yaml",
        "start": {"line": 9, "column": 5},
        "end": {"line": 9, "column": 10},
    }
    bare = diagnostic(finding(Code.TIMEOUT, "slow", severity="warning"), NOW)
    assert bare["@level"] == "warn"
    assert set(bare["diagnostic"]) == {"severity", "summary", "detail", "code"}


def test_counts_of_findings_are_those_of_terraforms_validate() -> None:
    written = json.loads(render(FINDINGS["findings"], "json"))
    assert (written["valid"], written["error_count"], written["warning_count"]) == (False, 1, 21)
