"""Failures of many portals: each names its portal and its file in every format, and equal ones are told as one."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

import sipsync
from sipsync import api
from sipsync.model.document import Report
from sipsync.model.options import ApplyOptions
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Diagnostic
from sipsync.report import Style, formats_of, render
from support.box import Box
from support.clock import Clock

DEAD = 37
NAMES = [f"p{number:02}" for number in range(DEAD)]
LINES = "lines:\n  a: {config_id: 101, title: New}\n"


@pytest.fixture
def fleet(box: Box) -> Box:
    """One portal that answers, and many whose addresses are dead."""
    box.seed({"config_id": 101, "title": "A"})
    box.write(LINES)
    for name in NAMES:
        box.environ[f"HOOK_{name.upper()}"] = f"http://127.0.0.1:1/{name}/rest/1/secret/"
        text = f"sipsync: 1\nportal:\n  webhook: env:HOOK_{name.upper()}\n{LINES}"
        (box.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return box


async def planned(box: Box) -> Plan:
    """A plan for which nobody waits while dead addresses are tried again."""
    return await api.aplan(box.fleet(), clock=Clock())


def is_located(found: Diagnostic) -> bool:
    return found.address is not None and found.at is not None and found.at.file.endswith(f"{found.portal}.yaml")


async def test_a_portal_that_cannot_be_reached_is_named_with_its_file(fleet: Box) -> None:
    plan = await planned(fleet)
    outcome = await api.aapply(plan, fleet.fleet(), ApplyOptions(dry_run=True), clock=Clock())
    for document in (plan, outcome):
        found: list[Diagnostic] = [one for one in document.diagnostics if one.code is Code.UNREACHABLE]
        assert [one.address for one in found] == NAMES
        assert all(map(is_located, found))


async def test_a_status_says_which_portal_has_none(box: Box) -> None:
    box.environ["HOOK"] = f"{box.url}/{box.name}/rest/1/wrong/"
    box.write(LINES)
    (found,) = (await api.astatus(box.fleet())).diagnostics
    assert (found.code, is_located(found)) == (Code.CREDENTIAL, True)


async def test_many_portals_behind_a_dead_address_are_one_failure_in_every_format(fleet: Box) -> None:
    plan = await planned(fleet)
    for format_, read in READERS.items():
        failures = read(render(plan, format_))
        assert len(failures) == 1, format_
        assert "can't be reached" in failures[0], format_
        assert f"{DEAD} portals" in failures[0], format_
        for name in NAMES:
            assert re.search(rf"\b{name}\b", failures[0]), (format_, name)
            assert f"{name}.yaml" in failures[0], (format_, name)


async def test_the_same_is_said_of_a_plan_that_was_saved(fleet: Box) -> None:
    plan = await planned(fleet)
    again = Plan.from_dict(json.loads(render(plan, "json")))
    for format_ in READERS:
        assert render(again, format_) == render(plan, format_)


async def test_portals_that_failed_have_a_card_and_come_first(fleet: Box) -> None:
    page = render(await planned(fleet), "html")
    portals = re.findall(r'data-portal="([^"]+)"', page)
    assert portals == [*NAMES, "acme"]
    assert page.count('class="card bad"') == DEAD


async def test_an_apply_tells_them_in_the_same_way(fleet: Box) -> None:
    outcome = await api.aapply(await planned(fleet), fleet.fleet(), ApplyOptions(dry_run=True), clock=Clock())
    page = render(outcome, "html")
    assert re.findall(r'data-portal="([^"]+)"', page) == [*NAMES, "acme"]
    for format_, read in READERS.items():
        (failure,) = read(render(outcome, format_))
        assert f"{DEAD} portals" in failure, format_
    cases = ElementTree.fromstring(render(outcome, "junit")).iter("skipped")
    assert sum("told once" in (case.text or "") for case in cases) == DEAD


WRONG = [f"w{number}" for number in range(5)]


@pytest.fixture
def wrong(fleet: Box) -> Box:
    """The same, and some whose files have a wrong key."""
    for name in WRONG:
        text = f"sipsync: 1\nportal: {{webhook: 'env:HOOK'}}\n{LINES.replace('title', 'titel')}"
        (fleet.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return fleet


def loaded(box: Box) -> sipsync.Fleet:
    return sipsync.load(sorted(box.folder.glob("*.yaml")), box.operator, partly=True)


async def test_portals_whose_files_are_wrong_are_counted_and_told_in_every_format(wrong: Box) -> None:
    plan = await api.aplan(loaded(wrong), clock=Clock())
    assert plan.summary.failed == len(WRONG) + DEAD
    assert f"{len(WRONG) + DEAD} of {len(WRONG) + DEAD + 1} portals can't be applied" in render(plan, "text")
    outcome = await api.aapply(plan, loaded(wrong), ApplyOptions(dry_run=True), clock=Clock())
    for document in (plan, outcome):
        assert not document.problems
        assert sum(found.code is Code.UNKNOWN_KEY for found in document.diagnostics) == len(WRONG)
        assert re.findall(r'data-portal="([^"]+)"', render(document, "html")) == [*WRONG, *NAMES, "acme"]
        for format_, read in READERS.items():
            of_files, unreachable = sorted(read(render(document, format_)), key=lambda each: "reached" in each)
            assert f"{len(WRONG)} portals" in of_files, format_
            assert all(f"{name}.yaml" in of_files for name in WRONG), format_
            assert f"{DEAD} portals" in unreachable, format_


def test_wrong_files_are_one_failure_where_files_alone_are_checked(wrong: Box) -> None:
    findings = api.check(sorted(wrong.folder.glob("*.yaml")), wrong.operator)
    for format_ in set(READERS) & set(formats_of("Findings")):
        (failure,) = READERS[format_](render(findings, format_))
        assert f"{len(WRONG)} portals" in failure, format_
        assert all(f"{name}.yaml" in failure for name in WRONG), format_


async def test_a_portal_whose_include_is_wrong_has_a_card_and_the_error_is_told_once(box: Box) -> None:
    box.seed({"config_id": 101, "title": "A"})
    box.write(LINES)
    box.write("include: [common.part]\n" + LINES, "globex.yaml").with_name("common.part").write_text("defaults: [\n")
    plan = await api.aplan(loaded(box), clock=Clock())
    assert ([found.address for found in plan.problems], plan.summary.failed) == ([None], 1)
    assert re.findall(r'data-portal="([^"]+)"', render(plan, "html")) == ["globex", "acme"]
    assert "told once for the whole run" in render(plan, "junit")


async def test_a_saved_plan_is_verified_where_a_file_is_wrong(wrong: Box) -> None:
    plan = await api.aplan(loaded(wrong), clock=Clock())
    found = (await api.averify(plan, loaded(wrong))).diagnostics
    assert [one.address for one in found if one.code is Code.UNKNOWN_KEY] == WRONG
    assert Code.STALE_FILE not in {one.code for one in found}


async def test_a_portal_that_failed_alone_says_so_where_it_is(box: Box) -> None:
    box.seed({"config_id": 101, "title": "A"})
    box.environ["HOOK"] = "http://127.0.0.1:1/rest/1/secret/"
    box.write(LINES)
    plan = await planned(box)
    assert "Error: 127.0.0.1:1 can't be reached" in render(plan, "text")
    assert re.search(r"acme\.yaml:\d+:\d+ \(acme\) \[unreachable\]", render(plan, "text"))


async def test_many_files_of_one_portal_are_told_for_each_host_and_in_few_words(box: Box) -> None:
    box.environ["OTHER"] = f"{box.url}/{box.name}-other/rest/1/sandbox/"
    for number in range(200):
        hook = "HOOK" if number < 100 else "OTHER"
        file = f"sipsync: 1\nportal: {{webhook: 'env:{hook}'}}\n{LINES}"
        (box.folder / f"p{number:03}.yaml").write_text(file, encoding="utf-8")
    plan = await planned(box)
    shown = render(plan, "text")
    assert len(shown) < 30_000
    assert len(text(shown)) == 2
    for first, second in (("p000", "p001"), ("p100", "p101")):
        places = rf"\S*{first}.yaml:2:1, \S*{second}.yaml:2:1 and 98 more"
        assert re.search(rf"Error: {places} lead to the same portal and .*: 100 portals\n", shown)
    assert len(render(plan, "json")) < 300_000


def text(shown: str) -> list[str]:
    return [block for block in shown.split("\n\n") if block.startswith("Error: ")]


def markdown(shown: str) -> list[str]:
    return text(shown.replace("```\n", "\n\n"))


def html(page: str) -> list[str]:
    return re.findall(r'(?s)<article class="finding error">.*?</article>', page.replace("&#39;", "'"))


def junit(xml: str) -> list[str]:
    cases = ElementTree.fromstring(xml).iter("testcase")  # our own
    return [f"{case.get('name')} {each.get('message')} {each.text}" for case in cases for each in case.iter("failure")]


def sarif(log: str) -> list[str]:
    def place(result: dict[str, Any]) -> list[str]:
        return [location["physicalLocation"]["artifactLocation"]["uri"] for location in result["locations"]]

    (run,) = json.loads(log)["runs"]
    return [f"{result['message']['text']} {place(result)}" for result in run["results"]]


def github(commands: str) -> list[str]:
    return [line for line in commands.splitlines() if line.startswith("::error")]


READERS = {"text": text, "markdown": markdown, "html": html, "junit": junit, "sarif": sarif, "github": github}


async def test_what_a_server_says_to_many_portals_is_told_to_the_letter(box: Box) -> None:
    for name in ("acme", "globex"):
        box.environ[f"{name.upper()}_HOOK"] = f"{box.url}/{box.name}-{name}/rest/1/wrong/"
        text = f"sipsync: 1\nportal: {{webhook: 'env:{name.upper()}_HOOK'}}\n{LINES}"
        (box.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    shown = render(await planned(box), "text")
    assert "Error: … refused the request (INVALID_CREDENTIALS): Invalid request credentials: 2 portals\n" in shown


def test_hosts_that_differ_are_one_failure_and_stay_told_apart() -> None:
    from support.reports import finding, part, plan

    parts = [
        part(
            portal=name,
            found=(
                finding(
                    Code.UNREACHABLE,
                    f"{name}.bitrix24.example can't be reached: there is no such host",
                    "Check the spelling.",
                    line=3,
                    address=name,
                    file=f"portals/{name}.yaml",
                ),
            ),
        )
        for name in ("acme", "globex")
    ]
    document: Report = plan(*parts)
    shown = render(document, "text", Style())
    assert "\nError: … can't be reached: there is no such host: 2 portals\n" in shown
    assert "portals/acme.yaml:3:3 (acme): acme.bitrix24.example\n" in shown


def test_a_limit_that_stops_many_portals_is_told_once_with_the_numbers_of_each() -> None:
    from support.reports import finding, part, plan

    parts = [
        part(
            portal=name,
            found=(
                finding(
                    Code.MAX_CHANGES,
                    f"stopped by a safety limit: max_changes is 3, the plan changes {number}",
                    f"--allow max-changes:{name} lets this one pass.",
                    line=2,
                    address=name,
                ),
            ),
        )
        for number, name in enumerate(("acme", "globex"), 8)
    ]
    shown = render(plan(*parts), "text")
    assert "Error: stopped by a safety limit: max_changes is 3, the plan changes …: 2 portals" in shown
    assert "(globex): 9\n" in shown
    assert "For acme: --allow max-changes:acme lets this one pass." in shown


async def test_variables_that_are_not_set_are_one_failure_that_names_each(box: Box) -> None:
    box.seed({"config_id": 101, "title": "A"})
    for name in ("acme", "globex"):
        text = f"sipsync: 1\nportal: {{webhook: 'env:{name.upper()}_WEBHOOK'}}\n{LINES}"
        (box.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    shown = render(await planned(box), "text")
    assert "Error: the environment variable … is not set: 2 portals\n" in shown
    assert "(acme): ACME_WEBHOOK\n" in shown
    assert "(globex): GLOBEX_WEBHOOK\n" in shown


def test_what_is_wrong_in_several_places_of_one_portal_is_told_of_each() -> None:
    from support.reports import finding, part, plan

    found = tuple(
        finding(
            Code.SECRET_UNSET,
            f"the environment variable SIP_{number}_PASSWORD is not set",
            f"Set it to the secret, or SIP_{number}_PASSWORD_FILE to a file that holds it.",
            line=number,
            address="acme",
        )
        for number in (2, 3)
    )
    shown = render(plan(part(portal="acme", found=found)), "text")
    for number in (2, 3):
        assert f"Error: the environment variable SIP_{number}_PASSWORD is not set" in shown
        assert f"SIP_{number}_PASSWORD_FILE to a file that holds it." in shown
