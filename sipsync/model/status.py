"""How lines are registered, and what `doctor` found."""

from __future__ import annotations

from typing import Literal

from sipsync.model.document import Document, Report
from sipsync.model.fields import CurrentType
from sipsync.model.lines import Address, Registration
from sipsync.model.message import Message
from sipsync.model.problems import Diagnostic, Exit

Result = Literal["ok", "warning", "failed", "skipped"]


class LineStatus(Document):
    """One line's registration, as stored in the portal and, where asked, as its operator's side says now."""

    portal: str
    config_id: int
    address: Address | None = None
    """None for a line that is not in the file."""
    title: str
    type: CurrentType
    reg_id: int | None
    status_code: int | None
    status_message: str = ""
    live: Registration | None = None
    incoming_server: str = ""
    incoming_login: str = ""


class Status(Report):
    """The registrations of all lines that the credentials see."""

    KEYS = ("lines", "diagnostics")

    lines: tuple[LineStatus, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def exit(self) -> Exit:
        """ERROR where a portal could not be read."""
        return Exit.ERROR if any(found.severity == "error" for found in self.diagnostics) else Exit.OK


class Check(Document):
    """One check of `doctor`: what was looked at, how it is, what to do."""

    portal: str
    name: str
    result: Result
    detail: Message = Message("")
    advice: Message = Message("")


class Diagnosis(Report):
    """What `doctor` found."""

    KEYS = ("checks", "diagnostics")

    checks: tuple[Check, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is wrong with the files of portals that could not be asked."""

    @property
    def exit(self) -> Exit:
        """ERROR where a check failed, or a portal could not be asked."""
        failed = self.diagnostics or any(check.result == "failed" for check in self.checks)
        return Exit.ERROR if failed else Exit.OK
