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
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.report.cards import Group, groups_of_outcome, groups_of_plan, tell
from sipsync.report.escape import visible
from sipsync.report.findings import beyond_deletes
from sipsync.report.wording import (
    NO_CHANGES,
    REREGISTRATION,
    apply_line,
    cost_line,
    not_planned,
    plan_line,
    reregistered_line,
)

if TYPE_CHECKING:
    from sipsync.report import Style

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
    lines = [cost_line(plan)] if plan.has_changes else []
    if summary.reregistrations:
        lines.append(REREGISTRATION)
    state = ("stopped", not_planned(plan)) if plan.errored else ("ready", "") if plan.has_changes else ("clean", "")
    return {
        "heading": "Plan",
        "headline": plan_line(summary) if plan.has_changes else NO_CHANGES if not plan.errored else "No plan.",
        "state": state[0],
        "lines": [*lines, *filter(None, [state[1]])],
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
        "digest": plan.digest if plan.has_changes else "",
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
        "headline": apply_line(outcome),
        "state": "stopped" if outcome.exit else "clean",
        "lines": list(filter(None, [reregistered_line(outcome)])),
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


_KINDS = {
    "create": "create",
    "update": "update",
    "delete": "destroy",
    "same": "unchanged",
    "ok": "applied",
    "bad": "not as planned",
}


def _kinds(groups: Iterable[Group], waits: str = "") -> list[tuple[str, str]]:
    """The kinds of cards that occur, with their names."""
    there = {card.kind for group in groups for card in group.cards}
    return [(kind, name) for kind, name in (_KINDS | {"wait": waits}).items() if kind in there]


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
