"""A portal, a file about it, and what is done with them: planned on the rule book, applied by the real client."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sipsync.applying.bind import Bound, bind
from sipsync.applying.control import Control
from sipsync.applying.execute import execute
from sipsync.applying.outcome import applied, dry_run
from sipsync.model.events import Event
from sipsync.model.lines import Call, DesiredLine, DesiredPortal
from sipsync.model.options import ApplyOptions, Selection
from sipsync.model.outcome import PortalOutcome
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Exit
from sipsync.planning.inputs import PlanInput
from sipsync.planning.plan import build
from sipsync.rules.errors import Refusal
from sipsync.rules.state import PortalState, Row
from support.clock import Clock
from support.emulated import Emulated
from support.lines import desired, file, known, seal
from support.rulebook import carry_out, reading, row


@dataclass
class Stage:
    """One owner's lines on a portal, and their file."""

    state: PortalState
    file: DesiredPortal
    secrets: dict[str, str] = field(default_factory=dict)
    app: str | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    events: list[Event] = field(default_factory=list)
    registered: Counter[int] = field(default_factory=Counter)
    """How often `run` registered each line."""

    @cached_property
    def portal(self) -> Emulated:
        """The portal as it answers requests."""
        return Emulated(self.state)

    @property
    def clock(self) -> Clock:
        """The portal's clock, which is everybody's."""
        return self.portal.clock

    def __repr__(self) -> str:
        """Short enough to be read in a failing example."""
        rows = [
            f"{one.config_id} {one.type} {one.title!r} {one.values} reg{one.reg_id} {one.app}"
            for one in self.state.rows.values()
        ]
        lines = [f"{line.address.key} {line.config_id} {line.type} {line.values}" for line in self.file.lines]
        return f"<{rows} limit {self.state.cloud_limit}; {lines}; {self.file.removed}>"

    def view(self, **selection: Any) -> PlanInput:
        """What planning is given."""
        owner, now = self.app or "webhook", reading(self.state, self.app, passwords=self.portal.passwords)
        return PlanInput(self.file, now, known(self.secrets), seal, "acme.example", owner, Selection(**selection))

    def plan(self, **selection: Any) -> PortalPlan:
        """The plan as it would be made now."""
        return build([self.view(**selection)], self.clock.now())[0]

    def bound(self, plan: PortalPlan) -> Bound:
        """The plan against what is there now."""
        return bind([plan], [replace(self.view(), selection=plan.selection)])

    def run(self, call: Call) -> bool:
        """Whether the rule book let this call be carried out."""
        effect = carry_out(self.state, self.app, call)
        self.registered.update({one.config_id: effect.registrations for one in effect.rows})
        return not isinstance(effect.reply, Refusal)

    async def apply(self, plan: PortalPlan | None = None, **options: Any) -> PortalOutcome:
        """What becomes of the plan (by default a new one)."""
        plan = plan or self.plan()
        assert plan.exit is Exit.OK, plan.diagnostics
        (outcome,) = await apply([plan], [self], **options)
        return outcome

    @property
    def titles(self) -> dict[int, str | None]:
        """The titles on the portal."""
        return {config_id: one.title for config_id, one in self.state.rows.items()}


async def apply(
    plans: Sequence[PortalPlan],
    stages: Sequence[Stage],
    *,
    strict: bool = False,
    read_at: float | None = None,
    **options: Any,
) -> tuple[PortalOutcome, ...]:
    """Apply one plan for each owner of a portal. `read_at` pretends that the portal was read at another time."""
    first = stages[0]
    async with AsyncExitStack() as stack:
        portals = {
            one.file.name: await stack.enter_async_context(first.portal.connected(one.file, one.app)) for one in stages
        }
        inputs = [
            replace(one.view(), current=await portals[plan.portal].snapshot(outgoing=True), selection=plan.selection)
            for plan, one in zip(plans, stages, strict=True)
        ]
        bound = bind(plans, inputs, strict=strict)
        if bound.exit is not Exit.OK:
            return dry_run(bound, portals)
        control = Control(first.clock, first.events.append, first.stop)
        when = first.clock.monotonic() if read_at is None else read_at
        return applied(bound, portals, await execute(bound, portals, ApplyOptions(**options), control, when))


def stage(rows: Sequence[Row], *lines: DesiredLine, secrets: Mapping[str, str] = {}, **given: Any) -> Stage:
    """A portal with these lines, and a file with those."""
    of = {name: given.pop(name) for name in ("others", "default_line", "cloud_limit") if name in given}
    return Stage(PortalState.of(rows, **of), file(*lines, **given), dict(secrets))


def swap(**given: str) -> Stage:
    """Two lines that swap their titles."""
    lines = desired("a", 1, title="B", **given), desired("b", 2, title="A", **given)
    return stage([row(1, "A"), row(2, "B")], *lines)


def move(count: int = 2, **given: str) -> Stage:
    """Lines that move to another server."""
    lines = [desired(f"l{i}", i, server="new.example", **given) for i in range(1, count + 1)]
    return stage([row(i, f"T{i}") for i in range(1, count + 1)], *lines)


def results(outcome: PortalOutcome) -> dict[str, str]:
    """What became of each line, by key."""
    return {line.address.key: line.result for line in outcome.lines}
