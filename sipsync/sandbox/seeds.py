"""A portal's content as JSON or YAML: loaded from a seed, shown by a dump.

`{"lines": [{"type", "title", "server", "login", "password", "app", "config_id"?, "reg_id"?, "status_code"?,
"registration"?: {"code", "message"}}], "configs": [{"name", "mode": "RENT"|"GROUP"|"LINK", "number"?}],
"elsewhere"?: [ID], "default_line"?, "access"?: {"right", "scope"}}`. `elsewhere` are outgoing lines that no list shows
(`REST_APP:7`). A title of null is SQL's NULL, an `app` of null means the interface or a webhook, a `reg_id` of 0 is a
registration that could not be created, and `registration` is what the telephony provider says when asked. No rule is
applied to what a seed gives. A dump can be used as a seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NoReturn, cast

from sipsync.model.fields import FIELDS, LINE_TYPES, LineType
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError
from sipsync.rules import outgoing
from sipsync.rules.state import EMPTY, FIRST_REGISTRATION, Effect, Mode, OtherConfig, PortalState, Row
from sipsync.sandbox.portal import Access, Portal, Registration

_MODES = ("RENT", "GROUP", "LINK")
_KEYS = ("lines", "configs", "elsewhere", "default_line", "access")
_LINE_KEYS = frozenset(("type", "app", "config_id", "reg_id", "status_code", "status_message", "registration", *FIELDS))


def read(text: str, name: str) -> Mapping[str, Any]:
    """The seed in a text of JSON or YAML; `name` is the file's, for errors."""
    try:
        seed = json.loads(text)
    except ValueError:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        try:
            seed = YAML(typ="safe", pure=True).load(text)
        except YAMLError as error:
            _wrong(Message("{name} is neither JSON nor YAML: {split}", name=name, split=" ".join(str(error).split())))
    if not isinstance(seed, dict):
        _wrong(Message("{name} is no seed: it has to be a map with `lines`", name=name))
    return seed


def load_seed(name: str, seed: object) -> Portal:
    """The portal that a seed describes."""
    seed = _map(seed, "the top")
    if unknown := sorted(set(seed) - {*_KEYS}):
        _wrong(Message("a seed has no {unknown!r}: it knows {KEYS}", unknown=unknown[0], KEYS=", ".join(_KEYS)))
    lines = [_map(line, "a line") for line in _list(seed, "lines")]
    taken = {_whole(line, "config_id") for line in lines if line.get("config_id") is not None}
    config_ids = _free(taken, 1)
    registered = [_whole(line, "reg_id") for line in lines if line.get("reg_id") is not None]
    reg_ids = _free(set(registered), max([FIRST_REGISTRATION, *registered]))
    rows = [line_row(line, place, config_ids, reg_ids) for place, line in enumerate(lines, 1)]
    if len({row.config_id for row in rows}) < len(rows):
        _wrong(Message("two lines of the seed have the same config_id"))
    first = max((row.config_id for row in rows), default=0) + 1
    others = [_other(_map(config, "a config"), first + place) for place, config in enumerate(_list(seed, "configs"))]
    access = _map(seed.get("access") or {}, "access")
    portal = Portal(
        name,
        PortalState.of(
            rows,
            others,
            elsewhere=[str(line_id) for line_id in _list(seed, "elsewhere")],
            default_line=_text(seed, "default_line") or "",
        ),
        Access(access.get("right", True) is not False, str(access.get("scope", Access().scope))),
    )
    for row, line in zip(rows, lines, strict=True):
        if row.reg_id and "registration" in line:
            portal.registrations[row.reg_id] = registration(line)
    return portal


