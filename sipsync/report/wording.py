"""The sentences that several formats share. Some are Terraform's to the letter, since tools match them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sipsync.model.lines import Action
from sipsync.model.lookalike import same_to_the_eye
from sipsync.model.problems import Code, Diagnostic
from sipsync.report.escape import quoted, visible

if TYPE_CHECKING:
    from sipsync.model.outcome import LineResult, Outcome
    from sipsync.model.plan import Change, Plan, PlannedCall, ResourceChange, Summary

NO_CHANGES = "No changes. Your SIP lines match the configuration."
NOTHING_DIFFERS = "Nothing differs from a snapshot that nobody verified."
UNVERIFIED = "Compared with a snapshot that nobody verified: the portal may hold something else."
REREGISTRATION = "Re-registering a line may drop the telephone calls that are on it."
EXPECT_CHANGES = "`sipsync apply --expect-changes DIGEST` makes these changes and no others"
LOST_WITH_A_LINE = "queue, voice menu, recording, working hours, CRM rules and access rights"
SECRET = "(sensitive value)"  # noqa: S105  # what stands in the place of one


class ActionWords(NamedTuple):
    """What is said and shown of an action; Terraform's words where it has some."""

    mark: str
    look: str
    name: str
    will_be: str
    done: str


ACTIONS: Mapping[Action, ActionWords] = {
    "create": ActionWords("+", "green", "create", "will be created", "created"),
    "update": ActionWords("~", "yellow", "update in-place", "will be updated in-place", "updated"),
    "delete": ActionWords("-", "red", "destroy", "will be destroyed", "deleted"),
    "no-op": ActionWords("=", "", "unchanged", "is unchanged", "left alone"),
}
MARK_LOOKS = {words.mark: words.look for words in ACTIONS.values()}


class ResultWords(NamedTuple):
    """What is said and shown of a line's result."""

    kind: str
    """Its colour on a page, and the filter that it answers to."""
    mark: str
    name: str
    look: str = ""
    code: Code | None = None
    """Of a result that is an error: the finding that it amounts to."""


RESULTS: Mapping[LineResult, ResultWords] = {
    "applied": ResultWords("ok", "✓", "applied", "green"),
    "failed": ResultWords("bad", "✗", "failed", code=Code.WRITE_FAILED),
    "unverified": ResultWords("bad", "?", "unconfirmed", code=Code.UNCONFIRMED),
    "stale": ResultWords("bad", "≠", "stale", code=Code.STALE_LINE),
    "restored": ResultWords("bad", "↩", "set back", "yellow"),
    "skipped": ResultWords("wait", "–", "not attempted", code=Code.NOT_ATTEMPTED),
    "done": ResultWords("same", "=", "already applied", "dim"),
    "planned": ResultWords("wait", "…", "would be sent"),
}
"""In the order in which they are counted."""

_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "90"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Paints text that `visible` has already made harmless, in Terraform's colours as plain terminal codes."""

    on: bool

    def __call__(self, look: str, text: str) -> str:
        """The text in a look such as `red bold`."""
        if not self.on or not text:
            return text
        return f"\x1b[{';'.join(_CODES[word] for word in look.split())}m{text}\x1b[0m"


PLAIN = Paint(False)

_TELL_TIME_ABOVE = 5.0
"""Seconds; a shorter wait is not worth a word."""


def count(number: int, noun: str) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def plan_line(summary: Summary) -> str:
    """Terraform's line."""
    return f"Plan: {summary.add} to add, {summary.change} to change, {summary.destroy} to destroy."


def drift_line(plan: Plan) -> str:
    """What is said of a plan that was made to look for drift, and found some."""
    number = sum(len(part.changes) for part in plan.parts)
    return f"{count(number, 'line')} {'differs' if number == 1 else 'differ'} from the files"


def counts(summary: Summary) -> str:
    """`1 to add, 2 to change`: what is not zero."""
    numbers = ((summary.add, "to add"), (summary.change, "to change"), (summary.destroy, "to destroy"))
    return ", ".join(f"{number} {words}" for number, words in numbers if number)


def cost_line(plan: Plan) -> str:
    """What applying costs: calls, requests, re-registrations and, where it is felt, time."""
    summary = plan.summary
    portals = sum(bool(part.calls) for part in plan.parts)
    parts = [f"{count(summary.calls, 'API call')} in {count(summary.requests, 'request')}"]
    if portals > 1:
        parts[0] += f" on {portals} portals"
    if summary.reregistrations:
        one = summary.reregistrations == 1
        parts.append(f"{count(summary.reregistrations, 'line')} {'re-registers' if one else 're-register'}")
    else:
        parts.append("no line re-registers")
    if summary.seconds > _TELL_TIME_ABOVE:
        parts.append(f"about {duration(summary.seconds)} under the rate limit")
    return "; ".join(parts) + "."


