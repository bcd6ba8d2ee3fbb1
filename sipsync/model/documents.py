"""The public documents: a plan, the outcome of an apply, the findings of a check.

They are what leaves the program, so they can't hold a secret: every value is text, a number or null.
"""

from __future__ import annotations

from sipsync.model.document import FORMAT_VERSION, Action, Document, canonical, digest_of
from sipsync.model.looks import Check, Diagnosis, Findings, LineStatus, SavedLine, SavedPortal, SavedState, Status
from sipsync.model.outcome import LineOutcome, LineResult, Outcome, PortalOutcome
from sipsync.model.plan import (
    Change,
    LineEvidence,
    Plan,
    PlannedCall,
    PortalPlan,
    ResourceChange,
    Selection,
    Source,
    Summary,
)

__all__ = [
    "FORMAT_VERSION",
    "Action",
    "Change",
    "Check",
    "Diagnosis",
    "Document",
    "Findings",
    "LineEvidence",
    "LineOutcome",
    "LineResult",
    "LineStatus",
    "Outcome",
    "Plan",
    "PlannedCall",
    "PortalOutcome",
    "PortalPlan",
    "ResourceChange",
    "SavedLine",
    "SavedPortal",
    "SavedState",
    "Selection",
    "Source",
    "Status",
    "Summary",
    "canonical",
    "digest_of",
]
