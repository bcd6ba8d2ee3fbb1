"""What a check of files found."""

from __future__ import annotations

from typing import Any

from sipsync._version import __version__
from sipsync.model.document import FORMAT_VERSION, Document, diagnostic_json
from sipsync.model.problems import Diagnostic


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
