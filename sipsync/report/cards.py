"""What an HTML page shows, as plain values: counts, findings, and a card for each line, grouped by portal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sipsync.report.changes import fields
from sipsync.report.escape import visible
from sipsync.report.findings import excerpt, hint
from sipsync.report.outcomes import DONE
from sipsync.report.paint import Paint
from sipsync.report.wording import LOST_WITH_A_LINE, MARKS, call_line, counts, effects, where

if TYPE_CHECKING:
    from sipsync.model.outcome import LineOutcome, Outcome
    from sipsync.model.plan import Plan, PortalPlan, ResourceChange
    from sipsync.model.problems import Diagnostic
    from sipsync.report import Style

_PLAIN = Paint(False)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a field. A secret is known to be there and nothing else."""

    text: str
    kind: str = ""
    """`secret`, `none` (there is no value) or nothing."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a change."""

    name: str
    before: Cell | None
    after: Cell | None


@dataclass(frozen=True, slots=True)
class Card:
    """One line."""

    kind: str
    """Its colour and the filter that it answers to: `create update delete same`, or `ok bad wait`."""
    mark: str
    badge: str
    address: str
    title: str = ""
    facts: tuple[str, ...] = ()
    rows: tuple[FieldRow, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """One portal."""

    portal: str
    summary: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One finding."""

    severity: str
    code: str
    summary: str
    place: str
    excerpt: str
    hint: str


def tell(found: Iterable[Diagnostic], style: Style) -> tuple[list[Told], list[Told]]:
    """Errors and warnings, equal ones once."""
    told = dict.fromkeys(_told(each, style) for each in found)
    return [each for each in told if each.severity == "error"], [each for each in told if each.severity != "error"]


def _told(found: Diagnostic, style: Style) -> Told:
    shown = "\n".join(excerpt(found.at, _PLAIN)) if found.at is not None and found.at.excerpt else ""
    return Told(found.severity, found.code, visible(found.summary), where(found), shown, hint(found, style))


def groups_of_plan(plan: Plan) -> list[Group]:
    """The portals that change, the largest first."""
    parts = sorted(plan.parts, key=lambda part: -len(part.changes))
    return [_group(part) for part in parts if part.resource_changes]


def _group(part: PortalPlan) -> Group:
    cards = tuple(_change_card(change, part) for change in part.resource_changes)
    return Group(visible(part.portal), counts(part.summary) or "no changes", cards)


_BADGES = {"create": "create", "update": "update in-place", "delete": "destroy", "no-op": "unchanged"}


def _change_card(change: ResourceChange, part: PortalPlan) -> Card:
    evidence = part.evidence.get(change.address)
    notes = effects(change, evidence.temporary if evidence else None)
    if change.action == "delete":
        notes.append(f"its {LOST_WITH_A_LINE} are lost for good")
    hidden = change.unchanged_fields
    facts = [f"{visible(change.source.file)}:{change.source.line}"]
    if change.config_id is not None:
        facts.append(f"config_id {change.config_id}")
    if hidden:
        facts.append(f"{hidden} unchanged field{'' if hidden == 1 else 's'}")
    return Card(
        kind="same" if change.action == "no-op" else change.action,
        mark=MARKS.get(change.action, "=").replace("-", "\N{MINUS SIGN}"),
        badge=_BADGES[change.action],
        address=visible(change.address),
        title=visible(change.title),
        facts=tuple(facts),
        rows=tuple(_field(change, name) for name in fields(change)),
        notes=tuple(notes),
    )


def _field(change: ResourceChange, name: str) -> FieldRow:
    before, after = change.change.before, change.change.after
    return FieldRow(
        visible(name),
        None if before is None else _cell(before.get(name), change.change.before_sensitive.get(name, False)),
        None if after is None else _cell(after.get(name), change.change.after_sensitive.get(name, False)),
    )


def _cell(text: str | None, secret: bool) -> Cell:
    if secret:
        return Cell("sensitive value", "secret")
    return Cell(visible(text), "") if text else Cell("empty", "none")


_RESULTS = {
    "applied": ("ok", "✓", "applied"),
    "done": ("same", "=", "already applied"),
    "failed": ("bad", "✗", "failed"),
    "unverified": ("bad", "?", "unconfirmed"),
    "stale": ("bad", "≠", "stale"),
    "skipped": ("wait", "–", "not attempted"),
    "restored": ("bad", "↩", "set back"),
    "planned": ("wait", "…", "would be sent"),
}
"""Kind, mark and words of each result."""


def groups_of_outcome(outcome: Outcome) -> list[Group]:
    """The portals with what became of their lines; those with trouble first."""
    groups = []
    for part in sorted(outcome.parts, key=lambda part: -sum(_is_bad(line) for line in part.lines)):
        calls: dict[str, list[str]] = {}
        for call in part.calls:
            calls.setdefault(call.address, []).append(call_line(call))
        lines = sorted(part.lines, key=lambda line: not _is_bad(line))
        cards = tuple(_line_card(line, calls.get(line.address, ())) for line in lines)
        bad = sum(map(_is_bad, part.lines))
        told = f"{len(part.lines)} line{'' if len(part.lines) == 1 else 's'}"
        if cards:
            groups.append(Group(visible(part.portal), f"{told}, {bad} not as planned" if bad else told, cards))
    return groups


def _is_bad(line: LineOutcome) -> bool:
    return _RESULTS[line.result][0] == "bad"


def _line_card(line: LineOutcome, calls: Sequence[str]) -> Card:
    kind, mark, words = _RESULTS[line.result]
    facts = [f"{visible(line.source.file)}:{line.source.line}"] if line.source else []
    if line.config_id is not None:
        facts.append(f"config_id {line.config_id}")
    error = f" ({line.error})" if line.error and line.error not in line.message else ""
    notes = [f"{line.message}{error}", line.advice]
    if line.registration is not None:
        notes.append(f"registration: {line.registration.result.replace('_', ' ')} {line.registration.message}".strip())
    elif line.reregistered:
        notes.append("re-registered; registration not checked")
    return Card(
        kind=kind,
        mark=mark,
        badge=DONE.get(line.action, line.action) if line.result == "applied" else words,
        address=visible(line.address),
        facts=tuple(facts),
        notes=(*map(visible, filter(None, notes)), *calls),
    )
