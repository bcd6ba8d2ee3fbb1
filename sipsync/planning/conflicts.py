"""Who holds a title. A title is unique on the whole portal, so one that stays taken stops the change that wants it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sipsync.model.lines import TEMPORARY_TITLE, Address, CurrentLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.inputs import Create, Delete, LineChange, PlanInput, Update, is_left_to_server
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


def leaving(changes: Iterable[LineChange]) -> dict[int, LineChange]:
    """The changes that free their line's title, by config_id."""
    return {change.config_id: change for change in changes if not isinstance(change, Create) and _gives_up(change)}


def _gives_up(change: Update | Delete) -> bool:
    """Whether the line's title is free afterwards."""
    if change.title is None:
        return isinstance(change, Delete)
    return title_key(change.title) != title_key(change.current.title)


def collisions(
    changes: Sequence[LineChange], titles: Titles, managed: dict[int, Address], inputs: Sequence[PlanInput]
) -> list[Diagnostic]:
    """One finding for each change whose title stays taken.

    `managed` names the lines of the files by config_id, those included that the selection leaves out: one that keeps
    its title is an error in any case.
    """
    left = leaving(changes)
    taken: dict[str, LineChange] = {}
    found = []
    for change in changes:
        if change.title is None:
            continue
        stay = [line for line in titles.holders(change.title, change.config_id) if line.config_id not in left]
        left_out = next((line for line in stay if line.config_id in managed), None)
        key = title_key(change.title)
        rival = taken.setdefault(key, change)
        if left_out is not None:
            found.append(_held(change, _named(left_out), managed[left_out.config_id]))
        elif is_left_to_server(change, inputs):
            continue
        elif stay:
            found.append(_held(change, _named(stay[0]), None))
        elif key in titles.outside:
            found.append(_held(change, f'"{titles.outside[key]}", which this credential does not see', None))
        elif rival is not change:
            found.append(_held(change, f'{rival.address} ("{rival.title}") in the same plan', None))
    return found


def _named(line: CurrentLine) -> str:
    return f'line {line.config_id} ("{line.title}")'


def _held(change: LineChange, holder: str, left_out: Address | None) -> Diagnostic:
    summary = Message('the title "{title}" is held by {holder}', title=change.title, holder=holder)
    if left_out is not None:
        return Diagnostic(
            Code.HALF_SWAP,
            Message(
                "{summary}: {left_out}, which does not give it up in this plan", summary=summary, left_out=left_out
            ),
            hint=Message("Select {left_out} as well, or correct one of the two titles.", left_out=left_out),
            at=change.at,
            address=change.address,
        )
    return Diagnostic(
        Code.TITLE_HELD,
        summary,
        hint=Message(
            "Choose another title, or rename that one first. The portal's list of names may be a day "
            "old and your portal may compare titles in its own way: --allow title-held:{address} "
            "lets Bitrix24 decide.",
            address=change.address,
        ),
        at=change.at,
        address=change.address,
    )
