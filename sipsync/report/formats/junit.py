"""JUnit: a suite for each portal, a case for each line applied or checked, so that CI shows which lines went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sipsync.model.findings import Findings
from sipsync.model.outcome import LineOutcome, Outcome, PortalOutcome
from sipsync.model.plan import Plan, PortalPlan
from sipsync.model.problems import Diagnostic
from sipsync.report import Style
from sipsync.report.changes import block
from sipsync.report.escape import visible
from sipsync.report.findings import hint
from sipsync.report.outcomes import what
from sipsync.report.wording import RESULTS, where


@dataclass(frozen=True, slots=True)
class Case:
    """One test case. `visible` has been over every text: XML 1.0 has no control characters, not even escaped ones."""

    suite: str
    name: str
    text: str = ""
    result: Literal["system-out", "failure", "skipped"] = "system-out"
    """The element that holds the text; the first is of a case that passed, if it says anything."""
    type: str = ""
    """Of a failure, as its message."""
    message: str = ""


def render(document: Plan | Outcome | Findings, style: Style) -> str:
    """The cases as XML."""
    suites: dict[str, list[Case]] = {}
    for case in _cases(document, style):
        suites.setdefault(case.suite, []).append(case)
    root = Element("testsuites", name="sipsync")
    for name, cases in suites.items():
        results = Counter(case.result for case in cases)
        counts = {"tests": len(cases), "failures": results["failure"], "errors": 0, "skipped": results["skipped"]}
        suite = SubElement(root, "testsuite", {"name": name} | {key: str(number) for key, number in counts.items()})
        for case in cases:
            element = SubElement(suite, "testcase", classname=case.suite, name=case.name)
            if case.result != "system-out" or case.text:
                told = {"type": case.type, "message": case.message} if case.result == "failure" else {}
                SubElement(element, case.result, told).text = case.text
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _cases(document: Plan | Outcome | Findings, style: Style) -> Iterator[Case]:
    match document:
        case Plan():
            yield from _findings("sipsync", document.problems, style)
            for part in document.parts:
                yield from _planned(part, style)
        case Outcome():
            for done in document.parts:
                yield from _applied(done, style)
        case Findings():
            yield from _findings("sipsync validate", document.diagnostics, style)
            if document.valid:
                yield Case("sipsync validate", "files")


def _planned(part: PortalPlan, style: Style) -> Iterator[Case]:
    """A planned change is no failure; what stands against it is."""
    suite = visible(part.portal)
    yield from _findings(suite, part.diagnostics, style)
    if not part.exit:
        yield Case(suite, "plan", f"{len(part.changes)} to do, {part.summary.unchanged} as desired")
    for change in part.resource_changes:
        yield Case(suite, visible(change.address), "\n".join(map(str, block(change, part))))


def _applied(part: PortalOutcome, style: Style) -> Iterator[Case]:
    suite = visible(part.portal)
    told = {(line.address, line.message) for line in part.lines}
    others = [found for found in part.diagnostics if (found.address, found.summary) not in told]
    yield from _findings(suite, others, style)
    for line in part.lines:
        yield _line(suite, line)


def _line(suite: str, line: LineOutcome) -> Case:
    name, message = visible(line.address), visible(line.message or line.result)
    if line.result in ("planned", "skipped"):
        return Case(suite, name, message, "skipped")
    if RESULTS[line.result].code or line.result == "restored":
        type = visible(line.error or line.code or line.result)
        return Case(suite, name, visible(line.advice), "failure", type, message)
    return Case(suite, name, what(line))


def _findings(suite: str, found: Iterable[Diagnostic], style: Style) -> Iterator[Case]:
    """An error is a case that failed; a warning is one that passed and says something."""
    for finding in found:
        place, summary = where(finding), visible(finding.summary)
        name = f"{place}: {finding.code}" if place else str(finding.code)
        text = "\n".join(filter(None, (summary, hint(finding, style))))
        result: Literal["failure", "system-out"] = "failure" if finding.severity == "error" else "system-out"
        yield Case(suite, name, text, result, str(finding.code), summary)
