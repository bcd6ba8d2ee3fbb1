"""What became of a call whose answer was lost: the portal is read before anything is sent again."""

from __future__ import annotations

from dataclasses import dataclass

from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.lines import Call, CurrentLine, Snapshot
from sipsync.model.problems import PortalError
from sipsync.model.secret import Secret
from sipsync.portal.protocol import PortalReader
from sipsync.rules.values import stored


@dataclass(frozen=True, slots=True)
class Found:
    """What reading told."""

    carried_out: bool | None
    """None where it can't be told."""
    made: int | None = None
    """Of an add that was carried out: the new line's config_id."""


async def look_up(call: Call, last: Call, portal: PortalReader, before: Snapshot) -> Found:
    """Whether the server carried the call out. Never raises.

    `last` is the line's last call (often this one): where that was carried out, an earlier one was as well. `before`
    is what the portal was when the call was sent.
    """
    try:
        if call.config_id is None:
            return await _added(call, portal, before)
        line = (await portal.lines([call.config_id])).get(call.config_id)
        if call.verb == "delete":
            return Found(line is None)
        if call is not last and line is not None and holds(line, last):
            return Found(True)
        return await _updated(call, line, portal)
    except PortalError:
        return Found(None)


async def _added(call: Call, portal: PortalReader, before: Snapshot) -> Found:
    """A new line of that title, server and login is the one."""
    known = {line.config_id for line in before.lines}
    for line in (await portal.snapshot()).lines:
        if line.config_id not in known and all(
            line.values.get(name) == call.values[name] for name in ("title", "server", "login")
        ):
            return Found(True, line.config_id)
    return Found(False)


async def _updated(call: Call, line: CurrentLine | None, portal: PortalReader) -> Found:
    if line is None:
        return Found(None)
    if not holds(line, call):
        return Found(False)
    if line.reg_id and line.registered and any(FIELDS[name].registers for name in call.values):
        # The values are stored; whether they were registered as well, only the telephony operator knows.
        told = (await portal.statuses([line.reg_id])).get(line.reg_id)
        return Found(told is None or told.result != "error")
    return Found(True)


def holds(line: CurrentLine, call: Call) -> bool:
    """Whether the line has what the call sets; a field that the portal does not return can't be told."""
    return all(line.values.get(name, value) == _as_stored(name, value) for name, value in call.values.items())


def _as_stored(name: FieldName, value: str | Secret) -> str | Secret:
    return stored(name, value) if isinstance(value, str) else value
