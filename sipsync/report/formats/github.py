"""GitHub's annotations: one workflow command for each finding, at the place in the file where there is one.

A job shows ten of each kind, so errors come first and equal ones once.
"""

from __future__ import annotations

from collections.abc import Iterator

from sipsync.model.findings import Findings
from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.report import Style
from sipsync.report.causes import Cause, by_cause
from sipsync.report.escape import visible
from sipsync.report.findings import hint
from sipsync.report.outcomes import findings_of
from sipsync.report.wording import apply_line, cost_line, drift_line, no_changes, plan_line


def render(document: Plan | Outcome | Findings, style: Style) -> str:
    """The annotations, one to a line."""
    return "".join(f"{line}\n" for line in dict.fromkeys(_lines(document, style)))


def _lines(document: Plan | Outcome | Findings, style: Style) -> Iterator[str]:
    found = findings_of(document) if isinstance(document, Outcome) else document.diagnostics
    for cause in by_cause(sorted(found, key=lambda finding: finding.severity != "error")):
        yield annotation(cause, style)
    if isinstance(document, Plan) and document.has_changes:
        told = f"{plan_line(document.summary)}\n{cost_line(document)}"
        if style.drift:
            yield _command("warning", {"title": "sipsync drift"}, f"{drift_line(document)}\n{told}")
        else:
            yield _command("notice", {"title": "sipsync plan"}, told)
    elif isinstance(document, Plan) and not document.errored:
        yield _command("notice", {"title": "sipsync drift" if style.drift else "sipsync plan"}, no_changes(document))
    elif isinstance(document, Outcome):
        yield _command("notice", {"title": "sipsync apply"}, apply_line(document))


def annotation(cause: Cause, style: Style) -> str:
    """One cause as a workflow command, at the first of its places."""
    properties: dict[str, str] = {}
    finding, at = cause.told, cause.told.at
    if at is not None:
        properties |= {"file": visible(at.file.replace("\\", "/")), "line": str(at.line), "col": str(at.column)}
        if at.end_column:
            properties["endColumn"] = str(at.end_column)
    properties["title"] = f"sipsync: {finding.code}"
    several = len(cause.places) > 1
    address = f"{visible(finding.address)}: " if finding.address and not several else ""
    rows = (f"{address}{visible(finding.summary)}", *(cause.places if several else ()), hint(finding, style))
    return _command(finding.severity, properties, "\n".join(filter(None, rows)))


def _command(name: str, properties: dict[str, str], message: str) -> str:
    given = ",".join(
        f"{key}={_data(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::{name} {given}::{_data(message)}"


def _data(text: str) -> str:
    """The escapes of the runner's own toolkit."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
