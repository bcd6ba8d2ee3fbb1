"""The saved state of portals: what a plan without any credential compares with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sipsync.model.document import Document, Report
from sipsync.model.fields import CurrentType, FieldName
from sipsync.model.problems import Diagnostic, Exit


class SavedLine(Document):
    """One line of a saved state."""

    config_id: int
    type: CurrentType
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


class SavedState(Report):
    """The current state of portals without secrets: what a plan without any credential compares with."""

    KEYS = ("kind", "timestamp", "portals")

    kind: Literal["sipsync-state"] = "sipsync-state"
    timestamp: str = ""
    portals: tuple[SavedPortal, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    """Why portals are missing, told to who made it; the file has none."""

    @property
    def exit(self) -> Exit:
        """ERROR where a portal is missing."""
        return Exit.ERROR if self.diagnostics else Exit.OK
