"""One owner's part of a plan while it comes about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sipsync.model.problems import Diagnostic
from sipsync.planning.diff import Diff, diff
from sipsync.planning.inputs import LineChange, PlanInput
from sipsync.planning.match import Match, match


@dataclass(frozen=True, slots=True)
class OwnerPlan:
    """What was given of one owner's lines, which line is which, what differs, and what is wrong."""

    given: PlanInput
    match: Match
    diff: Diff
    errors: list[Diagnostic]
    """They grow while the owners' changes are brought together."""

    @classmethod
    def of(cls, given: PlanInput, today: date) -> OwnerPlan:
        """The owner's lines matched and compared, without a look at other owners'."""
        matched = match(given)
        compared = diff(given, matched, today)
        return cls(given, matched, compared, [*matched.diagnostics, *compared.diagnostics])

    @classmethod
    def to_judge(cls, given: PlanInput, changes: Iterable[LineChange]) -> OwnerPlan:
        """A plan that was made before, of which these changes are left, for the safety limits to look at."""
        return cls(given, match(given), Diff(list(changes)), [])

    @property
    def changes(self) -> Sequence[LineChange]:
        """The changes to make: none at all where anything is wrong."""
        return () if self.errors else self.diff.changes
