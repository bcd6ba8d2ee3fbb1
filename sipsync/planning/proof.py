"""The plan, tried on the rule book before anything is sent.

The whole sequence of calls is run in an in-memory portal that obeys the server's rules: each call must be one that
the server accepts at that moment, nothing may be left to change, and no line may register twice or needlessly. A
planner that errs is refused here, as an internal error, and never reaches a telephone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.lines import Address, Call, CurrentLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.planning.inputs import Delete, LineChange, PlanInput, Update
from sipsync.rules.errors import Refusal
from sipsync.rules.limits import in_requests, is_rewritten
from sipsync.rules.lines import add, delete, update
from sipsync.rules.state import EMPTY, Effect, OtherConfig, PortalState, Row
from sipsync.rules.values import stored, title_key


def prove(
    calls: Sequence[Call], changes: Sequence[LineChange], inputs: Sequence[PlanInput], left: Collection[str] = ()
) -> list[Diagnostic]:
    """What the rule book has against the calls; empty for a plan that holds.

    `left` are the titles that are left to the server, whichever line asks for them first.
    """
    state = model_of(inputs)
    problems: list[Message] = []
    made: dict[Address, int] = {}
    registered: Counter[Address] = Counter()
    for call in calls:
        effect = _run(state, call)
        if isinstance(effect.reply, Refusal) and effect.reply.code == "TITLE_EXISTS":
            effect = _as_if_free(state, call) if title_key(str(call.values["title"])) in left else effect
        if isinstance(effect.reply, Refusal):
            values = {"call": call.id, "address": call.address, "code": effect.reply.code}
            problems.append(Message("{call} ({address}) would be refused: {code}", **values))
            continue
        if call.verb == "add":
            made[call.address] = max(row.config_id for row in effect.rows)
        elif effect.registrations:
            registered[call.address] += 1
        state.commit(effect)
    for change in changes:
        problems += _left_over(state, change, made.get(change.address))
        times = registered[change.address]
        needless = isinstance(change, Update) and not any(FIELDS[name].registers for name in change.values)
        if times > 1 or (needless and times):
            problems.append(Message("{address} would register {times} times", address=change.address, times=times))
    told = "internal error: the plan does not hold: {problem}"
    hint = Message("Nothing was sent. Please report this, with the output of `sipsync plan --format json`.")
    return [Diagnostic(Code.PLAN_IS_WRONG, Message(told, problem=problem), hint=hint) for problem in problems]


def model_of(inputs: Sequence[PlanInput]) -> PortalState:
    """The portal as these inputs show it, for the rule book."""
    own = {line.line_id for given in inputs for line in given.current.lines}
    rows = [_row(line, given.owner) for given in inputs for line in given.current.lines]
    names = {line_id: name for given in inputs for line_id, name in given.current.names.items() if line_id not in own}
    first = max((row.config_id for row in rows), default=0) + 1
    return PortalState.of(
        rows=rows,
        others=[
            OtherConfig(config_id=first + place, name=name, mode="LINK", number="")
            for place, name in enumerate(names.values())
        ],
        cloud_limit=max(given.desired.limits.cloud_lines for given in inputs)
        - sum(line_id.startswith("reg") for line_id in names),
    )


def _row(line: CurrentLine, owner: str) -> Row:
    return Row(
        config_id=line.config_id,
        type="office" if line.type == "other" else line.type,  # its title counts, and nothing else of it
        values={**EMPTY, **{name: _text(value) for name, value in line.values.items()}},
        app=None if owner == "webhook" else owner,
        reg_id=line.reg_id,
        status_code=line.status_code,
    )


def _run(state: PortalState, call: Call) -> Effect:
    app = None
    params = {name: reveal(value) if isinstance(value, Secret) else value for name, value in call.params().items()}
    if call.verb == "add":
        return add(state, app, params)
    assert call.config_id is not None  # noqa: S101  # only an add has none
    row = state.rows.get(call.config_id)
    app = row.app if row is not None else None
    if call.verb == "delete":
        return delete(state, app, call.config_id)
    return update(state, app, params)


def _as_if_free(state: PortalState, call: Call) -> Effect:
    """What the call does where nothing holds its title, which the operator leaves to the server to judge."""
    title = str(call.values["title"])
    untitled: dict[FieldName, str | Secret] = {name: value for name, value in call.values.items() if name != "title"}
    effect = _run(state, replace(call, values=untitled))
    rows = effect.rows or (state.rows[call.config_id or 0],)  # a title alone changes no row without it
    return replace(effect, rows=tuple(row.having({"title": title}) for row in rows))


def _left_over(state: PortalState, change: LineChange, made: int | None) -> list[Message]:
    """What of a change the calls did not bring about."""
    row = state.rows.get(change.config_id or made or 0)
    if isinstance(change, Delete):
        return [Message("{address} would still be there", address=change.address)] if row is not None else []
    if row is None:
        return [Message("{address} would not be there", address=change.address)]
    return [
        Message("{field} of {address} would not be as desired", field=name, address=change.address)
        for name, value in change.values.items()
        if row.values[name] != stored(name, _text(value))
    ]


def writing_requests(calls: Sequence[Call]) -> int:
    """The HTTP requests that these calls take."""
    return len(in_requests([is_rewritten(map(_text, call.values.values())) for call in calls]))


def _text(value: str | int | Secret) -> str:
    return reveal(value) if isinstance(value, Secret) else str(value)