def line_row(line: Mapping[str, Any], row_id: int, config_ids: Iterable[int], reg_ids: Iterable[int]) -> Row:
    """One line of a seed; what it leaves out is taken from the numbers that are free."""
    if unknown := sorted(set(line) - _LINE_KEYS):
        keys = ", ".join(sorted(_LINE_KEYS))
        _wrong(Message("a line of a seed has no {unknown!r}: it knows {keys}", unknown=unknown[0], keys=keys))
    kind = line.get("type", "cloud")
    if kind not in LINE_TYPES:
        _wrong(Message("a line's type is cloud or office, not {kind!r}", kind=kind))
    config_id = line.get("config_id")
    reg_id = line.get("reg_id")
    return Row(
        config_id=_whole(line, "config_id") if config_id is not None else next(iter(config_ids)),
        type=cast("LineType", kind),
        values={name: _text(line, name) if name in line else empty for name, empty in EMPTY.items()},
        app=_text(line, "app"),
        reg_id=None if kind == "office" else _whole(line, "reg_id") if reg_id is not None else next(iter(reg_ids)),
        status_code=None if line.get("status_code", 200) is None else _whole(line, "status_code", 200),
        status_message=_text(line, "status_message"),
        incoming=kind == "office",
        row_id=row_id,
    )


def registration(line: Mapping[str, Any]) -> Registration:
    """What the provider is to say of the line's registration."""
    said = _map(line["registration"], "a line's registration")
    return Registration(_whole(said, "code", 200), _text(said, "message") or "")


def mutate(portal: Portal, change: Mapping[str, Any], now: datetime) -> None:
    """Somebody else changes a line: the one of this `config_id`, or a new one; `"delete": true` takes it away."""
    row = portal.state.rows.get(change.get("config_id", 0))
    if change.get("delete"):
        effect = Effect(None, dropped=(row.config_id,) if row else ())
    elif row is None:
        state = portal.state
        row = line_row(change, state.next_row, [state.next_config], [state.next_registration])
        effect = Effect(None, rows=(row,))
    else:
        line = {"status_message": row.status_message, **_shown(row, portal), **change}
        effect = Effect(None, rows=(replace(line_row(line, row.row_id, (), ()), incoming=row.incoming),))
    portal.commit(effect, now)
    if row is not None and row.reg_id and "registration" in change:
        portal.registrations[row.reg_id] = registration(change)


def dump(portal: Portal) -> dict[str, Any]:
    """Everything that the portal holds, whoever owns it."""
    return {
        "lines": [_shown(row, portal) for row in portal.state.rows.values()],
        "configs": [
            {"name": other.name, "mode": other.mode, "number": other.number} for other in portal.state.others.values()
        ],
        "elsewhere": list(portal.state.elsewhere),
        "default_line": outgoing.default_line(portal.state),
        "access": {"right": portal.access.right, "scope": portal.access.scope},
    }


def _shown(row: Row, portal: Portal) -> dict[str, Any]:
    said = portal.registrations.get(row.reg_id or 0)
    return {
        "config_id": row.config_id,
        "type": row.type,
        **{name: row.values[name] for name in FIELDS},
        "app": row.app,
        "reg_id": row.reg_id,
        "status_code": row.status_code,
        **({"registration": {"code": said.code, "message": said.message}} if said else {}),
    }


def _free(taken: set[int], first: int) -> Iterable[int]:
    number = first
    while True:
        if number not in taken:
            taken.add(number)
            yield number
        number += 1


def _other(config: Mapping[str, Any], config_id: int) -> OtherConfig:
    mode = config.get("mode", "RENT")
    if mode not in _MODES:
        _wrong(Message("a config's mode is one of {MODES}, not {mode!r}", MODES=", ".join(_MODES), mode=mode))
    return OtherConfig(config_id, _text(config, "name"), cast("Mode", mode), _text(config, "number"))


def _list(seed: Mapping[str, Any], name: str) -> list[Any]:
    found = seed.get(name) or []
    return found if isinstance(found, list) else _wrong(Message("`{name}` of a seed has to be a list", name=name))


def _map(value: Any, what: str) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _wrong(Message("{what} of a seed has to be a map", what=what))


def _text(line: Mapping[str, Any], name: str) -> str | None:
    found = line.get(name)
    if found is None or isinstance(found, str):
        return found
    return _wrong(Message("`{name}` of a seed has to be a text: put it in quotes", name=name))


def _whole(line: Mapping[str, Any], name: str, default: int | None = None) -> int:
    found = line.get(name, default)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    return _wrong(Message("`{name}` of a seed has to be a whole number", name=name))


def _wrong(problem: Message) -> NoReturn:
    hint = Message("See `sipsync sandbox seed --help` for what a seed holds.")
    raise SipsyncError(Diagnostic(Code.BAD_VALUE, problem, hint=hint))
