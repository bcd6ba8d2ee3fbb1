"""Which line is which.

Lines with a config_id claim theirs first; the others are found by title among the lines that are left: identical
first, then equal as the server's database compares. A line that is not found is an error, or an add where the policy
allows it. A line that the file does not name is never touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from sipsync.model.fields import NEEDED
from sipsync.model.lines import CurrentLine, DesiredLine, RemovedLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.inputs import PlanInput
from sipsync.rules.values import title_key


@dataclass(slots=True)
class Match:
    """Which desired line is which current one."""

    pairs: list[tuple[DesiredLine, CurrentLine]] = field(default_factory=list)
    adds: list[DesiredLine] = field(default_factory=list)
    deletes: list[tuple[RemovedLine, CurrentLine]] = field(default_factory=list)
    unmanaged: list[CurrentLine] = field(default_factory=list)
    """Lines that the file does not name."""
    problems: list[Diagnostic] = field(default_factory=list)
    vanished: bool = False
    """None of the file's config_ids is among the lines that the credential sees."""


def match(given: PlanInput) -> Match:
    """Pairs of desired and current lines, and what is left over on both sides."""
    found = Match()
    free = {line.config_id: line for line in given.current.lines}
    by_title: list[DesiredLine] = []
    missing: list[DesiredLine] = []
    for line in given.desired.lines:
        if line.config_id is None:
            by_title.append(line)
        elif line.config_id in free:
            found.pairs.append((line, free.pop(line.config_id)))
        else:
            missing.append(line)
    found.vanished = bool(missing) and not found.pairs
    if not found.vanished or given.selection.allows(Code.VANISHED_LINES, given.desired.name):
        found.problems += [_not_seen(line) for line in missing if given.selects(line.address)]
    for removed in given.desired.removed:
        if removed.config_id in free:
            found.deletes.append((removed, free.pop(removed.config_id)))
    for same in (str, title_key):
        by_title = _claim(by_title, free, same, found, given)
    twins = {_connection(line): line for line in reversed(free.values())}
    for line in by_title:
        _settle_unfound(line, twins.get(_connection(line)), found, given)
    order = {line.address: place for place, line in enumerate(given.desired.lines)}
    found.pairs.sort(key=lambda pair: order[pair[0].address])
    found.unmanaged = list(free.values())
    return found


def _claim(
    lines: list[DesiredLine],
    free: dict[int, CurrentLine],
    same: Callable[[str], str],
    found: Match,
    given: PlanInput,
) -> list[DesiredLine]:
    """Claims free lines by title; returns the lines that found none."""
    titled: dict[str, list[CurrentLine]] = defaultdict(list)
    for current in free.values():
        titled[same(current.title)].append(current)
    left = []
    for line in lines:
        hits = [hit for hit in titled[same(line.title or "")] if hit.config_id in free]
        if len(hits) == 1:
            found.pairs.append((line, free.pop(hits[0].config_id)))
        elif not hits:
            left.append(line)
        elif given.selects(line.address):
            ids = ", ".join(str(hit.config_id) for hit in hits)
            found.problems.append(
                Diagnostic(
                    Code.LINE_AMBIGUOUS,
                    Message(
                        '{count} lines in Bitrix24 have the title "{title}": config_id {ids}',
                        count=len(hits),
                        title=line.title,
                        ids=ids,
                    ),
                    hint=Message("Add config_id with the one that you mean."),
                    at=line.places.get("title", line.at),
                    address=line.address,
                )
            )
    return left


def _connection(line: DesiredLine | CurrentLine) -> tuple[str, str]:
    return str(line.values.get("server", "")), str(line.values.get("login", ""))


def _not_seen(line: DesiredLine) -> Diagnostic:
    return Diagnostic(
        Code.LINE_NOT_FOUND,
        Message("this credential has no access to line {config_id}", config_id=line.config_id),
        hint=Message(
            "A webhook sees the lines made in Bitrix24's pages or by any webhook, an application "
            "only its own. Check config_id, or take the line out of the file if it was deleted."
        ),
        at=line.at,
        address=line.address,
    )


def _settle_unfound(line: DesiredLine, twin: CurrentLine | None, found: Match, given: PlanInput) -> None:
    """A title that no line has: a likely rename (an unclaimed line is its twin), an add, or an error."""
    if not given.selects(line.address):
        return
    at = line.places.get("title", line.at)
    if twin is not None:
        found.problems.append(
            Diagnostic(
                Code.LOOKS_LIKE_RENAME,
                Message(
                    'no line has the title "{title}", but line {config_id} ("{title2}") has the same server '
                    "and login: looks like a rename",
                    title=line.title,
                    config_id=twin.config_id,
                    title2=twin.title,
                ),
                hint=Message(
                    "Add config_id: {config_id} (`sipsync import --pin` writes the ids into the file).",
                    config_id=twin.config_id,
                ),
                at=at,
                address=line.address,
            )
        )
    elif not given.desired.policy.create:
        found.problems.append(
            Diagnostic(
                Code.CREATE_OFF,
                Message('no line in Bitrix24 has the title "{title}"', title=line.title),
                hint=Message(
                    "Correct the title, give the line's config_id (`sipsync import` lists them), or set "
                    "`policy: {create: true}` to have the line made."
                ),
                at=at,
                address=line.address,
            )
        )
    elif missing := [name for name in NEEDED if name not in line.values]:
        found.problems.append(
            Diagnostic(
                Code.MISSING_KEY,
                Message("to make a line, its {missing} must be given", missing=" and ".join(missing)),
                hint=Message("Add it to the line, or to `defaults` for all lines."),
                at=line.at,
                address=line.address,
            )
        )
    else:
        found.adds.append(line)
