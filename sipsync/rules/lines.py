"""What the server does with `voximplant.sip.update`, `add` and `delete`: its source, and measured by running it.

Each rule reads a `PortalState` and returns an `Effect`. Parameters are taken as the server takes them: names in any
letter case, null as absent, numbers as texts. An array where a text belongs raises `Crash`, as the server then dies.
The telephony provider, whom a rule may ask, can refuse or be out of reach: then it does not answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from sipsync.model.fields import FIELDS, LINE_TYPES, CurrentType, FieldName, LineType
from sipsync.rules import outgoing
from sipsync.rules.errors import Refusal, refusal
from sipsync.rules.outgoing import Memory
from sipsync.rules.php import integer, text, upper_keys
from sipsync.rules.state import EMPTY, Effect, PortalState, Row
from sipsync.rules.values import stored


def reregisters(type: CurrentType, reg_id: int | None, fields: Iterable[FieldName]) -> bool:
    """Whether an update of these fields renews the line's registration, which may drop telephone calls."""
    return type == "cloud" and bool(reg_id) and any(FIELDS[name].registers for name in fields)


def update(state: PortalState, app: str | None, params: Mapping[Any, object]) -> Effect:
    """`voximplant.sip.update`. Whether the provider renews the registration makes no difference to the answer."""
    given = _given(params)
    claimed = given.get("CONFIG_ID")
    if not _owns(state, app, claimed):
        return Effect(refusal("ERROR_NOT_FOUND"))
    fields = {name: given[field.wire] for name, field in FIELDS.items() if field.wire in given}
    if not fields:
        return Effect(1)
    kind = given.get("TYPE", "cloud")
    # Letter case counts here, and PHP takes "true" for any text (server source).
    values, problems = _checked(fields, kind is True or kind in LINE_TYPES)
    if problems:
        return Effect(Refusal("CHECK_FIELDS_ERROR", 400, problems))
    # An array passes the check by what is in it, and then counts as 1 (measured).
    config_id = integer(claimed)
    row = state.rows.get(config_id)
    other = state.others.get(config_id)
    title = values.get("title")
    if title is not None and state.title_taken(title, but=config_id):
        return Effect(refusal("TITLE_EXISTS"))
    if title is not None and len(title) > FIELDS["title"].max_length:  # silently not stored
        del values["title"]
    if row is None:
        renamed = (replace(other, name=title),) if other is not None and "title" in values else ()
        return Effect(refusal("CONFIG_NOT_FOUND") if values.keys() - {"title"} else 1, others=renamed)
    row = row.having(values)
    if not any(FIELDS[name].registers for name in values):
        return Effect(1, rows=(row,))
    asked = reregisters(row.type, row.reg_id, values) and _registrable(row)
    return Effect(1, rows=(replace(row, status_code=0),), registrations=int(asked))


def add(
    state: PortalState,
    app: str | None,
    params: Mapping[Any, object],
    *,
    provider_answers: bool = True,
    memory: Memory | None = None,
) -> Effect:
    """`voximplant.sip.add`; the reply is the new row. A registration that fails is swallowed: the line has REG_ID 0."""
    given = _given(params)
    kind = text(given.get("TYPE", "cloud")).lower()
    fields = {name: given.get(field.wire) for name, field in FIELDS.items()}
    values, problems = _checked(fields, kind in LINE_TYPES)
    if problems:
        return Effect(Refusal("CHECK_FIELDS_ERROR", 400, problems))
    if kind == "cloud" and state.cloud_lines >= state.cloud_limit:
        return Effect(refusal("MAX_CLOUD_PBX"))
    title = values.get("title", "")
    if len(title) > FIELDS["title"].max_length or (title and state.title_taken(title)):
        return Effect(refusal("TITLE_EXISTS"))
    made = Row(
        config_id=state.next_config,
        type=cast("LineType", kind),
        values={**EMPTY, **values},
        app=app,
        reg_id=0 if kind == "cloud" else None,
        row_id=state.next_row,
    )
    asked = kind == "cloud" and _registrable(made)
    row = made
    if asked and provider_answers:
        row = replace(made, reg_id=state.next_registration)
    elif kind == "office" and provider_answers:
        row = replace(made, incoming=True, status_code=0)
    chosen = _default_after_add(state, memory, made.line_id, row.line_id)
    return Effect(row, rows=(row,), default_line=chosen, registrations=int(asked))


