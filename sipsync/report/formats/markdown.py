"""A comment for a pull request: what matters first, the details folded, the whole within a budget.

Foreign text stands only inside code spans and fences, where neither Markdown nor a forge's mentions and references
reach it. What does not fit is cut from the bottom of importance: first the details of changes, then their list;
errors, safety limits and deletes are never left out, at worst they are told in fewer words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan, PortalPlan, ResourceChange
from sipsync.model.problems import Code, Diagnostic
from sipsync.report import Style, wording
from sipsync.report.causes import Cause, by_cause
from sipsync.report.changes import Row, block, fields
from sipsync.report.escape import quoted, visible
from sipsync.report.findings import PLACES_SHOWN, beyond_deletes, told
from sipsync.report.outcomes import findings_of, what


def render(document: Plan | Outcome, style: Style) -> str:
    """The document as Markdown of at most `style.budget` bytes."""
    return _plan(document, style) if isinstance(document, Plan) else _outcome(document, style)


def marker(kind: str, target: str) -> str:
    """The hidden first line by which the one sticky comment is found again."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", target).strip("-") or "all"
    return f"<!-- sipsync:{kind}:{name} -->"


# --- a plan ---


def _plan(plan: Plan, style: Style) -> str:
    kind = "drift" if style.drift else "plan"
    head = [f"{marker(kind, style.target)}\n## sipsync {kind}: {_headline(plan, style)}"]
    foot = ""
    if plan.has_changes:
        head.append(f"**{wording.plan_line(plan.summary)}** {wording.cost_line(plan)}")
        foot = f"Changes digest: `{plan.changes_digest}` ({wording.EXPECT_CHANGES})\n"
    elif not plan.errored:
        head.append(f"**{wording.no_changes(plan)}**")
    if plan.unverified and plan.has_changes:
        head.append(f"**{wording.UNVERIFIED}**")
    if plan.summary.reregistrations:
        head.append(wording.REREGISTRATION)
    if plan.errored:
        head.append(f"**{wording.not_planned(plan)}**")
    body = _Body(head, style.budget - _size(foot))
    errors = [found for found in plan.diagnostics if found.severity == "error"]
    body.add(_deletes(plan), 0.5 if errors else 0.9)
    body.add(_errors(errors, style), 0.7)
    body.add(_warnings([found for found in beyond_deletes(plan) if found.severity != "error"], style), 0.3)
    return body.text + _changes(plan, style, body.room) + foot


class _Body:
    """A text that grows within its budget."""

    def __init__(self, head: Sequence[str], budget: int) -> None:
        self.text = "".join(f"{block}\n\n" for block in head)
        self.room = budget - _size(self.text)

    def add(self, candidates: Iterable[Callable[[], str]], share: float) -> None:
        """Add the first text that fits into a share of what is left; the last one is taken in any case."""
        text = ""
        for candidate in candidates:
            text = candidate()
            if _size(text) <= self.room * share:
                break
        self.text += text
        self.room -= _size(text)


def _headline(plan: Plan, style: Style) -> str:
    if not plan.has_changes:
        return "errors" if plan.errored else "nothing verified" if plan.unverified else "no changes"
    told = wording.drift_line(plan) if style.drift else wording.counts(plan.summary)
    return told + (" (stopped)" if plan.errored else "")


def _deletes(plan: Plan) -> list[Callable[[], str]]:
    """The warning about deletes: each with its title; then addresses; then keys by portal; then numbers by portal."""
    gone = [(part, [change for change in part.changes if change.action == "delete"]) for part in plan.parts]
    gone = [(part, changes) for part, changes in gone if changes]
    if not gone:
        return [lambda: ""]
    lines = wording.count(sum(len(changes) for _, changes in gone), "line")
    head = f"> [!CAUTION]\n> **{lines} will be deleted for good**, together with {wording.LOST_WITH_A_LINE}:\n"
    return [
        lambda: head + _quote(_entry(change) for _, changes in gone for change in changes),
        lambda: head + _quote(span(change.address) for _, changes in gone for change in changes),
        lambda: head + _quote(f"{span(part.portal)}: {_keys(changes)}" for part, changes in gone),
        lambda: head + _quote(f"{span(part.portal)}: {wording.count(len(changes), 'line')}" for part, changes in gone),
        lambda: head + _quote([f"on {wording.count(len(gone), 'portal')}, too many to name in a comment"]),
    ]


def _keys(changes: Sequence[ResourceChange]) -> str:
    return span(" ".join(change.name for change in changes))


def _entry(change: ResourceChange) -> str:
    known = f", config_id {change.config_id}" if change.config_id is not None else ""
    return f"{span(change.address)}: {span(change.title)}{known}"


def _quote(entries: Iterable[str]) -> str:
    return "".join(f"> - {entry}\n" for entry in entries) + "\n"


def _errors(errors: Sequence[Diagnostic], style: Style) -> list[Callable[[], str]]:
    """The errors in full; then a line each; then each kind with all its places; then a number for each kind."""
    if not errors:
        return [lambda: ""]
    head = f"### {wording.count(len(errors), 'error')}\n\n"
    kinds: dict[Code, list[Diagnostic]] = {}
    for found in errors:
        kinds.setdefault(found.code, []).append(found)
    return [
        lambda: head + fenced("\n".join(told(errors, style, wording.PLAIN)).strip("\n")),
        lambda: head + fenced("\n".join(f"Error: {_short(each)}" for each in by_cause(errors, equal=True))),
        lambda: head + fenced("\n".join(f"Error: {code}: {_places(group)}" for code, group in kinds.items())),
        lambda: head + fenced("\n".join(f"Error: {code}: {len(group)} times" for code, group in kinds.items())),
    ]


