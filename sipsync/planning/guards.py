"""The safety limits: one function each, listed in GUARDS.

A guard looks at one portal's changes and returns findings; `--allow <guard>:<address>` turns the one finding that it
names into a warning. There is no way to allow everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from sipsync.model.lines import CurrentLine, DesiredPortal
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.inputs import Delete, LineChange, PlanInput
from sipsync.planning.match import Match
from sipsync.rules.values import title_key


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a guard judges."""

    given: PlanInput
    match: Match
    changes: Sequence[LineChange]


Guard = Callable[[Proposal], Iterator[Diagnostic]]


def check(proposal: Proposal) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """What stops the portal, and what the operator allowed (as warnings)."""
    stops, allowed = [], []
    for guard in GUARDS:
        for found in guard(proposal):
            if proposal.given.selection.allows(found.code, found.address):
                allowed.append(replace(found, severity="warning", hint=Message("Allowed by the operator (--allow).")))
            else:
                stops.append(found)
    return stops, allowed


def vanished_lines(proposal: Proposal) -> Iterator[Diagnostic]:
    """The credential sees none of the lines that the file names: likely another webhook or application."""
    if proposal.match.vanished:
        name = proposal.given.desired.name
        yield Diagnostic(
            Code.VANISHED_LINES,
            Message(
                "this credential sees none of the lines that the file names by config_id: probably "
                "another webhook or application"
            ),
            hint=Message(
                "A webhook sees the lines made in Bitrix24's pages or by any webhook, an application "
                "only its own. Use the credential that the file was imported with. {override}",
                override=_override(Code.VANISHED_LINES, name),
            ),
            at=proposal.given.desired.at,
            address=name,
        )


def max_changes(proposal: Proposal) -> Iterator[Diagnostic]:
    """More lines change than the policy lets change at once."""
    given, count = proposal.given, len(proposal.changes)
    total = len(proposal.match.pairs) + len(proposal.match.adds) + len(proposal.match.deletes)
    for limit in (given.desired.policy.max_changes or "").split(","):
        if limit and count > allowed_changes(limit, total):
            yield Diagnostic(
                Code.MAX_CHANGES,
                Message(
                    "stopped by a safety limit: max_changes is {limit}, the plan changes {count}",
                    limit=limit,
                    count=count,
                ),
                hint=Message(
                    "Change fewer lines at a time, for example with --line. {override}",
                    override=_override(Code.MAX_CHANGES, given.desired.name),
                ),
                at=given.desired.at,
                address=given.desired.name,
            )
            return


def allowed_changes(limit: str, total: int) -> int:
    """How many of `total` lines may change; a percentage allows one at least, so that it works on small portals."""
    if limit.endswith("%"):
        share = float(limit[:-1]) * total / 100
        return max(1, int(share)) if share else 0
    return int(limit)


def protected(proposal: Proposal) -> Iterator[Diagnostic]:
    """A line that the policy, or the branch that the change is meant for, protects would change."""
    protector = _Protector(proposal.given.desired)
    for change in proposal.changes:
        if by := protector.of(change):
            yield Diagnostic(
                Code.PROTECTED,
                Message(
                    "stopped by a safety limit: the line is protected ({by}), the plan would {verb} it",
                    by=by,
                    verb=change.verb,
                ),
                hint=Message(
                    "Take the line out of the plan with --exclude {address}. {override}",
                    address=change.address,
                    override=_override(Code.PROTECTED, change.address),
                ),
                at=change.at,
                address=change.address,
            )


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
            if any(fnmatchcase(name, glob) for name in names):
                return Message('"{glob}"', glob=glob)
        for glob in target.protected:
            if any(fnmatchcase(name, glob) for name in names):
                return Message('"{glob}" on {branch}', glob=glob, branch=target.branch)
        line = self._ids.get(current.config_id) if current else None
        line = line or next((self._titles[key] for key in map(title_key, titles) if key in self._titles), None)
        return Message("as {name} on {branch}", name=line.name, branch=target.branch) if line else None


def target_unknown(proposal: Proposal) -> Iterator[Diagnostic]:
    """What the branch that the change is meant for protects can't be told."""
    if proposal.given.desired.target.unknown:
        yield proposal.given.desired.target.unknown


def delete_off(proposal: Proposal) -> Iterator[Diagnostic]:
    """A delete without `policy.delete`."""
    if not proposal.given.desired.policy.delete:
        for change in proposal.changes:
            if isinstance(change, Delete):
                yield Diagnostic(
                    Code.DELETE_OFF,
                    Message("stopped by a safety limit: the line is listed under `removed`, and deletes are off"),
                    hint=Message(
                        "Set `policy: {delete: true}` if the line is really to go; what is lost for good is told above."
                    ),
                    at=change.at,
                    address=change.address,
                )


def unmanaged(proposal: Proposal) -> Iterator[Diagnostic]:
    """Lines that the file does not name, where the policy calls that an error."""
    lines, given = proposal.match.unmanaged, proposal.given
    if lines and given.desired.policy.unmanaged == "error":
        yield Diagnostic(
            Code.UNMANAGED,
            Message("stopped by a safety limit: {describe_unmanaged}", describe_unmanaged=describe_unmanaged(lines)),
            hint=Message(
                "Add them to the file (`sipsync import` does it), or set `policy: {{unmanaged: report}}`. {override}",
                override=_override(Code.UNMANAGED, given.desired.name),
            ),
            at=given.desired.at,
            address=given.desired.name,
        )


def describe_unmanaged(lines: Sequence[CurrentLine], note: str = "") -> Message:
    """How many lines are in Bitrix24 only, and which."""
    count = "1 line in Bitrix24 is" if len(lines) == 1 else f"{len(lines)} lines in Bitrix24 are"
    named = ", ".join(f'{line.config_id} "{line.title}"' for line in lines[:5])
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
    return Message("{count} not in your file{note}: {named}{more}", count=count, note=note, named=named, more=more)


GUARDS: tuple[Guard, ...] = (vanished_lines, delete_off, max_changes, protected, target_unknown, unmanaged)

ALLOWABLE = frozenset(
    {
        Code.TITLE_HELD,
        Code.VANISHED_LINES,
        Code.MAX_CHANGES,
        Code.PROTECTED,
        Code.TARGET_UNKNOWN,
        Code.UNMANAGED,
    }
)
"""The findings that `--allow` may name. A delete is allowed in the file and nowhere else."""


def _override(code: Code, address: str) -> str:
    return f"--allow {code}:{address} lets this one pass."
