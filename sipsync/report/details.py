"""The folded part of a Markdown text: all changes by portal, in as much detail as there is room for."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sipsync.report.changes import Row, block, fields
from sipsync.report.escape import visible
from sipsync.report.outcomes import what
from sipsync.report.wording import MARKS, call_line, count, counts

if TYPE_CHECKING:
    from sipsync.model.outcome import Outcome
    from sipsync.model.plan import Plan, PortalPlan, ResourceChange
    from sipsync.report import Style

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


def as_diff(row: Row) -> str:
    """A row of a block with its mark moved to column 0."""
    if not row.mark:
        return str(row)
    return f"{_DIFF_MARKS.get(row.mark, row.mark)}{' ' * row.indent} {row.text}"


def changes(plan: Plan, style: Style, room: int) -> str:
    """The changes by portal. Each portal gets as much as fits: its blocks, else a line for each change, else counts."""
    parts = [part for part in plan.parts if part.changes]
    if not parts:
        return ""
    note = _cut_note(plan, style)
    full = [_in_full(part) for part in parts]
    if sum(map(size, full)) <= room:
        return "".join(full)
    room -= size(note)
    texts = _prefix([_counted(part) for part in parts], room)
    left = room - sum(map(size, texts))
    for level in (_listed, _in_full):
        for place, text in enumerate(texts):
            better = level(parts[place])
            cost = size(better) - size(text)
            if cost <= left:
                texts[place] = better
                left -= cost
    return "".join(texts) + note


def size(text: str) -> int:
    """Bytes in UTF-8: never less than the characters that a forge counts."""
    return len(text.encode(errors="replace"))


def _prefix(texts: Sequence[str], room: int) -> list[str]:
    """As many of the texts as fit."""
    kept = []
    for text in texts:
        room -= size(text)
        if room < 0:
            break
        kept.append(text)
    return kept


def _cut_note(plan: Plan, style: Style) -> str:
    whole = span(style.whole) if style.whole else "the saved plan (`sipsync show FILE`) or the job's other reports"
    return (
        f"\n**Cut to fit.** Of {count(len(plan.resource_changes), 'change')} some are only listed or counted here, or "
        "not named at all; every delete, error and safety limit is told above, if in fewer words. "
        f"The whole plan: {whole}.\n\n"
    )


def _summary(part: PortalPlan) -> str:
    return f"<code>{html.escape(visible(part.portal))}</code>: {counts(part.summary)}"


def _in_full(part: PortalPlan) -> str:
    rows = "\n\n".join("\n".join(map(as_diff, block(change, part))) for change in part.changes)
    return f"<details><summary>{_summary(part)}</summary>\n\n{fenced(rows, 'diff')}</details>\n\n"


def _listed(part: PortalPlan) -> str:
    rows = "\n".join(map(_row, part.changes))
    return f"<details><summary>{_summary(part)}</summary>\n\n{fenced(rows, 'diff')}</details>\n\n"


def _row(change: ResourceChange) -> str:
    mark = MARKS[change.action]
    touched = f": {', '.join(map(visible, fields(change)))}" if change.action == "update" else ""
    registers = " (re-registers)" if change.reregisters else ""
    return f"{_DIFF_MARKS.get(mark, mark)} {visible(change.address)}{touched}{registers}"


def _counted(part: PortalPlan) -> str:
    return f"- {_summary(part)}\n"


def results(outcome: Outcome, room: int) -> str:
    """What was done, or, of a dry run, the calls that would be sent: as many as fit."""
    if outcome.dry_run:
        rows = [f"{visible(call.id)}  {call_line(call)}" for call in outcome.calls]
        title = count(len(rows), "API call")
    else:
        done = [line for line in outcome.lines if line.result in ("applied", "done", "restored")]
        rows = [f"{visible(line.address)}: {what(line)}" for line in done]
        title = count(len(rows), "line")
    if not rows:
        return ""
    kept = _prefix([f"{row}\n" for row in rows], room - 200)
    if len(kept) < len(rows):
        kept.append(f"and {len(rows) - len(kept)} more, not shown for want of room")
    body = fenced("".join(kept).rstrip("\n"))
    return f"<details><summary>{title}</summary>\n\n{body}</details>\n\n"