def duration(seconds: float) -> str:
    """`25 s`, `3 min`."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def no_changes(plan: Plan) -> str:
    """What is said of a plan without changes: success only of what is known."""
    return NOTHING_DIFFERS if plan.unverified else NO_CHANGES


def not_planned(plan: Plan) -> str:
    """How much of the plan is missing or stopped, "" where nothing is."""
    stopped = sum(bool(part.exit) for part in plan.parts)
    if not stopped:
        missing = "Portals are missing in this plan: see the errors." if plan.parts else "This can't be applied."
        return missing if plan.errored else ""
    of = f" of {len(plan.parts)} portals" if len(plan.parts) > 1 else " portal"
    return f"{stopped}{of} can't be applied: see the errors."


def place(change: ResourceChange) -> str:
    """Where the file declares the line, and which one it is in the portal."""
    known = f"; config_id {change.config_id}" if change.config_id is not None else ""
    return f"{visible(change.source.file)}:{change.source.line}{known}"


def effects(change: ResourceChange, temporary: str | None) -> list[str]:
    """What the change does besides what its fields say."""
    facts = {
        "re-registers the line": change.reregisters,
        "stored only: the line has no registration to renew": change.stored_only,
        "office line": change.action == "create" and change.line_type == "office",
        "can't be undone": change.action == "delete",
        f"by way of the title {quoted(temporary or '')}": temporary is not None,
    }
    return [words for words, holds in facts.items() if holds]


def value(text: str | None, show: Callable[[str], str] = quoted) -> str:
    """A field's value as it stands behind `=`; `show` makes it harmless."""
    return "null" if text is None else show(text)


def unseen_difference(change: Change, name: str) -> str:
    """What to say besides of a field whose two texts look the same."""
    before, after = (str((side or {}).get(name) or "") for side in (change.before, change.after))
    if not same_to_the_eye(before, after):
        return ""
    old, new = next((pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]), ("", ""))
    return f" (looks the same: {_name(old)} becomes {_name(new)})" if old else " (looks the same, and is not)"


def _name(character: str) -> str:
    return f"{unicodedata.name(character, 'a character without a name').lower()} (U+{ord(character):04X})"


def call_line(call: PlannedCall) -> str:
    """The exact REST call, secrets masked."""
    params = [f"{visible(name)}={_param(call, name)}" for name in call.params]
    return f"{visible(call.method)} {' '.join(params)}"


def _param(call: PlannedCall, name: str) -> str:
    if name in call.sensitive:
        return SECRET
    given = call.params[name]
    return str(given) if isinstance(given, int) else value(given)


def apply_line(outcome: Outcome) -> str:
    """Terraform's line where all went well; otherwise how far it came."""
    counts = f"{outcome.count('create')} added, {outcome.count('update')} changed, {outcome.count('delete')} destroyed"
    if outcome.dry_run:
        return f"Dry run: {count(len(outcome.calls), 'API call')} would be sent, none was."
    if not outcome.exit:
        return f"Apply complete! Resources: {counts}."
    by_result = Counter(line.result for line in outcome.lines)
    others = ", ".join(
        f"{by_result[result]} {words.name}"
        for result, words in RESULTS.items()
        if by_result[result] and result not in ("applied", "planned")
    )
    return f"Apply incomplete. Resources: {counts}{others and f'; {others}'}."


def reregistered_line(outcome: Outcome) -> str:
    """How many lines were registered anew and what is known of them, "" where none was."""
    lines = [line for line in outcome.lines if line.reregistered]
    if not lines:
        return ""
    said = f"{count(len(lines), 'line')} re-registered; "
    asked = [line.registration for line in lines if line.registration is not None]
    if not asked:
        return f"{said}registration not checked (--wait 60 checks it)."
    up = sum(state.result == "success" for state in asked)
    if up == len(lines):
        return f"{said}registration confirmed."
    return f"{said}registration confirmed for {up}, not confirmed for {len(lines) - up}."


def where(found: Diagnostic) -> str:
    """A finding's place and address, "" where it has none."""
    place = visible(str(found.at)) if found.at else ""
    address = visible(found.address) if found.address else ""
    return f"{place} ({address})" if place and address else place or address
