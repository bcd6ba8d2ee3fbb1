"""What became of a call whose answer was lost: the portal is read before anything is sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sipsync.model.fields import FieldName
from sipsync.model.lines import Address, Call, CurrentLine, Registration, Snapshot
from sipsync.model.problems import PortalError
from sipsync.model.secret import Secret
from sipsync.portal.protocol import PortalReader
from sipsync.rules.lines import reregisters
from sipsync.rules.values import stored


@dataclass(frozen=True, slots=True)
class Settled:
    """What reading says of one call."""

    carried_out: bool | None
    """None where it can't be told."""
    made: int | None = None
    """Of an add that was carried out: the new line's config_id."""


async def settle(
    calls: Sequence[Call], last: Mapping[Address, Call], portal: PortalReader, before: Snapshot
) -> list[Settled]:
    """Whether the server carried each of one owner's calls out, in as few requests as can be. Never raises.

    `last` has the lines' last calls: where that was carried out, an earlier one was as well. `before` is what the
    portal was when the calls were sent.
    """
    try:
        ids = [call.config_id for call in calls if call.config_id is not None]
        lines = await portal.lines(ids) if ids else {}
        listed = (await portal.snapshot()).lines if len(ids) < len(calls) else ()
        asked = [reg_id for call in calls if (reg_id := _to_ask(call, lines)) is not None]
        states = await portal.statuses(asked) if asked else {}
    except PortalError:
        return [Settled(None)] * len(calls)
    known = {line.config_id for line in before.lines}
    made = [line for line in listed if line.config_id not in known]
    return [
        _added(call, made) if call.config_id is None else Settled(_carried_out(call, last[call.address], lines, states))
        for call in calls
    ]


def _added(call: Call, made: Sequence[CurrentLine]) -> Settled:
    """A new line that has what the call sets is the one."""
    return next((Settled(True, line.config_id) for line in made if holds(line, call)), Settled(False))


def _carried_out(
    call: Call, last: Call, lines: Mapping[int, CurrentLine], states: Mapping[int, Registration]
) -> bool | None:
    line = lines.get(call.config_id or 0)
    if call.verb == "delete":
        return line is None
    if line is None:
        return None
    reg_id = _to_ask(call, lines)
    if reg_id is not None:
        # The values are stored; whether they were registered as well, only the telephony operator knows.
        state = states.get(reg_id)
        return state is None or state.result != "error"
    return holds(line, call) or (call is not last and holds(line, last))


def _to_ask(call: Call, lines: Mapping[int, CurrentLine]) -> int | None:
    """The registration that tells whether an update was carried out, where its values alone can't."""
    line = lines.get(call.config_id or 0)
    if line is None or call.verb != "update" or not holds(line, call):
        return None
    return line.reg_id if reregisters(line.type, line.reg_id, call.values) else None


def holds(line: CurrentLine, call: Call) -> bool:
    """Whether the line has what the call sets; a field that the portal does not return can't be told."""
    return all(line.values.get(name, value) == _as_stored(name, value) for name, value in call.values.items())


def _as_stored(name: FieldName, value: str | Secret) -> str | Secret:
    return stored(name, value) if isinstance(value, str) else value
