"""An apply as documents: one outcome for each owner, with the exit code that it amounts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sipsync.applying.bind import Bound
from sipsync.applying.execute import Result
from sipsync.model.lines import Address
from sipsync.model.message import Message
from sipsync.model.outcome import LineOutcome, LineResult, PortalOutcome
from sipsync.model.problems import Code, Diagnostic, Exit, worst
from sipsync.planning.plan import planned
from sipsync.portal.protocol import PortalReader


def refused(found: Mapping[str, Diagnostic], portals: Mapping[str, PortalReader]) -> tuple[PortalOutcome, ...]:
    """A plan that may not be applied at all: the findings by portal. Owners of one portal are applied together."""
    return tuple(
        PortalOutcome(
            portal=name,
            requests=portal.requests,
            diagnostics=(found.get(name) or _held_up(name, found),),
            exit=Exit.STALE,
        )
        for name, portal in portals.items()
    )


def _held_up(name: str, found: Mapping[str, Diagnostic]) -> Diagnostic:
    return Diagnostic(
        Code.NOT_ATTEMPTED,
        Message("not attempted: the plan of {found}, on the same portal, can't be applied", found=", ".join(found)),
        hint=Message("Make a new plan."),
        address=name,
    )


def dry_run(bound: Bound, portals: Mapping[str, PortalReader]) -> tuple[PortalOutcome, ...]:
    """A dry run, or a plan that no longer holds: what would be sent, to the letter."""
    calls = bound.calls if bound.exit is Exit.OK else []
    sending = {call.address for call in calls}
    lines: dict[Address, LineOutcome] = {}
    for address, line in bound.lines.items():
        result: LineResult = "planned" if address in sending else "skipped"
        if line.state in ("stale", "after"):
            result = "stale" if line.state == "stale" else "done"
        lines[address] = LineOutcome(
            address=address,
            portal=line.planned.portal,
            action=line.planned.action,
            result=result,
            config_id=line.planned.config_id,
            source=line.planned.source,
            message=line.diagnostic.summary if line.diagnostic else Message(),
        )
    parts = applied(bound, portals, Result(lines, exits=[bound.exit]))
    return tuple(
        part.model_copy(update={"calls": tuple(planned(call) for call in calls if call.address.portal == part.portal)})
        for part in parts
    )


def applied(bound: Bound, portals: Mapping[str, PortalReader], result: Result) -> tuple[PortalOutcome, ...]:
    """An apply."""
    parts = []
    for name, portal in portals.items():
        lines = tuple(line for line in result.lines.values() if line.portal == name)
        parts.append(
            PortalOutcome(
                portal=name,
                lines=lines,
                requests=portal.requests,
                diagnostics=tuple(
                    found
                    for found in (*result.diagnostics, *bound.diagnostics)
                    if found.address is None or found.portal == name
                ),
                exit=worst([*result.exits, _exit_of(lines)]),
            )
        )
    return tuple(parts)


_WRITTEN = frozenset({Code.NOT_CARRIED_OUT, Code.NEVER_REGISTERED})
"""Failures that are found after a write: something may have changed."""


def _exit_of(lines: Sequence[LineOutcome]) -> Exit:
    """A failure beside a success, or a write that is not confirmed, is partial; all refused means nothing changed."""
    results = {line.result for line in lines}
    failed = bool(results & {"failed", "skipped"})
    exits = [Exit.STALE] if "stale" in results else []
    wrote = bool(results & {"applied", "restored"}) or any(line.code in _WRITTEN for line in lines)
    if "unverified" in results or (failed and wrote):
        exits.append(Exit.PARTIAL)
    elif failed:
        exits.append(Exit.ERROR)
    return worst(exits)
