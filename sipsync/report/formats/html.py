"""One page that one can mail: no network, no outside file, readable with scripts off, and printable.

The page's policy allows exactly its own style and script, by their hashes; everything else, and every script that a
hostile title might bring, is refused by the browser even if it got past the escaping.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.model.problems import Diagnostic
from sipsync.report import Style, wording
from sipsync.report.cards import Group, groups_of_outcome, groups_of_plan
from sipsync.report.causes import Cause, by_cause
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
    groups = groups_of_plan(plan, style)
    errors, warnings = tell(beyond_deletes(plan), style)
    summary = plan.summary
    cost = wording.cost_line(plan) if plan.has_changes else ""
    registers = wording.REREGISTRATION if summary.reregistrations else ""
    lines = [cost, registers, wording.UNVERIFIED if plan.unverified else "", wording.not_planned(plan)]
    headline = (
        wording.plan_line(summary) if plan.has_changes else "No plan." if plan.errored else wording.no_changes(plan)
    )
    if style.drift and plan.has_changes:
        headline, lines = f"{wording.drift_line(plan)}.", [headline, *lines]
    return {
        "heading": "Drift" if style.drift else "Plan",
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
        "kinds": _kinds(groups, bad="can't be applied"),
        "digest": plan.changes_digest if plan.has_changes else "",
        "expect": wording.EXPECT_CHANGES,
        "plan_id": plan.plan_id if plan.has_changes else "",
    }


def _outcome(outcome: Outcome, style: Style) -> dict[str, object]:
    groups = groups_of_outcome(outcome, style)
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
        "kinds": _kinds(groups, waits=waits),
        "digest": "",
        "plan_id": visible(outcome.plan_id),
    }


_KINDS = {"create": "create", "update": "update", "delete": "destroy", "same": "unchanged"}
_KINDS |= {"ok": "applied"}


def _kinds(groups: Iterable[Group], bad: str = "not as planned", waits: str = "") -> list[tuple[str, str]]:
    """The kinds of cards that occur, with their names."""
    there = {card.kind for group in groups for card in group.cards}
    return [(kind, name) for kind, name in (_KINDS | {"bad": bad, "wait": waits}).items() if kind in there]


# --- findings ---


class Told(NamedTuple):
    """One finding."""

    severity: str
    code: str
    summary: str
    places: tuple[str, ...]
    excerpt: str
    hint: str


def tell(found: Iterable[Diagnostic], style: Style) -> tuple[list[Told], list[Told]]:
    """Errors and warnings, equal ones and those of one cause once."""
    told = dict.fromkeys(_told(each, style) for each in by_cause(found))
    return [each for each in told if each.severity == "error"], [each for each in told if each.severity != "error"]


def _told(cause: Cause, style: Style) -> Told:
    found = cause.told
    alone = found.at is not None and found.at.excerpt and len(cause.places) < 2
    shown = "\n".join(excerpt(found.at, wording.PLAIN)) if found.at is not None and alone else ""
    return Told(found.severity, found.code, visible(found.summary), cause.places, shown, hint(found, style))


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
