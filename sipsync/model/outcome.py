"""What became of a plan, line by line."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sipsync.model.document import Count, Document, Report
from sipsync.model.lines import Action, Address, Registration
from sipsync.model.message import Message
from sipsync.model.plan import Change, PlannedCall, Source
from sipsync.model.problems import Code, Diagnostic, Exit, worst

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

    address: Address
    portal: str
    action: Action
    result: LineResult
    config_id: int | None = None
    """For a create: the id to paste into the file."""
    source: Source | None = None
    change: Change | None = None
    """What was planned for it."""
    reregistered: bool = False
    registration: Registration | None = None
    """What the telephony operator said, where it was asked."""
    calls: int = 0
    """Calls sent for this line, repeats included."""
    error: str = ""
    """The server's own code, "" where it gave none."""
    code: Code | None = None
    """What sipsync found, where the server gave no error and the line is not as planned all the same."""
    message: Message = Message()
    """What happened, in a sentence."""
    advice: Message = Message()
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


class OutcomeSummary(Document):
    """How many lines were written or not, and with how many HTTP requests in all."""

    added: Count
    changed: Count
    destroyed: Count
    failed: Count
    """Lines that are not as planned; each says why."""
    requests: Count


class Outcome(Report):
    """What became of a plan."""

    KEYS = ("timestamp", "plan_id", "dry_run", "lines", "calls", "summary", "diagnostics", "exit")

    timestamp: str = ""
    plan_id: str = ""
    dry_run: bool = False
    parts: tuple[PortalOutcome, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    """Findings that belong to no portal of the plan, such as those of a file that is wrong."""

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
        return (*self.problems, *(found for part in self.parts for found in part.diagnostics))

    def count(self, action: Action, *results: LineResult) -> int:
        """How many lines ended so; by default, how many were written."""
        return sum(line.action == action and line.result in (results or ("applied",)) for line in self.lines)

    @property
    def summary(self) -> OutcomeSummary:
        """The counts of all portals."""
        return OutcomeSummary(
            added=self.count("create"),
            changed=self.count("update"),
            destroyed=self.count("delete"),
            failed=sum(line.result not in ("applied", "done", "planned") for line in self.lines),
            requests=sum(part.requests for part in self.parts),
        )

    @property
    def exit(self) -> Exit:
        """One portal that failed while another was written, or is as planned already, makes the run partial."""
        exits = [Exit.ERROR] if any(found.severity == "error" for found in self.problems) else []
        exits += [part.exit for part in self.parts]
        wrote = any(line.result in ("applied", "done", "restored", "unverified") for line in self.lines)
        if wrote:
            exits = [Exit.PARTIAL if exit_ is Exit.ERROR else exit_ for exit_ in exits]
        return worst(exits)
