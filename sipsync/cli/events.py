"""`--json-events`: what happens as one JSON object a line on stdout, under the types that Terraform's `-json` uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sipsync import __version__
from sipsync.cli import streams
from sipsync.model.events import Event, LineDone, LineStarted, PortalDone, PortalStarted, Stopping, Waiting

if TYPE_CHECKING:
    from sipsync.model.documents import Outcome, Plan, ResourceChange
    from sipsync.model.problems import Diagnostic

Level = Literal["info", "warn", "error"]
_DOING = {"add": "Creating", "create": "Creating", "update": "Modifying", "delete": "Destroying"}
_DONE = {"add": "Creation", "create": "Creation", "update": "Modifications", "delete": "Destruction"}


class EventStream:
    """Events of a run, written as they happen. `write` is given whole lines; None writes nothing."""

    def __init__(self, write: Callable[[str], None] | None, now: Callable[[], datetime]) -> None:
        self._write = write
        self._now = now
        self._reading: set[str] = set()
        self._emit("version", f"sipsync {__version__}", sipsync=__version__, ui="1.0")

    def __call__(self, event: Event) -> None:
        """Write what an event says."""
        match event:
            case PortalStarted(portal, work) if work != "apply":
                self._reading.add(portal)
                self._emit("refresh_start", f"{portal}: Reading...", hook={"resource": _portal(portal)})
            case PortalDone(portal) if portal in self._reading:
                self._reading.discard(portal)
                self._emit("refresh_complete", f"{portal}: Read", hook={"resource": _portal(portal)})
            case LineStarted(address, action):
                hook = {"resource": _resource(address), "action": action}
                self._emit("apply_start", f"{address}: {_DOING[action]}...", hook=hook)
            case LineDone(address, action, ok):
                self._line_done(address, action, ok)
            case Waiting(portal, seconds, reason):
                self._emit("log", f"{portal}: waiting {seconds:.1f} s ({reason})")
            case Stopping(in_flight):
                self._emit("log", "Stopping; in flight: " + (", ".join(in_flight) or "nothing"), level="warn")
            case _:
                pass

    def planned(self, plan: Plan) -> None:
        """Write the changes of a plan, its counts and its findings."""
        for change in plan.resource_changes:
            if change.action != "no-op":
                self._emit("planned_change", f"{change.address}: Plan to {change.action}", change=_change(change))
        self._diagnostics(plan.diagnostics)
        counts = plan.summary
        self._summary("plan", counts.add, counts.change, counts.destroy)

    def applied(self, outcome: Outcome) -> None:
        """Write the findings of an apply, and the counts of what was written."""
        self._diagnostics(outcome.diagnostics)
        self._summary("apply", outcome.count("create"), outcome.count("update"), outcome.count("delete"))

    def _line_done(self, address: str, action: str, ok: bool) -> None:
        type_ = "apply_complete" if ok else "apply_errored"
        message = f"{address}: {_DONE[action]} {'complete' if ok else 'errored'}"
        hook = {"resource": _resource(address), "action": action}
        self._emit(type_, message, level="info" if ok else "error", hook=hook)

    def _summary(self, operation: Literal["plan", "apply"], add: int, change: int, remove: int) -> None:
        if operation == "plan":
            message = f"Plan: {add} to add, {change} to change, {remove} to destroy."
        else:
            message = f"Apply complete! Resources: {add} added, {change} changed, {remove} destroyed."
        changes = {"add": add, "change": change, "import": 0, "remove": remove, "operation": operation}
        self._emit("change_summary", message, changes=changes)

    def _diagnostics(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        for found in diagnostics:
            level: Level = "error" if found.severity == "error" else "warn"
            message = f"{found.severity.capitalize()}: {found.summary}"
            self._emit("diagnostic", message, level=level, diagnostic=_diagnostic(found))

    def _emit(self, type_: str, message: str, *, level: Level = "info", **more: Any) -> None:
        if self._write is None:
            return
        head = {"@level": level, "@message": message, "@module": "sipsync.ui"}
        when = self._now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        line = json.dumps({**head, "@timestamp": when, "type": type_, **more}, ensure_ascii=True)
        self._write(line + "\n")


SILENT = EventStream(None, lambda: datetime.now(UTC))


def stream(wanted: bool) -> EventStream:
    """The stream on stdout, or one that writes nothing."""
    return EventStream(streams.write, lambda: datetime.now(UTC)) if wanted else SILENT


def _portal(name: str) -> dict[str, str]:
    return {"addr": name, "module": "", "resource": name, "resource_type": "portal", "resource_name": name}


def _resource(address: str) -> dict[str, str]:
    """Terraform's description of a resource."""
    name = address.partition(".")[2]
    return {"addr": address, "module": "", "resource": address, "resource_type": "sip_line", "resource_name": name}


def _change(change: ResourceChange) -> dict[str, Any]:
    return {"resource": _resource(change.address), "action": change.action, "reregisters": change.reregisters}


def _diagnostic(found: Diagnostic) -> dict[str, Any]:
    told: dict[str, Any] = {
        "severity": found.severity,
        "code": found.code.value,
        "summary": found.summary,
        "detail": found.hint,
        "address": found.address,
    }
    if found.at:
        start = {"line": found.at.line, "column": found.at.column}
        end = {"line": found.at.line, "column": found.at.end_column or found.at.column}
        told["range"] = {"filename": found.at.file, "start": start, "end": end}
    return told
