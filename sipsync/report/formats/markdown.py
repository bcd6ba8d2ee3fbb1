"""A comment for a pull request: what matters first, the details folded, the whole within a budget.

Foreign text stands only inside code spans and fences, where neither Markdown nor a forge's mentions and references
reach it. What does not fit is cut from the bottom of importance: first the details of changes, then their list;
errors, safety limits and deletes are never left out, at worst they are told in fewer words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan
from sipsync.model.problems import Code
from sipsync.report import details
from sipsync.report.details import fenced, size, span
from sipsync.report.escape import visible
from sipsync.report.findings import PLACES_SHOWN, beyond_deletes, told
from sipsync.report.outcomes import findings_of
from sipsync.report.paint import Paint
from sipsync.report.wording import (
    LOST_WITH_A_LINE,
    NO_CHANGES,
    REREGISTRATION,
    apply_line,
    cost_line,
    count,
    counts,
    not_planned,
    plan_line,
    reregistered_line,
    where,
)

if TYPE_CHECKING:
    from sipsync.model.plan import ResourceChange
    from sipsync.model.problems import Diagnostic
    from sipsync.report import Style

PLAIN = Paint(False)


def render(document: Plan | Outcome, style: Style) -> str:
    """The document as Markdown of at most `style.budget` bytes."""
    return _plan(document, style) if isinstance(document, Plan) else _outcome(document, style)


def marker(kind: str, target: str) -> str:
    """The hidden first line by which the one sticky comment is found again."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", target).strip("-") or "all"
    return f"<!-- sipsync:{kind}:{name} -->"


# --- a plan ---


def _plan(plan: Plan, style: Style) -> str:
    head = [f"{marker('plan', style.target)}\n## sipsync plan: {_headline(plan)}"]
    foot = ""
    if plan.has_changes:
        head.append(f"**{plan_line(plan.summary)}** {cost_line(plan)}")
        foot = f"Plan digest: `{plan.digest}` (`sipsync apply --expect-plan DIGEST` applies this plan and no other)\n"
    elif not plan.errored:
        head.append(f"**{NO_CHANGES}**")
    if plan.summary.reregistrations:
        head.append(REREGISTRATION)
    if plan.errored:
        head.append(f"**{not_planned(plan)}**")
    body = _Body(head, style.budget - size(foot))
    errors = [found for found in plan.diagnostics if found.severity == "error"]
    body.add(_deletes(plan), 0.5 if errors else 0.9)
    body.add(_errors(errors, style), 0.7)
    body.add(_warnings([found for found in beyond_deletes(plan) if found.severity != "error"], style), 0.3)
    return body.text + details.changes(plan, style, body.room) + foot


class _Body:
    """A text that grows within its budget."""

    def __init__(self, head: Sequence[str], budget: int) -> None:
        self.text = "".join(f"{block}\n\n" for block in head)
        self.room = budget - size(self.text)

    def add(self, candidates: Iterable[Callable[[], str]], share: float) -> None:
        """Add the first text that fits into a share of what is left; the last one is taken in any case."""
        text = ""
        for candidate in candidates:
            text = candidate()
            if size(text) <= self.room * share:
                break
        self.text += text
        self.room -= size(text)


def _headline(plan: Plan) -> str:
    if not plan.has_changes:
        return "errors" if plan.errored else "no changes"
    return counts(plan.summary) + (" (stopped)" if plan.errored else "")


def _deletes(plan: Plan) -> list[Callable[[], str]]:
    """The warning about deletes: each with its title; then addresses; then keys by portal; then numbers by portal."""
    gone = [(part, [change for change in part.changes if change.action == "delete"]) for part in plan.parts]
    gone = [(part, changes) for part, changes in gone if changes]
    if not gone:
        return [lambda: ""]
    number = sum(len(changes) for _, changes in gone)
    lines = count(number, "line")
    head = f"> [!CAUTION]\n> **{lines} will be deleted for good**, together with {LOST_WITH_A_LINE}:\n"
    return [
        lambda: head + _quote(_entry(change) for _, changes in gone for change in changes),
        lambda: head + _quote(span(change.address) for _, changes in gone for change in changes),
        lambda: head + _quote(f"{span(part.portal)}: {_keys(changes)}" for part, changes in gone),
        lambda: head + _quote(f"{span(part.portal)}: {count(len(changes), 'line')}" for part, changes in gone),
        lambda: head + _quote([f"on {count(len(gone), 'portal')}, too many to name in a comment"]),
    ]


def _entry(change: ResourceChange) -> str:
    known = f", config_id {change.config_id}" if change.config_id is not None else ""
    return f"{span(change.address)}: {span(change.title)}{known}"


def _keys(changes: Sequence[ResourceChange]) -> str:
    return span(" ".join(change.name for change in changes))


def _quote(entries: Iterable[str]) -> str:
    return "".join(f"> - {entry}\n" for entry in entries) + "\n"


def _errors(errors: Sequence[Diagnostic], style: Style) -> list[Callable[[], str]]:
    """The errors in full; then a line each; then each kind with all its places; then a number for each kind."""
    if not errors:
        return [lambda: ""]
    head = f"### {count(len(errors), 'error')}\n\n"
    kinds: dict[Code, list[Diagnostic]] = {}
    for found in errors:
        kinds.setdefault(found.code, []).append(found)
    return [
        lambda: head + fenced("\n".join(told(errors, style, PLAIN)).strip("\n")),
        lambda: head + fenced("\n".join(dict.fromkeys(f"Error: {_short(found)}" for found in errors))),
        lambda: head + fenced("\n".join(f"Error: {code}: {_places(group)}" for code, group in kinds.items())),
        lambda: head + fenced("\n".join(f"Error: {code}: {len(group)} times" for code, group in kinds.items())),
    ]


def _short(found: Diagnostic) -> str:
    place = where(found)
    return f"{place}: {visible(found.summary)}" if place else visible(found.summary)


def _places(group: Sequence[Diagnostic]) -> str:
    return ", ".join(dict.fromkeys(visible(found.address or "") or where(found) for found in group))


def _warnings(warnings: Sequence[Diagnostic], style: Style) -> list[Callable[[], str]]:
    if not warnings:
        return [lambda: ""]
    head = count(len(warnings), "warning")
    kinds = dict.fromkeys(found.code for found in warnings)
    short = ", ".join(f"`{code}`" for code in list(kinds)[:PLACES_SHOWN])
    return [
        lambda: _folded(head, fenced("\n".join(told(warnings, style, PLAIN)).strip("\n"))),
        lambda: f"{head} ({short}), not shown here for want of room.\n\n",
    ]


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}</details>\n\n"


# --- an outcome ---


def _outcome(outcome: Outcome, style: Style) -> str:
    name = "dry run" if outcome.dry_run else "incomplete" if outcome.exit else "complete"
    head = [f"{marker('apply', style.target)}\n## sipsync apply: {name}", f"**{apply_line(outcome)}**"]
    registered = reregistered_line(outcome)
    if registered:
        head.append(registered)
    # A title that a broken swap left behind comes first: it is to be known at once.
    found = sorted(findings_of(outcome), key=lambda finding: finding.code is not Code.TEMPORARY_LEFT)
    body = _Body(head, style.budget)
    body.add(_errors([each for each in found if each.severity == "error"], style), 0.7)
    body.add(_warnings([each for each in found if each.severity != "error"], style), 0.3)
    return body.text + details.results(outcome, body.room)
