"""Equal changes of many lines as one fact each, and which lines are still told one by one.

A fact is one field that goes from one value to another. A line all of whose changes are facts is in the groups; every
other line is alone. Deletes are always alone, and always told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from sipsync.model.lines import Action
from sipsync.report.changes import difference, fields
from sipsync.report.escape import quoted, visible
from sipsync.report.wording import ACTIONS, MARK_LOOKS, Paint, count

if TYPE_CHECKING:
    from sipsync.model.outcome import LineOutcome
    from sipsync.model.plan import Change, ResourceChange

GROUP_FROM = 10
"""Lines with an equal change that are a group; fewer are read as quickly one by one."""
LINES_SHOWN = 50
"""Lines that are told one by one where not all are asked for; deletes do not count."""

Line = TypeVar("Line", "ResourceChange", "LineOutcome")
_PLAIN = re.compile(r"[\w.:;=@+/-]+")
"""A value that needs no quotes to be told from the words around it."""


class Fact(NamedTuple):
    """An equal change of many lines."""

    action: Action
    words: str
    lines: int
    portals: int

    def row(self, paint: Paint) -> str:
        """`server: sip.a.example -> sip.b.example: 2,000 lines of 200 portals`, with the mark of what is done."""
        mark = ACTIONS[self.action].mark
        told = f"{self.words}: {count(self.lines, 'line')} of {count(self.portals, 'portal')}"
        return f"  {paint(MARK_LOOKS[mark], mark)} {told}"


class Groups(NamedTuple, Generic[Line]):
    """What is told of many lines."""

    facts: tuple[Fact, ...]
    """The largest first."""
    shown: tuple[Line, ...]
    """Those that are told one by one: those in no group first, where there are groups."""
    hidden: int
    hidden_alone: int
    """Of the hidden ones, those that are in no group."""

    def rest(self, way_to_all: str) -> str:
        """How many are not told one by one, and how they are asked for."""
        alone = f", {self.hidden_alone:,} of them in no group" if self.hidden_alone else ""
        return f"{count(self.hidden, 'more line')}{alone} ({way_to_all} shows {'it' if self.hidden == 1 else 'them'})."


def groups(lines: Sequence[Line], *, everything: bool, odd: Callable[[Line], bool] = lambda _: False) -> Groups[Line]:
    """The facts of these lines, and the lines that are told as well; `odd` ones are alone and told in any case."""
    of = {place: _facts(line) for place, line in enumerate(lines)}
    holding: dict[tuple[Action, str], list[int]] = defaultdict(list)
    for place, words in of.items():
        for each in words:
            holding[lines[place].action, each].append(place)
    large = {key: places for key, places in holding.items() if len(places) >= GROUP_FROM}
    facts = [
        Fact(action, words, len(places), len({lines[place].portal for place in places}))
        for (action, words), places in large.items()
    ]

    def grouped(place: int) -> bool:
        action = lines[place].action
        return bool(of[place]) and all((action, each) in large for each in of[place]) and not odd(lines[place])

    order = sorted(of, key=grouped) if large else list(of)
    bounded = [place for place in order if lines[place].action != "delete" and not odd(lines[place])]
    hidden = set() if everything else set(bounded[LINES_SHOWN:])
    return Groups(
        tuple(sorted(facts, key=lambda fact: -fact.lines)),
        tuple(lines[place] for place in order if place not in hidden),
        len(hidden),
        sum(not grouped(place) for place in hidden),
    )


def _facts(line: ResourceChange | LineOutcome) -> list[str]:
    """What may be the same on other lines: each field's change, in words."""
    change = line.change
    if change is None or line.action not in ("update", "create"):
        return []
    return [f"{visible(name)}: {_brief(change, name)}" for name in fields(change)]


def _brief(change: Change, name: str) -> str:
    return difference(change, name, show=lambda text: text if _PLAIN.fullmatch(text) else quoted(text))
