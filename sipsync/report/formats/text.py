"""Any document for people at a terminal, in the words that readers and tools of Terraform know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sipsync.report import Style, wording
from sipsync.report.changes import Row, block
from sipsync.report.findings import told
from sipsync.report.groups import groups
from sipsync.report.outcomes import outcome
from sipsync.report.tables import diagnosis, status
from sipsync.report.wording import Paint

if TYPE_CHECKING:
    from sipsync.model.document import Report
    from sipsync.model.findings import Findings
    from sipsync.model.plan import Plan

Lines = Callable[[Any, Style, Paint], Iterator[str]]


def render(document: Report, style: Style) -> str:
    """The document as text."""
    lines = list(_LINES[type(document).__name__](document, style, Paint(style.color)))
    while lines and not lines[0]:
        del lines[0]
    return "".join(f"{line}\n" for line in lines)


def plan(document: Plan, style: Style, paint: Paint) -> Iterator[str]:
    """The changes, what they cost, and what is to be said about them."""
    yield from changes(document, style, paint)
    yield from totals(document, style, paint)
    yield from told(document.diagnostics, style, paint)
    missing = wording.not_planned(document)
    if missing:
        yield from ("", paint("bold", missing))
    if document.has_changes:
        yield from ("", paint("dim", f"Changes digest: {document.changes_digest}"))


def changes(document: Plan, style: Style, paint: Paint) -> Iterator[str]:
    """The changes: a legend of the marks that occur, what many have in common, then each in a block."""
    actions = {change.action for change in document.resource_changes} - {"no-op"}
    if actions:
        yield "sipsync will perform the following actions, marked by these symbols:"
        for action, words in wording.ACTIONS.items():
            if action in actions:
                yield f"  {paint(words.look, words.mark)} {words.name}"
    told = groups(document.resource_changes, everything=style.all)
    if told.facts:
        yield from ("", paint("bold", "Equal changes:"), *(fact.row(paint) for fact in told.facts))
    parts = {part.portal: part for part in document.parts}
    for change in told.shown:
        yield ""
        yield from (painted(row, paint) for row in block(change, parts[change.portal]))
    if told.hidden:
        yield from ("", paint("bold", told.rest(style.way_to_all)))


def painted(row: Row, paint: Paint) -> str:
    """A row of a block in Terraform's colours."""
    if row.mark:
        return f"{' ' * row.indent}{paint(wording.MARK_LOOKS[row.mark], row.mark)} {row.text}"
    look = {"head": "bold", "note": "dim"}.get(row.kind)
    return f"{' ' * row.indent}{paint(look, row.text)}" if look else str(row)


def totals(document: Plan, style: Style, paint: Paint) -> Iterator[str]:
    """The line that says whether there is anything to do, and what it costs."""
    if document.has_changes and style.drift:
        yield from ("", paint("yellow bold", f"Drift: {wording.drift_line(document)}."))
    if document.has_changes:
        yield from ("", paint("bold", wording.plan_line(document.summary)), wording.cost_line(document))
        if document.summary.reregistrations:
            yield wording.REREGISTRATION
    elif not document.errored:
        yield from ("", paint("bold" if document.unverified else "green bold", wording.no_changes(document)))
    if document.unverified and document.has_changes:
        yield paint("yellow bold", wording.UNVERIFIED)


def findings(document: Findings, style: Style, paint: Paint) -> Iterator[str]:
    """The findings and, where files were checked, whether they are valid."""
    yield from told(document.diagnostics, style, paint)
    checked = ", ".join(
        wording.count(number, noun)
        for number, noun in ((document.files, "file"), (document.portals, "portal"), (document.lines, "line"))
        if number
    )
    if document.valid and (document.files or not document.diagnostics):
        yield from ("", f"{paint('green bold', 'Success!')} The configuration is valid{checked and f': {checked}'}.")
    elif document.files:
        also = f", {wording.count(document.warning_count, 'warning')}" if document.warning_count else ""
        errors, files = wording.count(document.error_count, "error"), wording.count(document.files, "file")
        yield from ("", paint("bold", f"{errors}{also} in {files}."))


_LINES: dict[str, Lines] = {
    "Plan": plan,
    "Outcome": outcome,
    "Findings": findings,
    "Status": status,
    "Diagnosis": diagnosis,
}
