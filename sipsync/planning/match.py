"""Which line is which.

Lines with a config_id claim theirs first; the others are found by title among the lines that are left: identical
first, then equal as the server's database compares. A line that is not found is an error, or an add where the policy
allows it. A line that the file does not name is never touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sipsync.model.fields import NEEDED
from sipsync.model.lines import CurrentLine, DesiredLine, RemovedLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.inputs import ALLOWED, PlanInput, about
from sipsync.rules.values import title_key


@dataclass(slots=True)
class Match:
    """Which desired line is which current one."""

    pairs: list[tuple[DesiredLine, CurrentLine]] = field(default_factory=list)
    adds: list[DesiredLine] = field(default_factory=list)
    deletes: list[tuple[RemovedLine, CurrentLine]] = field(default_factory=list)
    unmanaged: list[CurrentLine] = field(default_factory=list)
    """Lines that the file does not name."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    """Lines that are not found, which the operator lets pass: they are left alone."""
    vanished: bool = False
    """None of the file's config_ids is among the lines that the credential sees."""


def match(given: PlanInput) -> Match:
    """Pairs of desired and current lines, and what is left over on both sides."""
    result = Match()
    free = {line.config_id: line for line in given.current.lines}
    by_title: list[DesiredLine] = []
    missing: list[DesiredLine] = []
    for line in given.desired.lines:
        if line.config_id is None:
            by_title.append(line)
        elif line.config_id in free:
            result.pairs.append((line, free.pop(line.config_id)))
        else:
            missing.append(line)
    result.vanished = bool(missing) and not result.pairs
    if not result.vanished or given.selection.allows(Code.VANISHED_LINES, given.desired.name):
        for line in missing:
            if given.selection.allows(Code.LINE_NOT_FOUND, line.address):
                result.warnings.append(replace(_not_seen(line), severity="warning", hint=ALLOWED))
            elif given.selection.selects(line.address):
                result.diagnostics.append(_not_seen(line))
    for removed in given.desired.removed:
        if removed.config_id in free:
            result.deletes.append((removed, free.pop(removed.config_id)))
    for same in (str, title_key):
        by_title = _claim(by_title, free, same, result, given)
    twins = {_connection(line): line for line in reversed(free.values())}
    for line in by_title:
        if given.selection.selects(line.address):
            if wrong := _why_not_an_add(line, twins.get(_connection(line)), given):
                result.diagnostics.append(wrong)
            else:
                result.adds.append(line)
    order = {line.address: place for place, line in enumerate(given.desired.lines)}
    result.pairs.sort(key=lambda pair: order[pair[0].address])
    result.unmanaged = list(free.values())
    return result


def _claim(
    lines: list[DesiredLine], free: dict[int, CurrentLine], same: Callable[[str], str], result: Match, given: PlanInput
) -> list[DesiredLine]:
    """Claims free lines by title; returns the lines that found none."""
    titled: dict[str, list[CurrentLine]] = defaultdict(list)
    for current in free.values():
        titled[same(current.title)].append(current)
    left = []
    for line in lines:
        hits = [hit for hit in titled[same(line.title or "")] if hit.config_id in free]
        if len(hits) == 1:
            result.pairs.append((line, free.pop(hits[0].config_id)))
        elif not hits:
            left.append(line)
        elif given.selection.selects(line.address):
            result.diagnostics.append(_ambiguous(line, hits))
    return left


def _connection(line: DesiredLine | CurrentLine) -> tuple[str, str]:
    return str(line.values.get("server", "")), str(line.values.get("login", ""))


def _not_seen(line: DesiredLine) -> Diagnostic:
    summary = Message("this credential has no access to line {config_id}", config_id=line.config_id)
    hint = Message(
        "A webhook sees the lines made in Bitrix24's pages or by any webhook, an application "
        "only its own. Check config_id, or take the line out of the file if it was deleted. --exclude {address} "
        "leaves it out, --allow {code}:{address} lets it pass.",
        code=Code.LINE_NOT_FOUND,
        address=line.address,
    )
    return about(line, Code.LINE_NOT_FOUND, summary, hint=hint)


def _ambiguous(line: DesiredLine, hits: list[CurrentLine]) -> Diagnostic:
    summary = Message(
        '{count} lines in Bitrix24 have the title "{title}": config_id {ids}',
        count=len(hits),
        title=line.title,
        ids=", ".join(str(hit.config_id) for hit in hits),
    )
    hint = Message("Add config_id with the one that you mean.")
    return about(line, Code.LINE_AMBIGUOUS, summary, hint=hint, at=line.places.get("title"))


def _why_not_an_add(line: DesiredLine, twin: CurrentLine | None, given: PlanInput) -> Diagnostic | None:
    """Why a line whose title is not found can't be made: its likely twin is there, adds are off, values are missing."""
    if twin is not None:
        summary = Message(
            'no line has the title "{title}", but line {config_id} ("{current}") has the same server and login: '
            "looks like a rename",
            title=line.title,
            config_id=twin.config_id,
            current=twin.title,
        )
        hint = Message(
            "Add config_id: {config_id} (`sipsync import --pin` writes the ids into the file).",
            config_id=twin.config_id,
        )
        return about(line, Code.LOOKS_LIKE_RENAME, summary, hint=hint, at=line.places.get("title"))
    if not given.desired.policy.create:
        summary = Message('no line in Bitrix24 has the title "{title}"', title=line.title)
        hint = Message(
            "Correct the title, give the line's config_id (`sipsync import` lists them), or set "
            "`policy: {create: true}` to have the line made."
        )
        return about(line, Code.CREATE_OFF, summary, hint=hint, at=line.places.get("title"))
    if missing := [name for name in NEEDED if name not in line.values]:
        summary = Message("to make a line, its {missing} must be given", missing=", ".join(missing))
        hint = Message("Add it to the line, or to `defaults` for all lines.")
        return about(line, Code.MISSING_KEY, summary, hint=hint)
    return None
