"""A plan: a header and one part for each portal; what each part changes, calls, saw and is sealed with.

In memory a plan is its parts. As JSON its lists of changes and calls are joined under Terraform's keys, so that tools
written for Terraform's plans read it, and `parts` keeps what belongs to each portal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Literal

from pydantic import Field

from sipsync.model.document import Digest, Document, PlanId, Report, digest_of, digest_of_all
from sipsync.model.fields import LineType
from sipsync.model.lines import Action, Address
from sipsync.model.options import Selection
from sipsync.model.problems import Code, Diagnostic, Exit, worst


class Source(Document):
    """Where the file declares a line."""

    file: str
    line: int


class Change(Document):
    """The differing fields of one line. A secret is null on both sides and named in the `_sensitive` maps."""

    actions: tuple[Action, ...] = Field(min_length=1)
    before: Mapping[str, str | None] | None
    """None for a create."""
    after: Mapping[str, str | None] | None
    """None for a delete."""
    before_sensitive: Mapping[str, bool] = {}
    after_sensitive: Mapping[str, bool] = {}
    references: Mapping[str, str] = {}
    """Where the secrets come from that it sets: `env:NAME` and the like, in the place of values."""


class ResourceChange(Document):
    """One line that differs (or, on request, one that does not)."""

    address: Address
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

    def reviewed(self) -> list[object]:
        """What a reviewer sees of it: which line, what is done, and the values; nothing that a key or a clock makes."""
        change = self.change
        type = self.line_type if self.action == "create" else None
        place = [self.portal, self.address, self.config_id]
        return [*place, list(change.actions), type, change.before, change.after, change.references]


class PlannedCall(Document):
    """One REST call as planned; secret parameters are null and named in `sensitive`."""

    id: str
    portal: str
    address: Address
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
    failed: int = 0
    """Portals that could not be planned; the diagnostics say why."""

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
    evidence: Mapping[Address, LineEvidence] = {}
    summary: Summary = Summary()
    diagnostics: tuple[Diagnostic, ...] = ()
    exit: Exit = Exit.OK
    """OK, or why this part can't be applied: ERROR, STALE or GUARD."""
    digest: str = ""
    seal: str = ""
    lasting: bool = Field(default=True, exclude=True)
    """Whether another job can have the seal's key; told nobody but who saves the plan."""

    @property
    def applyable(self) -> bool:
        """Whether there is something to apply and nothing against it. What is made against a snapshot has no seal."""
        return bool(self.changes and self.seal) and self.exit is Exit.OK

    def substance(self) -> dict[str, Any]:
        """What the digest covers: changes, calls, evidence, selection and the desired state; no time or diagnostics."""
        document = self.model_dump(
            mode="json",
            include={"portal", "desired", "selection", "resource_changes", "calls", "evidence"},
        )
        document["resource_changes"] = [
            {key: value for key, value in change.items() if key != "source"}  # where a line stands changes nothing
            for change in document["resource_changes"]
            if change["change"]["actions"] != ["no-op"]
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


JOINED = ("resource_changes", "calls")
"""What a plan's JSON has of all parts together. It has their diagnostics, too, and how many are whose."""


class Plan(Report):
    """The ordered changes and API calls that take current to desired, with the evidence needed to apply it later."""

    KEYS = (
        *("timestamp", "plan_id", "digest", "changes_digest", "applyable", "complete", "errored"),
        *(*JOINED, "summary", "diagnostics"),
    )

    timestamp: str = ""
    """RFC 3339, UTC."""
    parts: tuple[PortalPlan, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    """Findings that belong to no portal."""
    edited: bool = Field(default=False, exclude=True)
    """Whether the document that it was read from said anything else than its parts do."""

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
    def unverified(self) -> bool:
        """Whether it was compared with a snapshot that anybody may have made."""
        return any(found.code is Code.SNAPSHOT_UNVERIFIED for found in self.diagnostics)

    @property
    def applyable(self) -> bool:
        """Whether there is something to apply of at least one part."""
        return any(part.applyable for part in self.parts)

    @property
    def digest(self) -> Digest:
        """SHA-256 over the sorted (portal, digest) pairs: equal plans have equal digests."""
        return digest_of(sorted((part.portal, part.digest) for part in self.parts))

    @property
    def changes_digest(self) -> Digest:
        """SHA-256 over what a reviewer sees of the changes, and nothing else.

        It is equal under any key, and for a plan against a snapshot and the live one, if they change the same.
        """
        return digest_of_all(change.reviewed() for part in self.parts for change in part.changes)

    @property
    def plan_id(self) -> PlanId:
        """The first 16 hex digits of the digest."""
        return self.digest[:16]

    def to_dict(self) -> dict[str, Any]:
        """The plan as a JSON document: Terraform's keys on top, what belongs to each portal under `parts`."""
        parts = [
            part.model_dump(mode="json", exclude={*JOINED, "diagnostics"})
            | {"applyable": part.applyable, "diagnostics": len(part.diagnostics)}
            for part in self.parts
        ]
        return super().to_dict() | {"parts": parts}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote; raises KeyError, TypeError or ValueError where the document is none."""
        changes = _by_portal(document["resource_changes"])
        calls = _by_portal(document["calls"])
        found = iter(document["diagnostics"])
        of_parts = sum(part["diagnostics"] for part in document["parts"])
        head = {name: document[name] for name in ("format_version", "sipsync_version", "timestamp")}
        plan = cls.model_validate(
            {
                **head,
                "problems": [*islice(found, max(0, len(document["diagnostics"]) - of_parts))],
                "parts": [
                    {
                        **{name: value for name, value in part.items() if name != "applyable"},
                        "resource_changes": changes.get(part["portal"], ()),
                        "calls": calls.get(part["portal"], ()),
                        "diagnostics": [*islice(found, part["diagnostics"])],
                    }
                    for part in document["parts"]
                ],
            }
        )
        return plan if plan.to_dict() == document else plan.model_copy(update={"edited": True})
