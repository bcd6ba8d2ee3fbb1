"""The safety limits: one function each, listed in GUARDS.

A guard looks at one owner's changes and says what it stops; `--allow <guard>:<address>` turns the one finding that it
names into a warning. There is no way to allow everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from sipsync.model.globs import fits
from sipsync.model.lines import CurrentLine, DesiredPortal, Verb
from sipsync.model.message import Message, counted
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.inputs import ALLOWED, Delete, LineChange, about
from sipsync.planning.owner import OwnerPlan
from sipsync.rules.values import title_key

Stop: TypeAlias = tuple[DesiredPortal | LineChange, Message, Message]
"""What is stopped, why, and what to do but allowing it."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One safety limit."""

    code: Code
    """Of all its findings."""
    stops: Callable[[OwnerPlan], Iterator[Stop]]
    allowable: bool = True
    """Whether the operator may let one finding pass with `--allow`."""


def check(owner: OwnerPlan) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """What stops the portal, and what the operator allowed (as warnings)."""
    stops, allowed = [], []
    for guard in GUARDS:
        for subject, summary, hint in guard.stops(owner):
            stop = about(subject, guard.code, summary, hint=hint)
            if not guard.allowable:
                stops.append(stop)
            elif owner.given.selection.allows(guard.code, stop.address):
                allowed.append(replace(stop, severity="warning", hint=ALLOWED))
            else:
                override = Message(
                    "{hint} --allow {code}:{address} lets this one pass.",
                    hint=hint,
                    code=guard.code,
                    address=stop.address,
                )
                stops.append(replace(stop, hint=override))
    return stops, allowed


def vanished_lines(owner: OwnerPlan) -> Iterator[Stop]:
    """The credential sees none of the lines that the file names: likely another webhook or application."""
    if owner.match.vanished:
        yield (
            owner.given.desired,
            Message(
                "this credential sees none of the lines that the file names by config_id: probably "
                "another webhook or application"
            ),
            Message(
                "A webhook sees the lines made in Bitrix24's pages or by any webhook, an application "
                "only its own. Use the credential that the file was imported with."
            ),
        )


def delete_off(owner: OwnerPlan) -> Iterator[Stop]:
    """A delete without `policy.delete`."""
    for change in owner.changes:
        if isinstance(change, Delete) and not owner.given.desired.policy.delete:
            yield (
                change,
                Message("stopped by a safety limit: the line is listed under `removed`, and deletes are off"),
                Message(
                    "Set `policy: {delete: true}` if the line is really to go; what is lost for good is told above."
                ),
            )


def max_changes(owner: OwnerPlan) -> Iterator[Stop]:
    """More lines change than the policy lets change at once."""
    portal, count = owner.given.desired, len(owner.changes)
    total = len(owner.match.pairs) + len(owner.match.adds) + len(owner.match.deletes)
    limits = (portal.policy.max_changes or "").split(",")
    if limit := next((each for each in limits if each and count > allowed_changes(each, total)), None):
        summary = Message(
            "stopped by a safety limit: max_changes is {limit}, the plan changes {count}", limit=limit, count=count
        )
        yield portal, summary, Message("Change fewer lines at a time, for example with --line.")


def allowed_changes(limit: str, total: int) -> int:
    """How many of `total` lines may change; a percentage allows one at least, so that it works on small portals."""
    if limit.endswith("%"):
        share = float(limit[:-1]) * total / 100
        return max(1, int(share)) if share else 0
    return int(limit)


def protected(owner: OwnerPlan) -> Iterator[Stop]:
    """A line that the policy, or the branch that the change is meant for, protects would change."""
    protector = _Protector(owner.given.desired)
    for change in owner.changes:
        if by := protector.of(change):
            summary = Message(
                "stopped by a safety limit: the line is protected ({by}), {what}", by=by, what=_WOULD[change.verb]
            )
            hint = Message("Take the line out of the plan with --exclude {address}.", address=change.address)
            yield change, summary, hint


_WOULD: Mapping[Verb, Message] = {
    "add": Message("the plan would add it"),
    "update": Message("the plan would update it"),
    "delete": Message("the plan would delete it"),
}


class _Protector:
    """What protects the lines of a portal: globs, and the lines that the target branch has."""

    def __init__(self, portal: DesiredPortal) -> None:
        self._globs, self._target = portal.policy.protected, portal.target
        self._ids = {line.config_id: line for line in self._target.lines if line.config_id is not None}
        self._titles = {title_key(line.title): line for line in self._target.lines if line.title}

    def of(self, change: LineChange) -> Message | None:
        """What protects this line; None where nothing does."""
        current, target = change.current, self._target
        titles = [title for title in (change.title, current and current.title) if title]
        names = [change.address.key, *titles, *([str(current.config_id)] if current else [])]
        for glob in self._globs:
            if any(fits(name, glob) for name in names):
                return Message('"{glob}"', glob=glob)
        for glob in target.protected:
            if any(fits(name, glob) for name in names):
                return Message('"{glob}" on {branch}', glob=glob, branch=target.branch)
        line = self._ids.get(current.config_id) if current else None
        line = line or next((self._titles[key] for key in map(title_key, titles) if key in self._titles), None)
        return Message("as {name} on {branch}", name=line.name, branch=target.branch) if line else None


def target_unknown(owner: OwnerPlan) -> Iterator[Stop]:
    """What the branch that the change is meant for protects can't be told."""
    portal = owner.given.desired
    if portal.target.unknown:
        reason, remedy = portal.target.unknown
        summary = Message(
            "stopped by a safety limit: what {branch} protects can't be told: {reason}",
            branch=portal.target.branch,
            reason=reason,
        )
        yield portal, summary, remedy


def unmanaged(owner: OwnerPlan) -> Iterator[Stop]:
    """Lines that the file does not name, where the policy calls that an error."""
    lines, portal = owner.match.unmanaged, owner.given.desired
    if lines and portal.policy.unmanaged == "error":
        summary = counted(
            len(lines),
            "stopped by a safety limit: 1 line in Bitrix24 is not in your file: {lines}",
            "stopped by a safety limit: {count} lines in Bitrix24 are not in your file: {lines}",
            lines=some_of(lines),
        )
        hint = Message("Add them to the file (`sipsync import` does it), or set `policy: {unmanaged: report}`.")
        yield portal, summary, hint


def some_of(lines: Sequence[CurrentLine]) -> Message:
    """The first few of these lines, and how many there are besides."""
    named = ", ".join(f'{line.config_id} "{line.title}"' for line in lines[:5])
    more = len(lines) - 5
    return Message("{named} and {more} more", named=named, more=more) if more > 0 else Message("{named}", named=named)


GUARDS = (
    Guard(Code.VANISHED_LINES, vanished_lines),
    Guard(Code.DELETE_OFF, delete_off, allowable=False),  # a delete is allowed in the file and nowhere else
    Guard(Code.MAX_CHANGES, max_changes),
    Guard(Code.PROTECTED, protected),
    Guard(Code.TARGET_UNKNOWN, target_unknown),
    Guard(Code.UNMANAGED, unmanaged),
)

ALLOWABLE = frozenset({Code.LINE_NOT_FOUND, Code.TITLE_HELD, *(guard.code for guard in GUARDS if guard.allowable)})
"""The findings that `--allow` may name."""
