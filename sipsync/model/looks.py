"""What looking told: findings about files, registrations, check-ups, and the saved state of portals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sipsync._version import __version__
from sipsync.model.document import FORMAT_VERSION, Document, diagnostic_json
from sipsync.model.fields import FieldName, LineType
from sipsync.model.lines import Address, Registration
from sipsync.model.problems import Diagnostic, Exit


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
            "diagnostics": [diagnostic_json(found) for found in self.diagnostics],
        }


class LineStatus(Document):
    """One line's registration, as stored in the portal and, where asked, as its operator's side says now."""

    portal: str
    config_id: int
    address: Address | None = None
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
            "diagnostics": [diagnostic_json(found) for found in self.diagnostics],
        }


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


class SavedLine(Document):
    """One line of a saved state."""

    config_id: int
    type: LineType
    values: Mapping[FieldName, str]
    """Of a secret field the reference that the file gave on that day, never the value."""
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
