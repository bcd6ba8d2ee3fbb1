"""The changes in an order that the server accepts, and in as few writes as there can be.

A title is unique on the portal, so a rename has to wait until everybody who holds the new title has left it. Renames
that wait for each other in a ring take exactly one extra write: one line of the ring steps aside to a temporary
title. The optimum is therefore one write for each change and one for each ring. Adds come after the renames; deletes
come last, unless a title or a place among the cloud lines is needed before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sipsync.model.lines import Address
from sipsync.planning.conflicts import Titles, leaving
from sipsync.planning.inputs import Create, Delete, LineChange, Update


@dataclass(frozen=True, slots=True)
class Write:
    """One write of the plan: a whole change, or the step aside of a line to its temporary title."""

    change: LineChange
    temporary: str | None = None
    after: tuple[int, ...] = ()
    """The writes, by place, that must have succeeded before."""


def order(changes: Sequence[LineChange], titles: Titles, cloud_room: int) -> tuple[Write, ...]:
    """One write for each change, plus one for each ring of titles. `cloud_room` is for so many more cloud lines."""
    sequence = _Sequence(changes, titles)
    for change in changes:
        if isinstance(change, Update):
            sequence.place(change)
    # Those that gave a title away are gone already; the others go as an add needs their place.
    deletes = [change for change in changes if isinstance(change, Delete) and change.type == "cloud"]
    deletes.sort(key=lambda change: not sequence.placed(change))
    waiting = iter(deletes)
    for change in changes:
        if not isinstance(change, Create):
            continue
        freed = []
        if change.type == "cloud":
            while cloud_room <= 0 and (gone := next(waiting, None)) is not None:
                freed.append(sequence.place(gone))
                cloud_room += 1
            cloud_room -= 1
        sequence.place(change, *freed)
    for change in changes:
        sequence.place(change)
    return tuple(sequence.writes)


class _Sequence:
    """The writes so far. Placing a change first places what it waits for (without recursion: chains may be long)."""

    def __init__(self, changes: Sequence[LineChange], titles: Titles) -> None:
        self.writes: list[Write] = []
        self._titles = titles
        self._leaving = leaving(changes)
        self._freed: dict[int, int] = {}
        """config_id → the write after which its old title is free."""
        self._places: dict[Address, int] = {}

    def placed(self, change: LineChange) -> bool:
        """Whether the change is among the writes."""
        return change.address in self._places

    def place(self, change: LineChange, *after: int) -> int:
        """Append the change behind everything that it waits for; returns its place."""
        if self.placed(change):
            return self._places[change.address]
        path: list[tuple[LineChange, Iterator[Update | Delete]]] = [(change, self._blockers(change))]
        on_path = {change.address}
        while path:
            waiting, blockers = path[-1]
            blocker = next(blockers, None)
            if blocker is None:
                path.pop()
                on_path.discard(waiting.address)
                self._append(waiting, after if waiting is change else ())
            elif blocker.address in on_path:
                aside = Write(blocker, self._titles.temporary(blocker.config_id))
                self._freed[blocker.config_id] = self._add(aside)
            elif not self.placed(blocker):
                path.append((blocker, self._blockers(blocker)))
                on_path.add(blocker.address)
        return self._places[change.address]

    def _blockers(self, change: LineChange) -> Iterator[Update | Delete]:
        """The changes that still hold the title that this one brings."""
        if change.title is None:
            return
        for holder in self._titles.holders(change.title, change.config_id):
            if holder.config_id in self._leaving and holder.config_id not in self._freed:
                yield self._leaving[holder.config_id]

    def _append(self, change: LineChange, after: Sequence[int]) -> None:
        waits = set(after)
        own = change.config_id
        if change.title is not None:
            holders = self._titles.holders(change.title, own)
            waits |= {self._freed[holder.config_id] for holder in holders if holder.config_id in self._freed}
        if own in self._freed:
            waits.add(self._freed[own])
        place = self._add(Write(change, after=tuple(sorted(waits))))
        self._places[change.address] = place
        if own is not None and own in self._leaving:
            self._freed.setdefault(own, place)

    def _add(self, write: Write) -> int:
        self.writes.append(write)
        return len(self.writes) - 1
