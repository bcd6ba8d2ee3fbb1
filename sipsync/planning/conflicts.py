"""What the lines of a portal share: a title is unique on the whole portal, and the cloud lines are counted.

A title that stays taken stops the change that wants it, and a cloud line for which there is no room is not made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sipsync.model.lines import TEMPORARY_TITLE, Address, CurrentLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.inputs import Create, Delete, LineChange, PlanInput, Update, about
from sipsync.planning.owner import OwnerPlan
from sipsync.rules.values import title_key


@dataclass(frozen=True, slots=True)
class Titles:
    """The titles of one portal: of the lines that the credentials see, and of everything else that blocks one."""

    lines: dict[str, list[CurrentLine]]
    outside: dict[str, str]
    """What no credential of this run sees: rented numbers, caller ids, lines of other owners. May be a day old."""

    @classmethod
    def of(cls, inputs: Sequence[PlanInput]) -> Titles:
        """The titles of the portal that these inputs share."""
        lines: dict[str, list[CurrentLine]] = defaultdict(list)
        own_ids, own_titles = set(), set()
        for given in inputs:
            for line in given.current.lines:
                lines[title_key(line.title)].append(line)
                own_ids.add(line.line_id)
                own_titles.add(line.title)
        # Lines without a registration share one id in the portal's list, so an own id may stand for somebody's line.
        outside = {
            title_key(name): name
            for given in inputs
            for line_id, name in given.current.names.items()
            if line_id not in own_ids or (line_id in ("reg0", "sip0") and name not in own_titles)
        }
        return cls(dict(lines), outside)

    def holders(self, title: str, but: int | None) -> list[CurrentLine]:
        """The visible lines, other than this one, that hold the title as the server's database compares."""
        return [line for line in self.lines.get(title_key(title), ()) if line.config_id != but]

    def temporary(self, config_id: int) -> str:
        """A title that nothing holds, for the moment of a swap."""
        title, suffix = f"{TEMPORARY_TITLE}{config_id}", 1
        while title_key(title) in self.lines or title_key(title) in self.outside:
            suffix += 1
            title = f"{TEMPORARY_TITLE}{config_id}-{suffix}"
        return title


def leaving(changes: Iterable[LineChange]) -> dict[int, Update | Delete]:
    """The changes that free their line's title, by config_id."""
    return {change.config_id: change for change in changes if not isinstance(change, Create) and _gives_up(change)}


def _gives_up(change: Update | Delete) -> bool:
    """Whether the line's title is free afterwards."""
    if change.title is None:
        return isinstance(change, Delete)
    return title_key(change.title) != title_key(change.current.title)


def left_to_server(titles: Iterable[tuple[Address, str | None]], inputs: Sequence[PlanInput]) -> set[str]:
    """Of the titles that lines are to have, as the database compares them, those that the server is left to judge."""
    return {title_key(title) for address, title in titles if title and _is_left_to_server(address, inputs)}


def _is_left_to_server(address: Address, inputs: Iterable[PlanInput]) -> bool:
    return any(given.selection.allows(Code.TITLE_HELD, address) for given in inputs)


def conflicts(owners: Sequence[OwnerPlan], titles: Titles) -> list[Diagnostic]:
    """What the changes of all owners want and can't have."""
    changes = [change for owner in owners for change in owner.changes]
    return [*_taken_titles(changes, owners, titles), *_too_many_cloud_lines(changes, [one.given for one in owners])]


def _taken_titles(changes: Sequence[LineChange], owners: Sequence[OwnerPlan], titles: Titles) -> Iterator[Diagnostic]:
    """One finding for each change whose title stays taken.

    The lines of the files count with those that the selection leaves out: one that keeps its title is an error in any
    case.
    """
    managed = {current.config_id: line.address for owner in owners for line, current in owner.match.pairs}
    managed |= {current.config_id: line.address for owner in owners for line, current in owner.match.deletes}
    left = leaving(changes)
    taken: dict[str, LineChange] = {}
    for change in changes:
        if change.title is None:
            continue
        key = title_key(change.title)
        rival = taken.setdefault(key, change)
        stay = [line for line in titles.holders(change.title, change.config_id) if line.config_id not in left]
        left_out = next((line for line in stay if line.config_id in managed), None)
        if left_out is not None:
            yield _half_swap(change, left_out, managed[left_out.config_id])
        elif _is_left_to_server(change.address, [owner.given for owner in owners]):
            continue
        elif stay:
            yield _held(change, _named(stay[0]))
        elif key in titles.outside:
            yield _held(change, Message('"{name}", which this credential does not see', name=titles.outside[key]))
        elif rival is not change:
            same = Message('{address} ("{title}") in the same plan', address=rival.address, title=rival.title)
            yield _held(change, same)


def _named(line: CurrentLine) -> Message:
    return Message('line {config_id} ("{title}")', config_id=line.config_id, title=line.title)


def _half_swap(change: LineChange, holder: CurrentLine, address: Address) -> Diagnostic:
    summary = Message(
        'the title "{title}" is held by {holder}: {address}, which does not give it up in this plan',
        title=change.title,
        holder=_named(holder),
        address=address,
    )
    hint = Message("Select {address} as well, or correct one of the two titles.", address=address)
    return about(change, Code.HALF_SWAP, summary, hint=hint)


def _held(change: LineChange, holder: Message) -> Diagnostic:
    summary = Message('the title "{title}" is held by {holder}', title=change.title, holder=holder)
    hint = Message(
        "Choose another title, or rename that one first. The portal's list of names may be a day "
        "old and your portal may compare titles in its own way: --allow title-held:{address} "
        "lets Bitrix24 decide.",
        address=change.address,
    )
    return about(change, Code.TITLE_HELD, summary, hint=hint)


def cloud_limit(inputs: Iterable[PlanInput]) -> int:
    """How many cloud lines the portal may have; its owners' files may differ."""
    return max(given.desired.limits.cloud_lines for given in inputs)


def cloud_room(inputs: Sequence[PlanInput]) -> int:
    """For how many more cloud lines the portal has room; those that no credential here sees count as well."""
    lines = [line for given in inputs for line in given.current.lines]
    known = {line.line_id for line in lines}
    unseen = sum(line_id.startswith("reg") and line_id not in known for line_id in inputs[0].current.names)
    return cloud_limit(inputs) - unseen - sum(line.type == "cloud" for line in lines)


def _too_many_cloud_lines(changes: Sequence[LineChange], inputs: Sequence[PlanInput]) -> Iterator[Diagnostic]:
    """The adds for which the portal has no room, after all deletes."""
    adds = [change for change in changes if isinstance(change, Create) and change.type == "cloud"]
    room = cloud_room(inputs) + sum(isinstance(change, Delete) and change.type == "cloud" for change in changes)
    limit = cloud_limit(inputs)
    for number, add in enumerate(adds[max(room, 0) :], limit + 1):
        summary = Message(
            "the portal has room for {limit} cloud lines, and this would be number {number}", limit=limit, number=number
        )
        hint = Message(
            "Delete a line first, or make it an office line. If the portal allows more, set portal.limits.cloud_lines."
        )
        yield about(add, Code.CLOUD_LIMIT, summary, hint=hint)
