"""What a check of files found."""

from __future__ import annotations

from sipsync.model.document import Count, Report
from sipsync.model.problems import Diagnostic


class Findings(Report):
    """What a check of files found, with the counts that Terraform's `validate -json` gives."""

    KEYS = ("valid", "error_count", "warning_count", "diagnostics")

    diagnostics: tuple[Diagnostic, ...] = ()
    files: int = 0
    """Files that were read."""
    portals: int = 0
    lines: int = 0

    @property
    def valid(self) -> bool:
        """Whether nothing is an error."""
        return not self.error_count

    @property
    def error_count(self) -> Count:
        """How many findings are errors."""
        return sum(found.severity == "error" for found in self.diagnostics)

    @property
    def warning_count(self) -> Count:
        """How many are not."""
        return len(self.diagnostics) - self.error_count
