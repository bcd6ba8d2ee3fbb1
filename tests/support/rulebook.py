"""The rule book alone: lines on an imagined portal, what a reading of them tells, and calls that are carried out."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

from sipsync.model.fields import FIELDS, SECRET, SHOWN, FieldName
from sipsync.model.lines import Call, CurrentLine, Snapshot
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.rules import outgoing
from sipsync.rules.errors import Refusal
from sipsync.rules.lines import add, delete, update
from sipsync.rules.state import Effect, PortalState, Row


def row(config_id: int, title: str, **given: Any) -> Row:
    """A registered cloud line."""
    kind = given.pop("type", "cloud")
    base = Row(
        config_id,
        kind,
        {"title": title, "server": "old.example", "login": f"u{config_id}", "password": "pw"},
        reg_id=1000 + config_id if kind == "cloud" else None,
        status_code=200,
        incoming=kind == "office",
        row_id=config_id,
    )
    return altered(base, **given)


def altered(one: Row, **given: Any) -> Row:
    """The line with other values, or another state."""
    values = {name: given.pop(name) for name in FIELDS if name in given}
    return replace(one.having(values), **given)


def reading(state: PortalState, app: str | None = None, *, passwords: bool = True) -> Snapshot:
    """What an owner's reading tells."""
    own = (one for one in state.rows.values() if one.app == app)
    lines = sorted((_line(one, passwords) for one in own), key=lambda line: line.config_id)
    names = {line_id: html.unescape(name) for line_id, name in outgoing.listed(state).items()}
    default = outgoing.default_line(state)
    return Snapshot(tuple(lines), names, "" if default == outgoing.NO_LINE else default)


def _line(one: Row, passwords: bool) -> CurrentLine:
    values: dict[FieldName, str | Secret] = {name: one.values[name] or "" for name in SHOWN}
    if passwords:
        values |= {name: Secret(one.values[name] or "") for name in SECRET}
    return CurrentLine(
        one.config_id, one.type, values, one.reg_id, one.line_id, one.status_code, one.status_message or ""
    )


def carry_out(state: PortalState, app: str | None, call: Call) -> Effect:
    """What a call did, or the refusal that it met."""
    params = {name: reveal(value) if isinstance(value, Secret) else value for name, value in call.params().items()}
    if call.verb == "add":
        effect = add(state, app, params)
    elif call.verb == "delete":
        effect = delete(state, app, call.config_id)
    else:
        effect = update(state, app, params)
    if not isinstance(effect.reply, Refusal):
        state.commit(effect)
    return effect
