"""The public documents: a plan, the outcome of an apply, the findings of a check.

They are what leaves the program, so they can't hold a secret: every value is text, a number or null. In memory a plan
is a header and one part for each portal; as JSON its lists of changes and calls are joined under Terraform's keys, so
that tools written for Terraform's plans read it, and `parts` keeps what belongs to each portal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from sipsync import __version__
from sipsync.model.fields import LineType
from sipsync.model.lines import Registration
from sipsync.model.problems import Diagnostic, Exit, worst

FORMAT_VERSION = "1.0"
"""A minor step adds keys, a major one changes them."""

Action: TypeAlias = Literal["no-op", "create", "update", "delete"]


class Document(BaseModel):
    """Frozen, and quiet about its input in errors: what stands in a wrong place may be a password."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Source(Document):
    """Where the file declares a line."""

    file: str
    line: int


class Change(Document):
    """The differing fields of one line. A secret is null on both sides and named in the `_sensitive` maps."""

    actions: tuple[Action, ...]
    before: Mapping[str, str | None] | None
    """None for a create."""
    after: Mapping[str, str | None] | None
    """None for a delete."""
    before_sensitive: Mapping[str, bool] = {}
    after_sensitive: Mapping[str, bool] = {}


class ResourceChange(Document):
    """One line that differs (or, on request, one that does not)."""

    address: str
    mode: Literal["managed"] = "managed"
    type: Literal["sip_line"] = "sip_line"
    name: str
    """The line's key."""
    provider_name: Literal["bitrix24"] = "bitrix24"
    portal: str
    config_id: int | None
    """None for a create."""
    line_type: LineType
    title: str
    """The current title (of a create: the title to be), for people."""
    source: Source
    reregisters: bool
    """Whether the change makes the server register the line anew, which may drop telephone calls."""
    stored_only: bool = False
    """Whether it touches connection data of a line that has no registration: it is stored and nothing else happens."""
    unchanged_fields: int = 0
    """Managed fields that do not differ."""
    change: Change

    @property
    def action(self) -> Action:
        """The one action."""
        return self.change.actions[0]


class PlannedCall(Document):
    """One REST call as planned; secret parameters are null and named in `sensitive`."""

    id: str
    portal: str
    address: str
    method: str
    params: Mapping[str, str | int | None]
    sensitive: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


class Summary(Document):
    """Counts of a plan. `requests` are the writing HTTP requests, `seconds` the expected time under the rate limit."""

    add: int = 0
    change: int = 0
    destroy: int = 0
    unchanged: int = 0
    unmanaged: int = 0
    calls: int = 0
    requests: int = 0
    reregistrations: int = 0
    seconds: float = 0.0

    def __add__(self, other: Summary) -> Summary:
        joined = {name: getattr(self, name) + getattr(other, name) for name in Summary.model_fields}
        # Portals run side by side, so the slowest one tells the time.
        return Summary(**{**joined, "seconds": max(self.seconds, other.seconds)})


class LineEvidence(Document):
    """What a plan saw and means to leave, as keyed fingerprints of each field of one line; {} = no such line."""

    config_id: int | None
    before: Mapping[str, str]
    after: Mapping[str, str]
    temporary: str | None = None
    """The temporary title through which this plan moves the line."""


class Selection(Document):
    """What the operator asked of a plan; part of it, so that apply does the same."""

    lines: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    reregister: tuple[str, ...] = ()
    secrets: bool = True
    """False: planned without reading secrets, passwords not compared."""


class PortalPlan(Document):
    """One portal's part of a plan, digested and sealed by itself, so that merging plans is concatenation."""

    portal: str
    host: str = ""
    owner: str = ""
    """Whose lines the credential sees: `webhook`, or `app:<client_id>`."""
    created: str = ""
    """RFC 3339, UTC."""
    desired: str = ""
    """SHA-256 of the portal's desired state, with references in the place of secrets."""
    selection: Selection = Selection()
    resource_changes: tuple[ResourceChange, ...] = ()
    calls: tuple[PlannedCall, ...] = ()
    evidence: Mapping[str, LineEvidence] = {}
    summary: Summary = Summary()
    diagnostics: tuple[Diagnostic, ...] = ()
    exit: Exit = Exit.OK
    """OK, or why this part can't be applied: ERROR, STALE or GUARD."""
    digest: str = ""
    seal: str = ""

    def substance(self) -> dict[str, Any]:
        """What the digest covers: changes, calls, evidence, selection and the desired state; no time or diagnostics."""
        document = self.model_dump(
            mode="json",
            include={"portal", "desired", "selection", "resource_changes", "calls", "evidence"},
        )
        document["resource_changes"] = [
            change for change in document["resource_changes"] if change["change"]["actions"] != ["no-op"]
        ]
        return document

    @property
    def changes(self) -> tuple[ResourceChange, ...]:
        """The lines that differ."""
        return tuple(change for change in self.resource_changes if change.action != "no-op")


