"""JUnit: a suite for each portal, a case for each line applied or checked, so that CI shows which lines went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Case:
    """One test case. `visible` has been over every text: XML 1.0 has no control characters, not even escaped ones."""

    suite: str
    name: str
    result: Literal["passed", "failure", "skipped"] = "passed"
    type: str = ""
    message: str = ""
    text: str = ""


@dataclass(slots=True)
class _Suite:
    cases: list[Case] = field(default_factory=list)

    def count(self, result: str) -> str:
        return str(sum(case.result == result for case in self.cases))


def render(document: Plan | Outcome | Findings, style: Style) -> str:
    """The cases as XML."""
    suites: dict[str, _Suite] = {}
    for case in _cases(document, style):
        suites.setdefault(case.suite, _Suite()).cases.append(case)
    root = Element("testsuites", name="sipsync")
    for name, suite in suites.items():
        element = SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(suite.cases)),
            failures=suite.count("failure"),
            errors="0",
            skipped=suite.count("skipped"),
        )
        for case in suite.cases:
            _write(case, element)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _write(case: Case, suite: Element) -> None:
    element = SubElement(suite, "testcase", classname=case.suite, name=case.name)
    if case.result == "passed":
        if case.text:
            SubElement(element, "system-out").text = case.text
        return
    result = SubElement(element, case.result)
    if case.result == "skipped":
        result.text = case.message
    else:
        result.set("type", case.type)
        result.set("message", case.message)
        result.text = case.text


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
        yield Case(suite, "plan", text=f"{len(part.changes)} to do, {part.summary.unchanged} as desired")
    for change in part.resource_changes:
        told = "\n".join(map(str, block(change, part)))
        yield Case(suite, visible(change.address), text=told)


def _applied(part: PortalOutcome, style: Style) -> Iterator[Case]:
    suite = visible(part.portal)
    told = {(line.address, line.message) for line in part.lines}
    others = [found for found in part.diagnostics if (found.address, found.summary) not in told]
    yield from _findings(suite, others, style)
    for line in part.lines:
        yield _line(suite, line)


def _line(suite: str, line: LineOutcome) -> Case:
    case = Case(suite, visible(line.address))
    case.message = visible(line.message or line.result)
    case.text = visible(line.advice)
    if line.result in ("planned", "skipped"):
        case.result = "skipped"
    elif RESULTS[line.result].code or line.result == "restored":
        case.result, case.type = "failure", visible(line.error or line.code or line.result)
    else:
        case.text = what(line)
    return case


def _findings(suite: str, found: Iterable[Diagnostic], style: Style) -> Iterator[Case]:
    """An error is a case that failed; a warning is one that passed and says something."""
    for finding in found:
        place = where(finding)
        name = f"{place}: {finding.code}" if place else str(finding.code)
        text = "\n".join(filter(None, (visible(finding.summary), hint(finding, style))))
        case = Case(suite, name, type=str(finding.code), message=visible(finding.summary), text=text)
        if finding.severity == "error":
            case.result = "failure"
        yield case
