"""The outcome of an apply as text: first what needs a hand, then what was done, last how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Span
from sipsync.report import Style
from sipsync.report.causes import cause
from sipsync.report.escape import visible
from sipsync.report.findings import one, told
from sipsync.report.groups import groups
from sipsync.report.wording import ACTIONS, RESULTS, Paint, apply_line, call_line, count, reregistered_line

if TYPE_CHECKING:
    from sipsync.model.outcome import LineOutcome, Outcome


def outcome(document: Outcome, style: Style, paint: Paint) -> Iterator[str]:
    """What became of a plan, or, of a dry run, what would."""
    findings = findings_of(document)
    # A title that a broken swap left behind is the one thing to know, even above what was done.
    left = [found for found in findings if found.code is Code.TEMPORARY_LEFT]
    for found in left:
        yield from one(cause([found]), style, paint)
    if document.dry_run:
        yield from _calls(document, paint)
    yield from _lines(document, style, paint)
    yield from told([found for found in findings if found.code is not Code.TEMPORARY_LEFT], style, paint)
    yield ""
    yield paint("bold" if document.exit or document.dry_run else "green bold", apply_line(document))
    if document.lines and all(line.result == "done" for line in document.lines):
        yield "Already applied: nothing was sent."
    elif not document.dry_run:
        yield from _sent(document)
    registered = reregistered_line(document)
    if registered:
        yield registered


def _sent(document: Outcome) -> Iterator[str]:
    """What the apply cost. Of portals where nothing was to be done it knows no requests: the plan alone read them."""
    asked = [part.requests for part in document.parts if part.requests]
    if asked:
        calls = count(sum(line.calls for line in document.lines), "API call")
        of = "in all" if len(asked) == len(document.parts) else f"to {len(asked)} of {len(document.parts)} portals"
        yield f"{calls} sent; {count(sum(asked), 'request')} {of}, reading included."


def findings_of(document: Outcome) -> list[Diagnostic]:
    """All findings, and each line that was missed as one; what is said of a line already is not said twice."""
    told = {(found.address, found.summary) for found in document.diagnostics}
    missed = [line for line in document.lines if RESULTS[line.result].code and (line.address, line.message) not in told]
    return [*document.diagnostics, *map(_missed, missed)]


def _missed(line: LineOutcome) -> Diagnostic:
    name = line.error or line.code or ""
    code = f" ({name})" if name not in line.message else ""
    return Diagnostic(
        RESULTS[line.result].code or Code.WRITE_FAILED,
        Message("{said}{code}", said=line.message or f"the line was not {ACTIONS[line.action].done}", code=code),
        hint=line.advice,
        at=Span(line.source.file, line.source.line) if line.source else None,
        address=line.address,
    )


def _calls(document: Outcome, paint: Paint) -> Iterator[str]:
    if document.calls:
        yield from ("", paint("bold", "These calls would be sent, in this order for each portal:"))
    for call in document.calls:
        waits = f", after {visible(', '.join(call.depends_on))}" if call.depends_on else ""
        yield from ("", paint("dim", f"  # {visible(call.id)}: {visible(call.address)}{waits}"), f"  {call_line(call)}")


def _lines(document: Outcome, style: Style, paint: Paint) -> Iterator[str]:
    """What many lines have in common, then a row for each; one that needs a look is never left out."""
    shown = [line for line in document.lines if line.result in ("applied", "done", "restored")]
    told = groups(shown, everything=style.all, odd=_needs_a_look)
    if told.facts:
        yield from ("", paint("bold", "Equal changes:"), *(fact.row(paint) for fact in told.facts))
    if told.shown:
        yield ""
    for line in told.shown:
        yield f"{visible(line.address)}: {paint(RESULTS[line.result].look, what(line))}"
    if told.hidden:
        yield paint("bold", f"and {told.rest(style.way_to_all)}")


def _needs_a_look(line: LineOutcome) -> bool:
    """Whether more is to be said of a line than that it is as planned now."""
    registered = line.registration is None or line.registration.result == "success"
    return line.result == "restored" or not registered or bool(line.advice)


def what(line: LineOutcome) -> str:
    """What became of one line, in a few words."""
    if line.result == "done":
        return RESULTS["done"].name
    said = [RESULTS["restored"].name if line.result == "restored" else ACTIONS[line.action].done]
    if line.action == "create" and line.config_id is not None:
        said[0] += f" as config_id {line.config_id}"
    if line.registration is not None:
        message = f" ({line.registration.message})" if line.registration.message else ""
        said.append(f"registration: {line.registration.result.replace('_', ' ')}{message}")
    elif line.reregistered:
        said.append("re-registered")
    said += [text for text in (line.message, line.advice) if text]
    return visible("; ".join(text.rstrip(".") for text in said))
