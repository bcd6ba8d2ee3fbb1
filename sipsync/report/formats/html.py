"""One page that one can mail: no network, no outside file, readable with scripts off, and printable.

The page's policy allows exactly its own style and script, by their hashes; everything else, and every script that a
hostile title might bring, is refused by the browser even if it got past the escaping.
"""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from sipsync.model.outcome import LineOutcome, Outcome
from sipsync.model.plan import Plan, PortalPlan, ResourceChange
from sipsync.model.problems import Diagnostic
from sipsync.report import Style, wording
from sipsync.report.changes import fields
from sipsync.report.escape import visible
from sipsync.report.findings import beyond_deletes, excerpt, hint

_OPEN_GROUPS = 12
"""Portals that are shown unfolded; with more, one looks for a name first."""


def render(document: Plan | Outcome, style: Style) -> str:
    """The page."""
    shown = _plan(document, style) if isinstance(document, Plan) else _outcome(document, style)
    css, script = _asset("plan.css"), _asset("plan.js")
    return _template().render(
        css=Markup(css),  # noqa: S704  # our own file
        script=Markup(script),  # noqa: S704
        css_hash=_hash(css),
        script_hash=_hash(script),
        version=visible(document.sipsync_version),
        timestamp=visible(document.timestamp),
        lang=style.lang,
        open_groups=_OPEN_GROUPS,
        **shown,
    )


def _plan(plan: Plan, style: Style) -> dict[str, object]:
    groups = groups_of_plan(plan)
    errors, warnings = tell(beyond_deletes(plan), style)
    summary = plan.summary
    cost = wording.cost_line(plan) if plan.has_changes else ""
    registers = wording.REREGISTRATION if summary.reregistrations else ""
    lines = [cost, registers, wording.UNVERIFIED if plan.unverified else "", wording.not_planned(plan)]
    headline = (
        wording.plan_line(summary) if plan.has_changes else "No plan." if plan.errored else wording.no_changes(plan)
    )
    return {
        "heading": "Plan",
        "headline": headline,
        "state": "stopped" if plan.errored else "ready" if plan.has_changes or plan.unverified else "clean",
        "lines": list(filter(None, lines)),
        "tiles": [
            ("create", "+", summary.add, "to add"),
            ("update", "~", summary.change, "to change"),
            ("delete", "−", summary.destroy, "to destroy"),
            ("same", "=", summary.unchanged, "unchanged"),
        ],
        "errors": errors,
        "warnings": warnings,
        "doomed": [card for group in groups for card in group.cards if card.kind == "delete"],
        "groups": groups,
        "kinds": _kinds(groups),
        "digest": plan.changes_digest if plan.has_changes else "",
        "expect": wording.EXPECT_CHANGES,
        "plan_id": plan.plan_id if plan.has_changes else "",
    }


def _outcome(outcome: Outcome, style: Style) -> dict[str, object]:
    groups = groups_of_outcome(outcome)
    # What became of each line stands on its card.
    errors, warnings = tell(outcome.diagnostics, style)
    waits = "would be sent" if outcome.dry_run else "not attempted"
    kinds = [card.kind for group in groups for card in group.cards]
    return {
        "heading": "Dry run" if outcome.dry_run else "Apply",
        "headline": wording.apply_line(outcome),
        "state": "stopped" if outcome.exit else "clean",
        "lines": list(filter(None, [wording.reregistered_line(outcome)])),
        "tiles": [
            ("ok", "✓", kinds.count("ok"), "applied"),
            ("bad", "✗", kinds.count("bad"), "not as planned"),
            ("wait", "…", kinds.count("wait"), waits),
            ("same", "=", kinds.count("same"), "already applied"),
        ],
        "errors": errors,
        "warnings": warnings,
        "doomed": [],
        "groups": groups,
        "kinds": _kinds(groups, waits),
        "digest": "",
        "plan_id": visible(outcome.plan_id),
    }


_KINDS = {"create": "create", "update": "update", "delete": "destroy", "same": "unchanged"}
_KINDS |= {"ok": "applied", "bad": "not as planned"}


def _kinds(groups: Iterable[Group], waits: str = "") -> list[tuple[str, str]]:
    """The kinds of cards that occur, with their names."""
    there = {card.kind for group in groups for card in group.cards}
    return [(kind, name) for kind, name in (_KINDS | {"wait": waits}).items() if kind in there]


# --- cards ---


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


class Told(NamedTuple):
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
    shown = "\n".join(excerpt(found.at, wording.PLAIN)) if found.at is not None and found.at.excerpt else ""
    return Told(found.severity, found.code, visible(found.summary), wording.where(found), shown, hint(found, style))


def groups_of_plan(plan: Plan) -> list[Group]:
    """The portals that change, the largest first."""
    parts = sorted(plan.parts, key=lambda part: -len(part.changes))
    cards = ((part, tuple(_change_card(change, part) for change in part.resource_changes)) for part in parts)
    return [
        Group(visible(part.portal), wording.counts(part.summary) or "no changes", own) for part, own in cards if own
    ]


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
        rows=tuple(_field(change, name) for name in fields(change)),
        notes=tuple(notes),
    )


def _field(change: ResourceChange, name: str) -> FieldRow:
    before, after = change.change.before, change.change.after
    return FieldRow(
        visible(name + wording.unseen_difference(change, name)),
        None if before is None else _cell(before.get(name), change.change.before_sensitive.get(name, False)),
        None if after is None else _cell(after.get(name), change.change.after_sensitive.get(name, False)),
    )


def _cell(text: str | None, secret: bool) -> Cell:
    return Cell("sensitive value", "secret") if secret else Cell(visible(text), "") if text else Cell("empty", "none")


def groups_of_outcome(outcome: Outcome) -> list[Group]:
    """The portals with what became of their lines; those with trouble first."""
    groups = []
    for part in sorted(outcome.parts, key=lambda part: -sum(_is_bad(line) for line in part.lines)):
        calls: dict[str, list[str]] = defaultdict(list)
        for call in part.calls:
            calls[call.address].append(wording.call_line(call))
        cards = tuple(_line_card(line, calls[line.address]) for line in sorted(part.lines, key=_is_bad, reverse=True))
        bad = sum(map(_is_bad, part.lines))
        told = wording.count(len(part.lines), "line")
        if cards:
            groups.append(Group(visible(part.portal), f"{told}, {bad} not as planned" if bad else told, cards))
    return groups


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


# --- the template ---


@cache
def _asset(name: str) -> str:
    return files("sipsync.report.formats").joinpath(name).read_text("utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(_asset("plan.html.j2"))


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