def _by_portal(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row["portal"], []).append(row)
    return grouped


_PART_KEYS = ("resource_changes", "calls", "diagnostics")


class Plan(Document):
    """The ordered changes and API calls that take current to desired, with the evidence needed to apply it later."""

    format_version: str = FORMAT_VERSION
    sipsync_version: str = __version__
    timestamp: str = ""
    """RFC 3339, UTC."""
    parts: tuple[PortalPlan, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    """Findings that belong to no portal."""

    @property
    def resource_changes(self) -> tuple[ResourceChange, ...]:
        """The changes of all portals."""
        return tuple(change for part in self.parts for change in part.resource_changes)

    @property
    def calls(self) -> tuple[PlannedCall, ...]:
        """The calls of all portals; within a portal in the order in which they are sent."""
        return tuple(call for part in self.parts for call in part.calls)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings."""
        return (*self.problems, *(found for part in self.parts for found in part.diagnostics))

    @property
    def summary(self) -> Summary:
        """The counts of all portals."""
        return sum((part.summary for part in self.parts), Summary())

    @property
    def exit(self) -> Exit:
        """OK, or why the plan, or a part of it, can't be applied."""
        own = [Exit.ERROR] if any(found.severity == "error" for found in self.problems) else []
        return worst([*own, *(part.exit for part in self.parts)])

    @property
    def errored(self) -> bool:
        """Whether a portal could not be planned, or a safety limit stopped it."""
        return self.exit is not Exit.OK

    @property
    def complete(self) -> bool:
        """Whether every portal was planned."""
        return all(part.exit in (Exit.OK, Exit.GUARD) for part in self.parts) and self.exit is not Exit.ERROR

    @property
    def has_changes(self) -> bool:
        """Whether any line differs."""
        return any(part.changes for part in self.parts)

    @property
    def applyable(self) -> bool:
        """Whether there is something to apply and nothing against it."""
        return self.has_changes and not self.errored

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted (portal, digest) pairs: equal plans have equal digests."""
        return digest_of(sorted((part.portal, part.digest) for part in self.parts))

    @property
    def plan_id(self) -> str:
        """The first 16 hex digits of the digest."""
        return self.digest[:16]

    def to_json(self) -> dict[str, Any]:
        """The plan as a JSON document: Terraform's keys on top, what belongs to each portal under `parts`."""
        parts = [part.model_dump(mode="json") for part in self.parts]
        problems = [_diagnostic_json(found) for found in self.problems]
        joined = {key: [item for part in parts for item in part[key]] for key in _PART_KEYS}
        return {
            "format_version": self.format_version,
            "sipsync_version": self.sipsync_version,
            "timestamp": self.timestamp,
            "plan_id": self.plan_id,
            "digest": self.digest,
            "applyable": self.applyable,
            "complete": self.complete,
            "errored": self.errored,
            "resource_changes": joined["resource_changes"],
            "calls": joined["calls"],
            "summary": self.summary.model_dump(mode="json"),
            "diagnostics": [*problems, *joined["diagnostics"]],
            "parts": [
                {key: value for key, value in part.items() if key not in _PART_KEYS}
                | {"diagnostics": len(part["diagnostics"])}
                for part in parts
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Plan:
        """The plan that `to_json` wrote.

        Raises KeyError, TypeError or pydantic's ValidationError where the document is not one.
        """
        changes = _by_portal(document["resource_changes"])
        calls = _by_portal(document["calls"])
        found = document["diagnostics"]
        end = len(found) - sum(part["diagnostics"] for part in document["parts"])
        problems = found[:end]
        parts = []
        for part in document["parts"]:
            start, end = end, end + part["diagnostics"]
            parts.append(
                {
                    **part,
                    "resource_changes": changes.get(part["portal"], ()),
                    "calls": calls.get(part["portal"], ()),
                    "diagnostics": found[start:end],
                }
            )
        return cls.model_validate(
            {
                "format_version": document["format_version"],
                "sipsync_version": document["sipsync_version"],
                "timestamp": document["timestamp"],
                "parts": parts,
                "problems": problems,
            }
        )


LineResult: TypeAlias = Literal[
    "applied",  # written and read back
    "done",  # was already as planned; nothing was sent
    "failed",  # the server refused it, or did not carry it out
    "unverified",  # sent, and it is not known what became of it
    "stale",  # changed in Bitrix24 since the plan was made; not touched
    "skipped",  # not attempted, because of something else
    "restored",  # written, found unhealthy, and set back
    "planned",  # dry run: would be sent
]


class LineOutcome(Document):
    """What became of one planned line."""

    address: str
    portal: str
    action: Action
    result: LineResult
    config_id: int | None = None
    """For a create: the id to paste into the file."""
    source: Source | None = None
    reregistered: bool = False
    registration: Registration | None = None
    """What the telephony operator said, where it was asked."""
    calls: int = 0
    """Calls sent for this line, repeats included."""
    error: str = ""
    """The server's own code, "" where it gave none."""
    message: str = ""
    """What happened, in a sentence."""
    advice: str = ""
    """What to do."""


class PortalOutcome(Document):
    """What became of one portal's part of a plan."""

    portal: str
    lines: tuple[LineOutcome, ...] = ()
    calls: tuple[PlannedCall, ...] = ()
    """Of a dry run: the calls that would have been sent."""
    requests: int = 0
    """HTTP requests sent to the portal, reading included."""
    diagnostics: tuple[Diagnostic, ...] = ()
    exit: Exit = Exit.OK


class Outcome(Document):
    """What became of a plan."""

    format_version: str = FORMAT_VERSION
    sipsync_version: str = __version__
    timestamp: str = ""
    plan_id: str = ""
    dry_run: bool = False
    parts: tuple[PortalOutcome, ...] = ()

    @property
    def lines(self) -> tuple[LineOutcome, ...]:
        """The lines of all portals."""
        return tuple(line for part in self.parts for line in part.lines)

    @property
    def calls(self) -> tuple[PlannedCall, ...]:
        """Of a dry run: the calls of all portals."""
        return tuple(call for part in self.parts for call in part.calls)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings."""
        return tuple(found for part in self.parts for found in part.diagnostics)

    def count(self, action: Action, *results: LineResult) -> int:
        """How many lines ended so; by default, how many were written."""
        return sum(line.action == action and line.result in (results or ("applied",)) for line in self.lines)

    @property
    def exit(self) -> Exit:
        """One portal that failed while another was written makes the run partial."""
        exits = [part.exit for part in self.parts]
        wrote = any(line.result in ("applied", "restored", "unverified") for line in self.lines)
        if wrote:
            exits = [Exit.PARTIAL if exit_ is Exit.ERROR else exit_ for exit_ in exits]
        return worst(exits)

    def to_json(self) -> dict[str, Any]:
        """The outcome as a JSON document."""
        return {
            "format_version": self.format_version,
            "sipsync_version": self.sipsync_version,
            "timestamp": self.timestamp,
            "plan_id": self.plan_id,
            "dry_run": self.dry_run,
            "lines": [line.model_dump(mode="json") for line in self.lines],
            "calls": [call.model_dump(mode="json") for call in self.calls],
            "summary": {
                "added": self.count("create"),
                "changed": self.count("update"),
                "destroyed": self.count("delete"),
                "requests": sum(part.requests for part in self.parts),
            },
            "diagnostics": [_diagnostic_json(found) for found in self.diagnostics],
            "exit": int(self.exit),
        }


class Findings(Document):
    """What a check of files found."""

    format_version: str = FORMAT_VERSION
    sipsync_version: str = __version__
    diagnostics: tuple[Diagnostic, ...] = ()
    files: int = 0
    """Files that were read."""
    portals: int = 0
    lines: int = 0

    @property
    def valid(self) -> bool:
        """Whether nothing is an error."""
        return not any(found.severity == "error" for found in self.diagnostics)

    def to_json(self) -> dict[str, Any]:
        """The findings as a JSON document, with the counts that Terraform's `validate -json` gives."""
        errors = sum(found.severity == "error" for found in self.diagnostics)
        return {
            "format_version": self.format_version,
            "sipsync_version": self.sipsync_version,
            "valid": self.valid,
            "error_count": errors,
            "warning_count": len(self.diagnostics) - errors,
            "diagnostics": [_diagnostic_json(found) for found in self.diagnostics],
        }


class _Diagnostics(Document):
    diagnostics: tuple[Diagnostic, ...]


def _diagnostic_json(found: Diagnostic) -> dict[str, Any]:
    dumped: dict[str, Any] = _Diagnostics(diagnostics=(found,)).model_dump(mode="json")["diagnostics"][0]
    return dumped


class LineStatus(Document):
    """One line's registration, as stored in the portal and, where asked, as its operator's side says now."""

    portal: str
    config_id: int
    address: str | None = None
    """None for a line that is not in the file."""
    title: str
    type: LineType
    reg_id: int | None
    status_code: int | None
    status_message: str = ""
    live: Registration | None = None
    incoming_server: str = ""
    incoming_login: str = ""


class Status(Document):
    """The registrations of all lines that the credentials see."""

    lines: tuple[LineStatus, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def exit(self) -> Exit:
        """ERROR where a portal could not be read."""
        return Exit.ERROR if any(found.severity == "error" for found in self.diagnostics) else Exit.OK

    def to_json(self) -> dict[str, Any]:
        """The status as a JSON document."""
        return {
            "format_version": FORMAT_VERSION,
            "sipsync_version": __version__,
            "lines": [line.model_dump(mode="json") for line in self.lines],
            "diagnostics": [_diagnostic_json(found) for found in self.diagnostics],
        }


class SavedLine(Document):
    """One line of a saved state. `password` is the reference that the file gave on that day, never a value."""

    config_id: int
    type: LineType
    title: str
    server: str
    login: str
    password: str | None = None
    reg_id: int | None = None
    line_id: str = ""
    status_code: int | None = None
    status_message: str = ""


class SavedPortal(Document):
    """One portal of a saved state, sealed by itself."""

    portal: str
    host: str
    owner: str
    taken: str
    """RFC 3339, UTC."""
    lines: tuple[SavedLine, ...]
    names: Mapping[str, str]
    default_line: str | None = None
    seal: str = ""

    def substance(self) -> dict[str, Any]:
        """What the seal covers."""
        return self.model_dump(mode="json", exclude={"seal"})


class SavedState(Document):
    """The current state of portals without secrets: what a plan without any credential compares with."""

    format_version: str = FORMAT_VERSION
    sipsync_version: str = __version__
    kind: Literal["sipsync-state"] = "sipsync-state"
    timestamp: str = ""
    portals: tuple[SavedPortal, ...] = ()


class Check(Document):
    """One check of `doctor`: what was looked at, how it is, what to do."""

    portal: str
    name: str
    result: Literal["ok", "warning", "failed", "skipped"]
    detail: str = ""
    advice: str = ""


class Diagnosis(Document):
    """What `doctor` found."""

    checks: tuple[Check, ...] = ()

    @property
    def exit(self) -> Exit:
        """ERROR where a check failed."""
        return Exit.ERROR if any(check.result == "failed" for check in self.checks) else Exit.OK

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as a JSON document."""
        return {
            "format_version": FORMAT_VERSION,
            "sipsync_version": __version__,
            "checks": [check.model_dump(mode="json") for check in self.checks],
        }


def canonical(value: object) -> bytes:
    """The one JSON text of a value: sorted keys, no blanks, UTF-8; a lone surrogate of the server's passes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def digest_of(value: object) -> str:
    """SHA-256 over the canonical JSON, as hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def merge(plans: Iterable[Plan]) -> Plan:
    """Several plans as one: their parts, one after the other."""
    plans = list(plans)
    return Plan(
        timestamp=max((plan.timestamp for plan in plans), default=""),
        parts=tuple(part for plan in plans for part in plan.parts),
        problems=tuple(found for plan in plans for found in plan.problems),
    )
