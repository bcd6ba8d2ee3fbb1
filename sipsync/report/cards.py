"""What the page shows of each portal: its lines as cards, each with what changes or what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sipsync.model.outcome import LineOutcome, Outcome, PortalOutcome
from sipsync.model.plan import Change, Plan, PortalPlan, ResourceChange
from sipsync.model.problems import Exit
from sipsync.report import Style, wording
from sipsync.report.changes import fields
from sipsync.report.escape import visible
from sipsync.report.findings import hint


class Cell(NamedTuple):
    """A value of a field. A secret is known to be there and nothing else."""

    text: str
    kind: str = ""
    """`secret`, `none` (there is no value) or nothing."""


class FieldRow(NamedTuple):
    """One field of a change."""

    name: str
    before: Cell | None
    after: Cell | None


class Card(NamedTuple):
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


class Group(NamedTuple):
    """One portal."""

    portal: str
    summary: str
    cards: tuple[Card, ...]


def groups_of_plan(plan: Plan, style: Style) -> list[Group]:
    """The portals that can't be applied, then those that change, the largest first."""
    groups = []
    for part in sorted(plan.parts, key=lambda part: (not part.exit, part.exit is Exit.GUARD, -len(part.changes))):
        cards = [_change_card(change, part) for change in part.resource_changes]
        told = wording.counts(part.summary) or "no changes"
        if part.exit:
            cards.insert(0, _portal_card(part, "stopped" if part.exit is Exit.GUARD else "failed", style))
            told = f"{cards[0].badge}, {told}" if part.changes else cards[0].badge
        if cards:
            groups.append(Group(visible(part.portal), told, tuple(cards)))
    return groups


def _portal_card(part: PortalPlan | PortalOutcome, badge: str, style: Style) -> Card:
    """A portal that failed as a whole, and why."""
    errors = [found for found in part.diagnostics if found.severity == "error"]
    notes = tuple(f"{visible(found.summary)}. {hint(found, style)}".rstrip() for found in errors)
    return Card(
        kind="bad",
        mark="✗",
        badge=badge,
        address=visible(part.portal),
        facts=tuple(dict.fromkeys(visible(str(found.at)) for found in errors if found.at)),
        notes=notes or ("See the errors of the files: what is wrong is no one portal's alone.",),
    )


def _change_card(change: ResourceChange, part: PortalPlan) -> Card:
    words = wording.ACTIONS[change.action]
    evidence = part.evidence.get(change.address)
    notes = wording.effects(change, evidence.temporary if evidence else None)
    if change.action == "delete":
        notes.append(f"its {wording.LOST_WITH_A_LINE} are lost for good")
    facts = [f"{visible(change.source.file)}:{change.source.line}"]
    if change.config_id is not None:
        facts.append(f"config_id {change.config_id}")
    if change.unchanged_fields:
        facts.append(wording.count(change.unchanged_fields, "unchanged field"))
    return Card(
        kind="same" if change.action == "no-op" else change.action,
        mark=words.mark.replace("-", "\N{MINUS SIGN}"),
        badge=words.name,
        address=visible(change.address),
        title=visible(change.title),
        facts=tuple(facts),
        rows=tuple(_field(change.change, name) for name in fields(change.change)),
        notes=tuple(notes),
    )


def _field(change: Change, name: str) -> FieldRow:
    before, after = change.before, change.after
    return FieldRow(
        visible(name + wording.unseen_difference(change, name)),
        None if before is None else _cell(before.get(name), change.before_sensitive.get(name, False)),
        None if after is None else _cell(after.get(name), change.after_sensitive.get(name, False)),
    )


def _cell(text: str | None, secret: bool) -> Cell:
    return Cell("sensitive value", "secret") if secret else Cell(visible(text), "") if text else Cell("empty", "none")


def groups_of_outcome(outcome: Outcome, style: Style) -> list[Group]:
    """The portals with what became of their lines; those that failed as a whole first, then those with trouble."""
    groups = []
    for part in sorted(outcome.parts, key=lambda part: (not _failed(part), -sum(map(_is_bad, part.lines)))):
        if _failed(part):
            groups.append(Group(visible(part.portal), "failed", (_portal_card(part, "failed", style),)))
        calls: dict[str, list[str]] = defaultdict(list)
        for call in part.calls:
            calls[call.address].append(wording.call_line(call))
        cards = tuple(_line_card(line, calls[line.address]) for line in sorted(part.lines, key=_is_bad, reverse=True))
        bad = sum(map(_is_bad, part.lines))
        told = wording.count(len(part.lines), "line")
        if cards:
            groups.append(Group(visible(part.portal), f"{told}, {bad} not as planned" if bad else told, cards))
    return groups


def _failed(part: PortalOutcome) -> bool:
    """Whether nothing could be done on the portal, so that no line says why."""
    return bool(part.exit) and not part.lines


def _is_bad(line: LineOutcome) -> bool:
    return wording.RESULTS[line.result].kind == "bad"


def _line_card(line: LineOutcome, calls: Sequence[str]) -> Card:
    words = wording.RESULTS[line.result]
    facts = [f"{visible(line.source.file)}:{line.source.line}"] if line.source else []
    if line.config_id is not None:
        facts.append(f"config_id {line.config_id}")
    name = line.error or line.code or ""
    notes: list[str] = [f"{line.message} ({name})" if name not in line.message else line.message, line.advice]
    if line.registration is not None:
        notes.append(f"registration: {line.registration.result.replace('_', ' ')} {line.registration.message}".strip())
    elif line.reregistered:
        notes.append("re-registered; registration not checked")
    return Card(
        kind=words.kind,
        mark=words.mark,
        badge=wording.ACTIONS[line.action].done if line.result == "applied" else words.name,
        address=visible(line.address),
        facts=tuple(facts),
        notes=(*map(visible, filter(None, notes)), *calls),
    )
