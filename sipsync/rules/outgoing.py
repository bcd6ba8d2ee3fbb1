"""The portal's outgoing lines and the default one among them.

The server reads the list of lines once in a request and remembers it, in one memory for the list itself and in
another for everything about the default line (server source). In a batch these memories grow stale, which decides
who is the default after several commands; a `Memory` stands for one request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sipsync.rules.errors import Refusal
from sipsync.rules.php import Crash, integer, text
from sipsync.rules.state import Effect, OtherConfig, PortalState, Row

NO_LINE = "LINK_BASE_NUMBER"
"""What stands for the default line where there is none."""


@dataclass(slots=True)
class Memory:
    """What one request remembers of the lines. None: not asked yet."""

    known: frozenset[str] | None = None
    listed: Mapping[str, str] | None = None


def listed(state: PortalState, memory: Memory | None = None) -> Mapping[str, str]:
    """Line id → name of the whole portal, names escaped for HTML as `voximplant.line.get` gives them."""
    if memory is not None and memory.listed is not None:
        return memory.listed
    rented = [other for other in state.others.values() if other.mode == "RENT"]
    callers = [other for other in state.others.values() if other.mode == "LINK"]
    configs: list[Row | OtherConfig] = [*state.rows.values(), *callers]
    configs.sort(key=lambda config: config.config_id)
    names = {config.line_id: _escaped(_name(config)) for config in (*rented, *configs) if config.line_id is not None}
    if memory is not None:
        memory.listed = names
    return names


def _name(config: Row | OtherConfig) -> str:
    if isinstance(config, OtherConfig):
        return international(config.number or "")
    if config.title and config.title != "0":  # PHP takes "0" for no name
        return config.title
    return f"{'Cloud hosted' if config.type == 'cloud' else 'Office'} PBX ({config.config_id})"


def international(number: str) -> str:
    """The digits as the portal shows a telephone number; grouped for Russia and North America only (unverified)."""
    if found := re.fullmatch(r"7(\d{3})(\d{3})(\d{2})(\d{2})", number):
        return "+7 {} {}-{}-{}".format(*found.groups())
    if found := re.fullmatch(r"1(\d{3})(\d{3})(\d{4})", number):
        return "+1 {}-{}-{}".format(*found.groups())
    return f"+{number}" if number else ""


def _escaped(name: str) -> str:
    return name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def default_line(state: PortalState, memory: Memory | None = None) -> str:
    """The default outgoing line's id, as `voximplant.line.outgoing.get` gives it."""
    return current(state, memory, state.default_line)


def choose(state: PortalState, line_id: object, memory: Memory | None = None) -> Effect:
    """`voximplant.line.outgoing.set`: an unknown id is ignored, and the answer is 1 all the same."""
    if isinstance(line_id, dict):
        raise Crash("an array as a key")
    name = str(integer(line_id)) if isinstance(line_id, bool | float) else text(line_id)
    if line_id is True or name == NO_LINE or knows(state, memory, name):
        return Effect(1, default_line=name)
    return Effect(1)


def choose_config(state: PortalState, config_id: object) -> Effect:
    """`voximplant.line.outgoing.sip.set`: any config will do, of any owner and kind."""
    config = state.rows.get(integer(config_id)) or state.others.get(integer(config_id))
    if config is None:
        return Effect(Refusal("ERROR_ARGUMENT", 400, "Specified CONFIG_ID is not found"))
    return Effect(1, default_line=config.line_id if isinstance(config, Row) else "")


def current(state: PortalState, memory: Memory | None, chosen: str, also: str | None = None) -> str:
    """The default line if `chosen` were set; `also` is a line that is just being made."""
    return chosen if knows(state, memory, chosen, also) else NO_LINE


def knows(state: PortalState, memory: Memory | None, line_id: str, also: str | None = None) -> bool:
    """Whether there is such a line, for all that the request remembers."""
    if memory is None:
        return line_id == also or state.line_ids[line_id] > 0
    if memory.known is None:
        memory.known = frozenset(+state.line_ids) | ({also} if also is not None else set())
    return line_id in memory.known