def _short(cause: Cause) -> str:
    return ": ".join(filter(None, (visible(cause.told.summary), ", ".join(cause.places))))


def _places(group: Sequence[Diagnostic]) -> str:
    return ", ".join(dict.fromkeys(visible(found.address or "") or wording.where(found) for found in group))


def _warnings(warnings: Sequence[Diagnostic], style: Style) -> list[Callable[[], str]]:
    if not warnings:
        return [lambda: ""]
    head = wording.count(len(warnings), "warning")
    kinds = dict.fromkeys(found.code for found in warnings)
    short = ", ".join(f"`{code}`" for code in list(kinds)[:PLACES_SHOWN])
    return [
        lambda: _folded(head, fenced("\n".join(told(warnings, style, wording.PLAIN)).strip("\n"))),
        lambda: f"{head} ({short}), not shown here for want of room.\n\n",
    ]


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}</details>\n\n"


# --- an outcome ---


def _outcome(outcome: Outcome, style: Style) -> str:
    name = "dry run" if outcome.dry_run else "incomplete" if outcome.exit else "complete"
    head = [f"{marker('apply', style.target)}\n## sipsync apply: {name}", f"**{wording.apply_line(outcome)}**"]
    registered = wording.reregistered_line(outcome)
    if registered:
        head.append(registered)
    # A title that a broken swap left behind comes first: it is to be known at once.
    found = sorted(findings_of(outcome), key=lambda finding: finding.code is not Code.TEMPORARY_LEFT)
    body = _Body(head, style.budget)
    body.add(_errors([each for each in found if each.severity == "error"], style), 0.7)
    body.add(_warnings([each for each in found if each.severity != "error"], style), 0.3)
    return body.text + _results(outcome, body.room)


# --- details ---


_DIFF_MARKS = {"~": "!"}
"""A forge colours a line of a diff by its first character, and knows `!` for "changed"."""

_TICKS = re.compile("`+")


def span(text: str) -> str:
    """Foreign text as a code span that it can't leave."""
    shown = visible(text)
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(shown)), default=0))
    pad = " " if len(ticks) > 1 or not shown.strip() else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Foreign lines in a fence that they can't close."""
    fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}\n\n"


def _as_diff(row: Row) -> str:
    """A row of a block with its mark moved to column 0."""
    if not row.mark:
        return str(row)
    return f"{_DIFF_MARKS.get(row.mark, row.mark)}{' ' * row.indent} {row.text}"


def _changes(plan: Plan, style: Style, room: int) -> str:
    """The changes by portal. Each portal gets as much as fits: its blocks, else a line for each change, else counts."""
    parts = [part for part in plan.parts if part.changes]
    if not parts:
        return ""
    note = _cut_note(plan, style)
    full = [_in_full(part) for part in parts]
    if sum(map(_size, full)) <= room:
        return "".join(full)
    room -= _size(note)
    texts = _prefix([f"- {_summary(part)}\n" for part in parts], room)
    left = room - sum(map(_size, texts))
    for level in (_listed, _in_full):
        for place, text in enumerate(texts):
            better = level(parts[place])
            cost = _size(better) - _size(text)
            if cost <= left:
                texts[place] = better
                left -= cost
    return "".join(texts) + note


def _size(text: str) -> int:
    """Bytes in UTF-8: never less than the characters that a forge counts."""
    return len(text.encode(errors="replace"))


def _prefix(texts: Sequence[str], room: int) -> list[str]:
    """As many of the texts as fit."""
    used = accumulate(map(_size, texts))
    return [text for text, total in zip(texts, used, strict=True) if total <= room]


def _cut_note(plan: Plan, style: Style) -> str:
    whole = span(style.whole) if style.whole else "the saved plan (`sipsync show FILE`) or the job's other reports"
    changes = wording.count(len(plan.resource_changes), "change")
    return (
        f"\n**Cut to fit.** Of {changes} some are only listed or counted here, or "
        "not named at all; every delete, error and safety limit is told above, if in fewer words. "
        f"The whole plan: {whole}.\n\n"
    )


def _summary(part: PortalPlan) -> str:
    return f"<code>{html.escape(visible(part.portal))}</code>: {wording.counts(part.summary)}"


def _in_full(part: PortalPlan) -> str:
    rows = "\n\n".join("\n".join(map(_as_diff, block(change, part))) for change in part.changes)
    return _folded(_summary(part), fenced(rows, "diff"))


def _listed(part: PortalPlan) -> str:
    rows = "\n".join(map(_row, part.changes))
    return _folded(_summary(part), fenced(rows, "diff"))


def _row(change: ResourceChange) -> str:
    mark = wording.ACTIONS[change.action].mark
    title = f" {quoted(change.title)}" if change.title else ""
    touched = f": {', '.join(map(visible, fields(change.change)))}" if change.action == "update" else ""
    registers = " (re-registers)" if change.reregisters else ""
    return f"{_DIFF_MARKS.get(mark, mark)} {visible(change.address)}{title}{touched}{registers}"


def _results(outcome: Outcome, room: int) -> str:
    """What was done, or, of a dry run, the calls that would be sent: as many as fit."""
    if outcome.dry_run:
        rows = [f"{visible(call.id)}  {wording.call_line(call)}" for call in outcome.calls]
        title = wording.count(len(rows), "API call")
    else:
        done = [line for line in outcome.lines if line.result in ("applied", "done", "restored")]
        rows = [f"{visible(line.address)}: {what(line)}" for line in done]
        title = wording.count(len(rows), "line")
    if not rows:
        return ""
    kept = _prefix([f"{row}\n" for row in rows], room - 200)
    if len(kept) < len(rows):
        kept.append(f"and {len(rows) - len(kept)} more, not shown for want of room")
    return _folded(title, fenced("".join(kept).rstrip("\n")))