def _registrable(row: Row) -> bool:
    """Whether the portal asks the provider: not with a server of three characters, or no login (server source, run)."""
    return len(row.values["server"] or "") > 3 and bool(row.values["login"])


def _default_after_add(state: PortalState, memory: Memory | None, first: str, last: str) -> str | None:
    """The default line to set: the new line becomes it where there is none, and takes it along to its final id."""
    chosen = state.default_line
    if outgoing.current(state, memory, chosen, first) == outgoing.NO_LINE and outgoing.knows(
        state, memory, first, first
    ):
        chosen = first
    if last != first and outgoing.current(state, memory, chosen, first) == first:
        chosen = last
    return chosen if chosen != state.default_line else None


def delete(
    state: PortalState,
    app: str | None,
    config_id: object,
    *,
    provider_answers: bool = True,
    memory: Memory | None = None,
) -> Effect:
    """`voximplant.sip.delete`: the registration first, and nothing at all where the provider fails."""
    if not _owns(state, app, config_id):
        return Effect(replace(refusal("ERROR_NOT_FOUND"), status=400))
    row = state.rows.get(integer(config_id))
    if row is None:  # an array: it passes by what is in it, and then counts as 1
        return Effect(Refusal("", 400))
    if row.reg_id and not provider_answers:
        return Effect(refusal("REG_ID_NOT_FOUND"))
    return Effect(1, dropped=(row.config_id,), default_line=_default_after_delete(state, memory, row))


def _default_after_delete(state: PortalState, memory: Memory | None, gone: Row) -> str | None:
    """The default line to set. Nothing takes over, unless the request remembers the line that is gone."""
    shared = state.line_ids[gone.line_id] > 1
    if memory is not None and memory.known is None:
        memory.known = frozenset(+state.line_ids) - (set() if shared else {gone.line_id})
    still = shared if memory is None else outgoing.knows(state, memory, gone.line_id)
    if gone.line_id != state.default_line or not still:
        return None
    # The first by the index of line ids, where configs that are no SIP line come first, with NULL (server source).
    heirs = sorted(row.line_id for row in state.rows.values() if row is not gone)
    heir = outgoing.NO_LINE if state.others or not heirs else heirs[0]
    return heir if heir == outgoing.NO_LINE or outgoing.knows(state, memory, heir) else None


def _given(params: Mapping[Any, object]) -> dict[str, object]:
    """The parameters by their names in capitals, without nulls."""
    return {name: value for name, value in upper_keys(params).items() if value is not None}


def _owns(state: PortalState, app: str | None, claimed: object) -> bool:
    """Whether the owner has a line of this CONFIG_ID; of an array one is enough."""
    wanted = claimed.values() if isinstance(claimed, dict) else [claimed]
    rows = (state.rows.get(integer(config_id)) for config_id in wanted)
    return any(row is not None and row.app == app for row in rows)


def _checked(fields: Mapping[FieldName, object], type_is_known: bool) -> tuple[dict[FieldName, str], str]:
    """The values as stored, and what the server has against them, "" where nothing.

    A field with None is missing: one that is required must not be, where it is named at all.
    """
    sent = {name: text(value) for name, value in fields.items() if value is not None}
    values = {name: stored(name, value) for name, value in sent.items()}
    problems = [] if type_is_known else ["PBX type is not specified."]
    for name, field in FIELDS.items():
        # A password is measured before it is trimmed (server source).
        measured = (sent if field.secret else values).get(name, "")
        if field.required and name in fields and not values.get(name):
            problems.append(f"{field.words} is not specified.")
        elif name != "title" and len(measured) > field.max_length:
            problems.append(f"{field.words} must not exceed {field.max_length} characters.")
    return values, "<br> ".join(problems)
