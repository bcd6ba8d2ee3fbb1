"""A portal in memory that obeys the rule book and goes wrong on demand; and an apply to it, without any network."""

from __future__ import annotations

import asyncio
import html
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sipsync.applying.bind import Bound, bind
from sipsync.applying.control import Control
from sipsync.applying.execute import execute
from sipsync.applying.outcome import applied, dry_run
from sipsync.model.events import Event
from sipsync.model.fields import FIELDS, SECRET, SHOWN, FieldName
from sipsync.model.lines import (
    Call,
    CurrentLine,
    DesiredLine,
    DesiredPortal,
    Registration,
    Snapshot,
)
from sipsync.model.message import Message
from sipsync.model.options import ApplyOptions, Selection
from sipsync.model.outcome import PortalOutcome
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Code, Diagnostic, Exit, PortalError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.planning.inputs import PlanInput
from sipsync.planning.plan import build
from sipsync.portal.protocol import Done, Identity, Lost, Refused, Reply, Sent, Unsent
from sipsync.rules import lines as server
from sipsync.rules import outgoing
from support.lines import NOW, desired, file, known, seal

Fault = str
"""`refused:CODE`, `unsent`, `unsent:CODE`, `lost before`, `lost after`, `ignored` (accepted, not carried out)."""


def row(config_id: int, title: str, **given: Any) -> server.Row:
    """A registered cloud line."""
    kind = given.pop("type", "cloud")
    base = server.Row(
        config_id,
        kind,
        {"title": title, "server": "old.example", "login": f"u{config_id}", "password": "pw"},
        reg_id=1000 + config_id if kind == "cloud" else None,
        status_code=200,
        incoming=kind == "office",
        row_id=config_id,
    )
    return altered(base, **given)


def altered(one: server.Row, **given: Any) -> server.Row:
    """The line with other values, or another state."""
    values = {name: given.pop(name) for name in FIELDS if name in given}
    return replace(one.having(values), **given)


@dataclass
class Clock:
    """Time that passes by sleeping only."""

    time: float = 0.0
    on_sleep: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.time)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.on_sleep()

    def chance(self) -> float:
        return 0.0


def trouble(code: str) -> PortalError:
    return PortalError(
        Diagnostic(Code.REFUSED, Message("the portal said {code}", code=code), hint=Message("do this")), code
    )


@dataclass
class RulePortal:
    """One owner's connection. Connections of several owners share a `state`."""

    state: server.PortalState
    app: str | None = None
    faults: dict[int, Fault] = field(default_factory=dict)
    """By the number of the call, counted from 1 over all requests."""
    lost_requests: dict[int, str] = field(default_factory=dict)
    """By the number of the writing request: `before` or `after` it was carried out."""
    told: dict[int, Registration | None] = field(default_factory=dict)
    """What is told of registrations; by default a success, updated by each registration."""
    passwords: bool = True
    """Whether the portal returns passwords."""
    broken_reads: set[int] = field(default_factory=set)
    before_call: Callable[[int], None] = lambda _number: None
    before_read: Callable[[int], None] = lambda _number: None
    log: list[Call] = field(default_factory=list)
    """The calls that the server ran."""
    registered: Counter[int] = field(default_factory=Counter)
    calls: int = 0
    writes: int = 0
    reads: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        self.seal: Callable[[bytes], str] = seal
        self.identity = Identity("acme.example", "webhook" if self.app is None else self.app)

    @property
    def requests(self) -> int:
        return self.reads + self.writes + self.asked

    # --- reading ---

    def line(self, one: server.Row) -> CurrentLine:
        values: dict[FieldName, str | Secret] = {name: one.values[name] or "" for name in SHOWN}
        if self.passwords:
            values |= {name: Secret(one.values[name] or "") for name in SECRET}
        return CurrentLine(
            one.config_id, one.type, values, one.reg_id, one.line_id, one.status_code, one.status_message or ""
        )

    def _read(self) -> None:
        self.reads += 1
        self.before_read(self.reads)
        if self.reads in self.broken_reads:
            raise trouble("INTERNAL_SERVER_ERROR")

    async def snapshot(self, *, outgoing: bool = False) -> Snapshot:
        self._read()
        return self.now()

    def now(self) -> Snapshot:
        """What a reading would tell."""
        lines = sorted((self.line(one) for one in server.visible(self.state, self.app)), key=lambda one: one.config_id)
        names = {line_id: html.unescape(name) for line_id, name in outgoing.listed(self.state).items()}
        default = outgoing.default_line(self.state)
        return Snapshot(tuple(lines), names, "" if default == outgoing.NO_LINE else default)

    async def lines(self, config_ids: Sequence[int]) -> Mapping[int, CurrentLine]:
        self._read()
        return self._lines(config_ids)

    def _lines(self, config_ids: Sequence[int]) -> dict[int, CurrentLine]:
        own = {one.config_id: one for one in server.visible(self.state, self.app)}
        return {config_id: self.line(own[config_id]) for config_id in config_ids if config_id in own}

    async def statuses(self, reg_ids: Sequence[int]) -> Mapping[int, Registration]:
        self.asked += 1
        answers = {reg_id: self.told.get(reg_id, self._success(reg_id)) for reg_id in reg_ids}
        return {reg_id: answer for reg_id, answer in answers.items() if answer is not None}

    def _success(self, reg_id: int) -> Registration:
        times = sum(n for config_id, n in self.registered.items() if self._reg_id(config_id) == reg_id)
        return Registration(reg_id, "success", 200, "", f"2026-11-24 12:00:{times:02}")

    def _reg_id(self, config_id: int) -> int | None:
        return self.state.rows[config_id].reg_id if config_id in self.state.rows else None

    # --- writing ---

    async def send(self, calls: Sequence[Call], read_back: Sequence[int] = ()) -> Sent:
        self.writes += 1
        lost = self.lost_requests.get(self.writes)
        halt = any(call.id in one.after for one in calls for call in calls)
        replies: list[Reply] = []
        for call in calls:
            stopped = halt and replies and not isinstance(replies[-1], Done)
            replies.append(Unsent() if stopped or lost == "before" else self.run(call))
        if lost is not None:
            return Sent(tuple(Lost(trouble("")) for _ in calls))
        fine = all(isinstance(reply, Done) for reply in replies)
        return Sent(tuple(replies), self._lines(read_back) if fine and read_back and len(calls) < 50 else None)

    def run(self, call: Call) -> Reply:
        """Run one call through the rule book, or let it go wrong."""
        self.calls += 1
        self.before_call(self.calls)
        fault, _, code = self.faults.get(self.calls, "").partition(":")
        if fault == "refused":
            return Refused(trouble(code))
        if fault == "unsent":
            return Unsent(trouble(code) if code else None)
        if fault == "lost before":
            return Lost(trouble(""))
        if fault == "ignored":
            return Done(1)
        reply = self._carried_out(call)
        return Lost(trouble("")) if fault == "lost after" else reply

    def _carried_out(self, call: Call) -> Reply:
        params = {name: reveal(value) if isinstance(value, Secret) else value for name, value in call.params().items()}
        provider = server.Provider(answers=self.faults.get(self.calls) != "provider fails")
        if call.verb == "add":
            effect = server.add(self.state, self.app, params, provider=provider)
        elif call.verb == "delete":
            effect = server.delete(self.state, self.app, call.config_id, provider=provider)
        else:
            effect = server.update(self.state, self.app, params, provider=provider)
        if isinstance(effect.reply, server.Refusal):
            return Refused(trouble(effect.reply.code))
        self.state.commit(effect)
        self.log.append(call)
        for one in effect.rows:
            self.registered[one.config_id] += effect.registrations
        return Done({"CONFIG_ID": str(effect.reply.config_id)} if isinstance(effect.reply, server.Row) else 1)


