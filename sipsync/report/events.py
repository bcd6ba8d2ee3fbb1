"""`--json-events`: what happens as one JSON object a line, with the types and keys of Terraform's UI stream.

The time comes from the caller; each method returns the objects that an event or a document is worth.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sipsync._version import __version__
from sipsync.model.document import FORMAT_VERSION
from sipsync.model.events import Event, LineDone, LineStarted, PortalDone, PortalStarted, Stopping, Waiting
from sipsync.model.lines import Address
from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.model.problems import Diagnostic
from sipsync.report.escape import visible
from sipsync.report.formats.json import dumped
from sipsync.report.outcomes import findings_of
from sipsync.report.wording import apply_line, plan_line

Message = dict[str, Any]

_TERRAFORM_ACTIONS = {"no-op": "noop"}
_DOING = {"create": "Creating", "update": "Modifying", "delete": "Destroying"}
_DONE = {"create": "Creation", "update": "Modifications", "delete": "Destruction"}
_WORK = {"plan": "reading", "read": "reading", "apply": "applying"}


def line_of(message: Message) -> str:
    """The object as one line of the stream."""
    return dumped(message) + "\n"


class Stream:
    """Turns what happens into objects; it only remembers which lines are under way, and since when."""

    def __init__(self) -> None:
        self._started: dict[Address, tuple[str, datetime]] = {}

    def version(self, now: datetime) -> Message:
        """The first object of a stream."""
        return _message(now, "version", f"sipsync {__version__}", sipsync=__version__, ui=FORMAT_VERSION)

    def event(self, event: Event, now: datetime) -> Iterator[Message]:
        """What an event is worth."""
        match event:
            case LineStarted(address, action):
                self._started[address] = (action, now)
                yield _message(now, "apply_start", f"{address}: {_DOING[action]}...", hook=_hook(address, action))
            case LineDone(address, action, ok):
                yield self._done(address, action, ok, now)
            case Waiting(portal, seconds, reason):
                yield _message(now, "log", f"{portal}: waiting {seconds:.0f} s ({reason})")
                yield from self._under_way(portal, now)
            case PortalStarted(portal, work):
                yield _message(now, "log", f"{portal}: {_WORK[work]}")
            case PortalDone(portal, failed):
                yield _message(now, "log", f"{portal}: {'failed' if failed else 'done'}")
            case Stopping(in_flight):
                told = f"sent and not answered yet: {', '.join(in_flight)}" if in_flight else "nothing is under way"
                yield _message(now, "log", f"Stopping; {told}", level="warn")

    def _done(self, address: Address, action: str, ok: bool, now: datetime) -> Message:
        since = self._started.pop(address, (action, now))[1]
        elapsed, hook = _since(since, now, address, action)
        if ok:
            return _message(now, "apply_complete", f"{address}: {_DONE[action]} complete after {elapsed}s", hook=hook)
        told = f"{address}: {_DONE[action]} errored after {elapsed}s"
        return _message(now, "apply_errored", told, level="error", hook=hook)

    def _under_way(self, portal: str, now: datetime) -> Iterator[Message]:
        for address, (action, since) in self._started.items():
            if address.portal == portal:
                elapsed, hook = _since(since, now, address, action)
                told = f"{address}: Still {_DOING[action].lower()}... [{elapsed}s elapsed]"
                yield _message(now, "apply_progress", told, hook=hook)

    def plan(self, plan: Plan, now: datetime) -> Iterator[Message]:
        """The planned changes, the findings and the counts."""
        for change in plan.resource_changes:
            planned = _hook(change.address, _TERRAFORM_ACTIONS.get(change.action, change.action))
            yield _message(now, "planned_change", f"{change.address}: Plan to {change.action}", change=planned)
        for found in plan.diagnostics:
            yield diagnostic(found, now)
        summary = plan.summary
        yield _summary(now, "plan", plan_line(summary), summary.add, summary.change, summary.destroy)

    def outcome(self, outcome: Outcome, now: datetime) -> Iterator[Message]:
        """The findings and the counts of an apply."""
        for found in findings_of(outcome):
            yield diagnostic(found, now)
        counts = (outcome.count("create"), outcome.count("update"), outcome.count("delete"))
        yield _summary(now, "apply", apply_line(outcome), *counts)


def _message(now: datetime, kind: str, text: str, *, level: str = "info", **more: object) -> Message:
    head = {
        "@level": level,
        "@message": visible(text),
        "@module": "sipsync.ui",
        "@timestamp": now.isoformat(timespec="microseconds"),
    }
    return head | more | {"type": kind}


def _resource(address: Address) -> Message:
    return {
        "addr": address,
        "module": "",
        "resource": address,
        "implied_provider": "bitrix24",
        "resource_type": "sip_line",
        "resource_name": address.key,
        "resource_key": None,
    }


def _hook(address: Address, action: str) -> Message:
    return {"resource": _resource(address), "action": action}


def _since(since: datetime, now: datetime, address: Address, action: str) -> tuple[int, Message]:
    """The seconds that a line has taken, and its hook with them."""
    elapsed = round((now - since).total_seconds())
    return elapsed, _hook(address, action) | {"elapsed_seconds": elapsed}


def _summary(now: datetime, operation: str, text: str, add: int, change: int, remove: int) -> Message:
    changes = {"add": add, "change": change, "import": 0, "remove": remove, "operation": operation}
    return _message(now, "change_summary", text, changes=changes)


def diagnostic(found: Diagnostic, now: datetime) -> Message:
    """A finding with Terraform's keys, and its code."""
    told: Message = {"severity": found.severity, "summary": found.summary, "detail": found.hint, "code": found.code}
    if found.address:
        told["address"] = found.address
    if (at := found.at) is not None:
        start, end = ({"line": at.line, "column": column} for column in (at.column, max(at.end_column, at.column)))
        told["range"] = {"filename": at.file, "start": start, "end": end}
    level = "error" if found.severity == "error" else "warn"
    text = f"{found.severity.capitalize()}: {found.summary}"
    return _message(now, "diagnostic", text, level=level, diagnostic=told)
