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


def refused(
    reasons: Mapping[str, Sequence[Diagnostic]], portals: Mapping[str, PortalReader], exit_: Exit
) -> tuple[PortalOutcome, ...]:
    """Parts of a plan that may not be applied at all, by portal why."""
    return tuple(
        PortalOutcome(portal=name, requests=portals[name].requests, diagnostics=tuple(why), exit=exit_)
        for name, why in reasons.items()
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
        lines[address] = line.outcome(result, message=line.diagnostic.summary if line.diagnostic else Message())
    parts = applied(bound, portals, Result(lines, exits=[bound.exit]))
    return tuple(
        part.model_copy(update={"calls": tuple(planned(call) for call in calls if call.address.portal == part.portal)})
        for part in parts
    )


def applied(bound: Bound, portals: Mapping[str, PortalReader], result: Result) -> tuple[PortalOutcome, ...]:
    """An apply."""
    outcomes = []
    for name, portal in portals.items():
        lines = tuple(line for line in result.lines.values() if line.portal == name)
        diagnostics = tuple(one for one in (*result.diagnostics, *bound.diagnostics) if one.portal in ("", name))
        exit_ = worst([*result.exits, _exit_of(lines)])
        outcomes.append(
            PortalOutcome(portal=name, lines=lines, requests=portal.requests, diagnostics=diagnostics, exit=exit_)
        )
    return tuple(outcomes)


def with_fault(outcomes: Sequence[PortalOutcome], fault: Diagnostic) -> tuple[PortalOutcome, ...]:
    """An apply that is over, and then something broke."""
    exit_ = Exit.PARTIAL if any(line.calls for one in outcomes for line in one.lines) else Exit.ERROR
    return tuple(
        one.model_copy(update={"diagnostics": (*one.diagnostics, fault), "exit": worst([one.exit, exit_])})
        for one in outcomes
    )


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
