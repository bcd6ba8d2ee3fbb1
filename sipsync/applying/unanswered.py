"""What became of a call whose answer was lost: the portal is read before anything is sent again."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sipsync.model.fields import REGISTERING, FieldName
from sipsync.model.lines import Address, Call, CurrentLine, Registration
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


@dataclass(frozen=True, slots=True)
class Before:
    """What was there when calls were sent, by config_id."""

    lines: dict[int, CurrentLine]
    states: dict[int, Registration] = field(default_factory=dict)
    """What the operators' sides said of the lines' registrations, where they were asked."""
    _untold: set[int] = field(default_factory=set)
    """Lines whose stored status is not known."""

    def read(self, lines: Mapping[int, CurrentLine]) -> None:
        """These were read again."""
        self.lines.update(lines)
        self._untold.difference_update(lines)

    def asked(self, states: Mapping[int, Registration | None]) -> None:
        """The operators' sides were asked, which brings the stored status up to date, also where no answer came."""
        for config_id, state in states.items():
            if state is None:
                self._untold.add(config_id)
            else:
                self.states[config_id] = state
                self.lines[config_id] = replace(self.lines[config_id], status_code=state.status_code)

    def is_moved(self, line: CurrentLine, fields: Container[FieldName]) -> bool:
        """Whether an update of these fields is known by the line to have been carried out as far as the registration.

        The server writes the title first, then the other values with the status set back, and asks for the
        registration at last (server source).
        """
        old = self.lines[line.config_id]
        if (old.status_code or 0) != (line.status_code or 0) and line.config_id not in self._untold:
            return True
        return any(old.values.get(name) != line.values.get(name) for name in REGISTERING if name in fields)


async def settle(
    calls: Sequence[Call], last: Mapping[Address, Call], portal: PortalReader, before: Before
) -> list[Settled]:
    """Whether the server carried each of one owner's calls out, in as few requests as can be. Never raises.

    `last` has the lines' last calls: where that was carried out, an earlier one was as well. `before` is renewed.
    """
    try:
        ids = [call.config_id for call in calls if call.config_id is not None]
        lines = await portal.lines(ids) if ids else {}
        listed = (await portal.snapshot()).lines if len(ids) < len(calls) else ()
        unproved = {line.config_id: line for call in calls if (line := _unproved(call, lines, before)) is not None}
        before.read(lines)
        moved = await _moved(unproved, portal, before)
    except PortalError:
        return [Settled(None)] * len(calls)
    made = [line for line in listed if line.config_id not in before.lines]
    settled = []
    for call in calls:
        if call.config_id is None:
            settled.append(_added(call, made))
        elif call.config_id in unproved and call is last[call.address]:
            settled.append(Settled(call.config_id in moved))
        else:
            settled.append(Settled(_is_carried_out(call, last[call.address], lines)))
    return settled


def _added(call: Call, made: Sequence[CurrentLine]) -> Settled:
    """A new line that has what the call sets is the one."""
    return next((Settled(True, line.config_id) for line in made if holds(line, call)), Settled(False))


def _is_carried_out(call: Call, last: Call, lines: Mapping[int, CurrentLine]) -> bool | None:
    line = lines.get(call.config_id or 0)
    if call.verb == "delete":
        return line is None
    if line is None:
        return None
    return holds(line, call) or (call is not last and holds(line, last))


def _unproved(call: Call, lines: Mapping[int, CurrentLine], before: Before) -> CurrentLine | None:
    """The line of an update that is there, where nothing proves that the call was carried out: it was there before."""
    line = lines.get(call.config_id or 0)
    if line is None or call.verb != "update" or not reregisters(line.type, line.reg_id, call.values):
        return None
    return line if holds(line, call) and not before.is_moved(line, call.values) else None


async def _moved(unproved: Mapping[int, CurrentLine], portal: PortalReader, before: Before) -> set[int]:
    """Those whose registration is another one than before. They are asked only where that was known."""
    old = {config_id: before.states[config_id] for config_id in unproved if config_id in before.states}
    states = await portal.statuses([state.reg_id for state in old.values()]) if old else {}
    before.asked({config_id: states.get(state.reg_id) for config_id, state in old.items()})
    return {one for one, state in old.items() if before.states[one].last_updated != state.last_updated}


def holds(line: CurrentLine, call: Call) -> bool:
    """Whether the line has what the call sets; a field that the portal does not return can't be told."""
    return all(line.values.get(name, value) == _as_stored(name, value) for name, value in call.values.items())


def _as_stored(name: FieldName, value: str | Secret) -> str | Secret:
    return stored(name, value) if isinstance(value, str) else value