@dataclass
class Stage:
    """A portal, a file about it, and what is done with them."""

    portal: RulePortal
    file: DesiredPortal
    secrets: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    events: list[Event] = field(default_factory=list)
    owner: str = "webhook"

    def __repr__(self) -> str:
        """Short enough to be read in a failing example."""
        rows = [
            f"{one.config_id} {one.type} {one.values} reg{one.reg_id} {one.app}"
            for one in self.portal.state.rows.values()
        ]
        lines = [f"{line.address.key} {line.config_id} {line.type} {line.values}" for line in self.file.lines]
        return f"<{rows} limit {self.portal.state.cloud_limit}; {lines}; {self.file.removed}>"

    def view(self, **selection: Any) -> PlanInput:
        """What planning is given."""
        return PlanInput(
            self.file,
            self.portal.now(),
            known(self.secrets),
            seal,
            "acme.example",
            self.owner,
            Selection(**selection),
        )

    def plan(self, **selection: Any) -> PortalPlan:
        """The plan as it would be made now."""
        return build([self.view(**selection)], self.clock.now())[0]

    def bound(self, plan: PortalPlan, *, strict: bool = False) -> Bound:
        """The plan against what is there now."""
        return bind([plan], [replace(self.view(), selection=plan.selection)], strict=strict)

    async def apply(self, plan: PortalPlan | None = None, **options: Any) -> PortalOutcome:
        """What becomes of the plan (by default a new one)."""
        plan = plan or self.plan()
        assert plan.exit is Exit.OK, plan.diagnostics
        (outcome,) = await apply([plan], [self], **options)
        return outcome

    @property
    def titles(self) -> dict[int, str | None]:
        """The titles on the portal."""
        return {config_id: one.title for config_id, one in self.portal.state.rows.items()}


async def apply(plans: Sequence[PortalPlan], stages: Sequence[Stage], **options: Any) -> tuple[PortalOutcome, ...]:
    """Apply one plan for each owner of a portal."""
    first = stages[0]
    views = [replace(stage.view(), selection=plan.selection) for plan, stage in zip(plans, stages, strict=True)]
    portals = {stage.file.name: stage.portal for stage in stages}
    bound = bind(plans, views, strict=options.pop("strict", False))
    if bound.exit is not Exit.OK:
        return dry_run(bound, portals)
    read_at = options.pop("read_at", first.clock.monotonic())
    control = Control(first.clock, first.events.append, first.stop)
    return applied(bound, portals, await execute(bound, portals, ApplyOptions(**options), control, read_at))


def portal(*rows: server.Row, **given: Any) -> RulePortal:
    """A portal with these lines."""
    given_state = {name: given.pop(name) for name in ("others", "default_line", "cloud_limit") if name in given}
    return RulePortal(server.PortalState.of(rows, **given_state), **given)


def stage(portal_: RulePortal, *lines: DesiredLine, secrets: dict[str, str] | None = None, **given: Any) -> Stage:
    """That portal and a file with these lines."""
    return Stage(portal_, file(*lines, **given), secrets or {})


def swap(**given: str) -> Stage:
    """Two lines that swap their titles."""
    lines = desired("a", 1, title="B", **given), desired("b", 2, title="A", **given)
    return stage(portal(row(1, "A"), row(2, "B")), *lines)


def move(count: int = 2, **given: str) -> Stage:
    """Lines that move to another server."""
    lines = [desired(f"l{i}", i, server="new.example", **given) for i in range(1, count + 1)]
    return stage(portal(*(row(i, f"T{i}") for i in range(1, count + 1))), *lines)


def results(outcome: PortalOutcome) -> dict[str, str]:
    """What became of each line, by key."""
    return {line.address.key: line.result for line in outcome.lines}
