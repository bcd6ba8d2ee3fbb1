"""JUnit: a suite for each portal, a case for each line applied or checked, so that CI shows which lines went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sipsync.model.findings import Findings
from sipsync.model.outcome import LineOutcome, Outcome, PortalOutcome
from sipsync.model.plan import Plan, PortalPlan, ResourceChange
from sipsync.model.problems import Diagnostic
from sipsync.report import Style
from sipsync.report.causes import Cause, by_cause
from sipsync.report.changes import block, fields
from sipsync.report.escape import visible
from sipsync.report.findings import hint
from sipsync.report.outcomes import what
from sipsync.report.wording import RESULTS, count


@dataclass(frozen=True, slots=True)
class Case:
    """One test case. `visible` has been over every text: XML 1.0 has no control characters, not even escaped ones."""

    suite: str
    name: str
    text: str = ""
    result: Literal["system-out", "failure", "error", "skipped"] = "system-out"
    """The element that holds the text; the first is of a case that passed, if it says anything."""
    type: str = ""
    """Of a failure or an error, as its message."""
    message: str = ""


def render(document: Plan | Outcome | Findings, style: Style) -> str:
    """The cases as XML."""
    suites: dict[str, list[Case]] = {}
    for case in _cases(document, style):
        suites.setdefault(case.suite, []).append(case)
    root = Element("testsuites", name="sipsync")
    for name, cases in suites.items():
        results = Counter(case.result for case in cases)
        counts = {"tests": len(cases), "failures": results["failure"], "errors": results["error"]}
        counts["skipped"] = results["skipped"]
        suite = SubElement(root, "testsuite", {"name": name} | {key: str(number) for key, number in counts.items()})
        for case in cases:
            element = SubElement(suite, "testcase", classname=case.suite, name=case.name)
            if case.result != "system-out" or case.text:
                told = {"type": case.type, "message": case.message} if case.result in ("failure", "error") else {}
                SubElement(element, case.result, told).text = case.text
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _cases(document: Plan | Outcome | Findings, style: Style) -> Iterator[Case]:
    match document:
        case Plan():
            yield from _findings("sipsync", document.problems, style)
            shared = _shared(document)
            yield from (_finding("sipsync", cause, style) for cause in shared)
            for part in document.parts:
                yield from _planned(part, _told_already(shared), style)
        case Outcome():
            yield from _findings("sipsync", document.problems, style)
            shared = _shared(document)
            yield from (_finding("sipsync", cause, style) for cause in shared)
            for done in document.parts:
                yield from _applied(done, _told_already(shared), style)
        case Findings():
            yield from _findings("sipsync validate", document.diagnostics, style)
            if document.valid:
                yield Case("sipsync validate", "files")


def _shared(document: Plan | Outcome) -> list[Cause]:
    """What several portals have in common: a case for all of them."""
    found = [each for part in document.parts for each in part.diagnostics]
    return [cause for cause in by_cause(found) if cause.is_of_portals]


def _told_already(shared: Iterable[Cause]) -> set[Diagnostic]:
    return {found for cause in shared for found in cause.diagnostics}


def _planned(part: PortalPlan, shared: set[Diagnostic], style: Style) -> Iterator[Case]:
    """A planned change is no failure, but where the plan looks for drift; what stands against it is one of the run."""
    suite = visible(part.portal)
    yield from _findings(suite, (found for found in part.diagnostics if found not in shared), style)
    if not part.exit:
        yield Case(suite, "plan", f"{len(part.changes)} to do, {part.summary.unchanged} as desired")
    elif _errors(part) <= shared:
        yield Case(suite, "plan", "not planned, for a reason that is told once for the whole run", "skipped")
    for change in part.resource_changes:
        name, text = visible(change.address), "\n".join(map(str, block(change, part)))
        if style.drift and change.action != "no-op":
            yield Case(suite, name, text, "failure", "drift", _drift(change))
        else:
            yield Case(suite, name, text)


def _drift(change: ResourceChange) -> str:
    """How a line differs from the file."""
    told = {"create": "it is not in Bitrix24", "delete": "it is still in Bitrix24"}
    return told.get(change.action, f"differs from the file: {', '.join(map(visible, fields(change.change)))}")


def _applied(part: PortalOutcome, shared: set[Diagnostic], style: Style) -> Iterator[Case]:
    suite = visible(part.portal)
    told = {(line.address, line.message) for line in part.lines}
    others = [found for found in part.diagnostics if (found.address, found.summary) not in told and found not in shared]
    yield from _findings(suite, others, style)
    for line in part.lines:
        yield _line(suite, line)
    if part.exit and not part.lines and _errors(part) <= shared:
        yield Case(suite, "apply", "not applied, for a reason that is told once for the whole run", "skipped")


def _errors(part: PortalPlan | PortalOutcome) -> set[Diagnostic]:
    return {found for found in part.diagnostics if found.severity == "error"}


def _line(suite: str, line: LineOutcome) -> Case:
    name, message = visible(line.address), visible(line.message or line.result)
    if line.result in ("planned", "skipped"):
        return Case(suite, name, message, "skipped")
    if RESULTS[line.result].code or line.result == "restored":
        type = visible(line.error or line.code or line.result)
        return Case(suite, name, visible(line.advice), "failure", type, message)
    return Case(suite, name, what(line))


def _findings(suite: str, found: Iterable[Diagnostic], style: Style) -> Iterator[Case]:
    return (_finding(suite, cause, style) for cause in by_cause(found))


def _finding(suite: str, cause: Cause, style: Style) -> Case:
    """An error is a case that failed; a warning is one that passed and says something."""
    finding, summary = cause.told, visible(cause.told.summary)
    several = len(cause.places) > 1
    place = "".join(cause.places)
    if several:
        portals = len(cause.portals)
        place = count(portals, "portal") if portals > 1 else count(len(cause.places), "place")
    name = f"{place}: {finding.code}" if place else str(finding.code)
    text = "\n".join(filter(None, (summary, *(cause.places if several else ()), hint(finding, style))))
    wrong: Literal["error", "failure"] = "error" if style.drift else "failure"  # a failure is what the run looks for
    return Case(suite, name, text, wrong if finding.severity == "error" else "system-out", finding.code, summary)
