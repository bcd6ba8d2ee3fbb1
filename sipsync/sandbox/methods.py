"""The REST methods: parameters in, result or refusal out. What they do to lines is the rule book's business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sipsync.model.fields import FIELDS
from sipsync.rules import outgoing
from sipsync.rules.errors import Refusal, refusal
from sipsync.rules.limits import PAGE
from sipsync.rules.lines import add, delete, update
from sipsync.rules.outgoing import Memory
from sipsync.rules.php import Array, integer, is_true, upper_keys
from sipsync.rules.state import Effect, Row
from sipsync.sandbox.columns import INCOMING
from sipsync.sandbox.comparing import Refused
from sipsync.sandbox.filters import matching, ordered
from sipsync.sandbox.portal import Portal


@dataclass(frozen=True, slots=True)
class Result:
    """What a method returned."""

    value: Any
    total: int | None = None
    next: int | None = None


@dataclass(slots=True)
class Caller:
    """Who calls, on which portal, and what the server remembers during this request."""

    portal: Portal
    app: str | None
    client_ids: Mapping[str, str]
    now: datetime
    provider_answers: bool = True
    memory: Memory | None = None

    def done(self, effect: Effect) -> Result | Refusal:
        """Carry an effect out; its reply."""
        self.portal.commit(effect, self.now)
        return effect.reply if isinstance(effect.reply, Refusal) else Result(effect.reply)


Method = Callable[[Caller, Array], "Result | Refusal"]


def shown(row: Row) -> dict[str, object]:
    """A line as `voximplant.sip.get` gives it: numbers as text, passwords in clear."""
    return {
        "TYPE": row.type,
        "CONFIG_ID": str(row.config_id),
        **({"REG_ID": str(row.reg_id or 0)} if row.type == "cloud" else {}),
        **{field.wire: row.values[name] for name, field in FIELDS.items()},
        **({name: value(row) for name, value in INCOMING.items()} if row.type == "office" else {}),
        "AUTH_USER": None,
        "OUTBOUND_PROXY": None,
        "DETECT_LINE_NUMBER": "N",
        "LINE_DETECT_HEADER_ORDER": "diversion;to",
        "REGISTRATION_STATUS_CODE": None if row.status_code is None else str(row.status_code),
        "REGISTRATION_ERROR_MESSAGE": row.status_message,
    }


def shown_new(row: Row) -> dict[str, object]:
    """A line as `voximplant.sip.add` gives it: with ID, and REG_ID as a number if it was just created."""
    new = {"ID": str(row.row_id), **shown(row), "REGISTRATION_STATUS_CODE": None}
    return {**new, "REG_ID": row.reg_id} if row.reg_id else new


def sip_get(caller: Caller, given: Array) -> Result | Refusal:
    """One page of the caller's lines."""
    params = upper_keys(given)
    start = max(0, integer(given["start"])) if given.get("start") is not None else 0
    try:
        rows = matching(caller.portal.state.rows.values(), params.get("FILTER"), caller.app, caller.client_ids)
        if not rows:
            return Result([])
        page = ordered(rows, params.get("SORT"), params.get("ORDER"))[start : start + PAGE]
    except Refused as refused:
        return refused.refusal
    end = start + len(page)
    return Result([shown(row) for row in page], len(rows), end if end < len(rows) else None)


def sip_add(caller: Caller, given: Array) -> Result | Refusal:
    """A new line."""
    answers, memory = caller.provider_answers, caller.memory
    effect = add(caller.portal.state, caller.app, given, provider_answers=answers, memory=memory)
    answer = caller.done(effect)
    return Result(shown_new(answer.value)) if isinstance(answer, Result) and isinstance(answer.value, Row) else answer


def sip_update(caller: Caller, given: Array) -> Result | Refusal:
    """1, whatever came of the registration."""
    return caller.done(update(caller.portal.state, caller.app, given))


def sip_delete(caller: Caller, given: Array) -> Result | Refusal:
    """1."""
    config_id = upper_keys(given).get("CONFIG_ID")
    answers, memory = caller.provider_answers, caller.memory
    return caller.done(delete(caller.portal.state, caller.app, config_id, provider_answers=answers, memory=memory))


def sip_status(caller: Caller, given: Array) -> Result | Refusal:
    """What the provider says of a registration, of any owner; it is written into the line where it is new."""
    reg_id = integer(upper_keys(given).get("REG_ID"))
    row = caller.portal.registered(reg_id)
    if row is None or not caller.provider_answers:
        return refusal("REG_ID_NOT_FOUND")
    found = caller.portal.registration(reg_id)
    if (row.status_code or 0) != found.code:
        told = replace(row, status_code=found.code, status_message=found.message)
        caller.portal.commit(Effect(None, rows=(told,)), caller.now)
    return Result(
        {
            "REG_ID": reg_id,
            "LAST_UPDATED": found.updated,
            "ERROR_MESSAGE": found.message,
            "STATUS_CODE": found.code,
            "STATUS_RESULT": found.result,
        }
    )


def connector_status(caller: Caller, given: Array) -> Result | Refusal:
    """Whether the SIP connector is paid for (documented)."""
    if not caller.provider_answers:
        return refusal("CONNECT_ERROR")
    return Result({"FREE_MINUTES": 60, "PAID": True, "PAID_DATE_END": "2036-01-01T00:00:00+00:00"})


def line_get(caller: Caller, given: Array) -> Result | Refusal:
    """The names of all outgoing lines of the portal."""
    return Result(dict(outgoing.listed(caller.portal.state, caller.memory)) or [])


def outgoing_get(caller: Caller, given: Array) -> Result | Refusal:
    """The default outgoing line."""
    return Result(outgoing.default_line(caller.portal.state, caller.memory))


def outgoing_set(caller: Caller, given: Array) -> Result | Refusal:
    """1, even where the line is not known and nothing is done."""
    return caller.done(outgoing.choose(caller.portal.state, upper_keys(given).get("LINE_ID"), caller.memory))


def outgoing_sip_set(caller: Caller, given: Array) -> Result | Refusal:
    """1."""
    return caller.done(outgoing.choose_config(caller.portal.state, upper_keys(given).get("CONFIG_ID")))


def profile(caller: Caller, given: Array) -> Result | Refusal:
    """The user that the credential stands for (documented, unverified)."""
    names = {"NAME": "Sandbox", "LAST_NAME": "", "PERSONAL_GENDER": "", "TIME_ZONE": ""}
    return Result({"ID": "1", "ADMIN": True, **names})


def scope(caller: Caller, given: Array) -> Result | Refusal:
    """What the credential was given (documented, unverified)."""
    everything = is_true(upper_keys(given).get("FULL"))
    return Result(["telephony", "user", "crm"] if everything else caller.portal.access.scope.split(","))


def server_time(caller: Caller, given: Array) -> Result | Refusal:
    """The time of day (documented, unverified)."""
    return Result(caller.now.astimezone(UTC).isoformat(timespec="seconds"))


def upload(caller: Caller, given: Array) -> Result | Refusal:
    """Never allowed (server source, run)."""
    return refusal("ACCESS_DENIED")


TELEPHONY: Mapping[str, Method] = {
    "voximplant.sip.get": sip_get,
    "voximplant.sip.add": sip_add,
    "voximplant.sip.update": sip_update,
    "voximplant.sip.delete": sip_delete,
    "voximplant.sip.status": sip_status,
    "voximplant.sip.connector.status": connector_status,
    "voximplant.line.get": line_get,
    "voximplant.line.outgoing.get": outgoing_get,
    "voximplant.line.outgoing.set": outgoing_set,
    "voximplant.line.outgoing.sip.set": outgoing_sip_set,
}
GENERAL: Mapping[str, Method] = {"profile": profile, "scope": scope, "server.time": server_time, "upload": upload}
BATCH = "batch"
READING = frozenset({*GENERAL, "voximplant.sip.get", "voximplant.line.get", "voximplant.line.outgoing.get"})
"""Methods that change nothing."""


def known(method: str) -> bool:
    """Whether there is such a method; its name in small letters."""
    return method in TELEPHONY or method in GENERAL or method == BATCH


def needs_scope(method: str, scope: str) -> bool:
    """Whether the credential lacks the scope of the method."""
    return method in TELEPHONY and "telephony" not in scope.split(",")


def run(caller: Caller, method: str, given: Array) -> Result | Refusal:
    """The method's answer; raises `Crash` where the server would die."""
    if method in GENERAL:
        return GENERAL[method](caller, given)
    if not caller.portal.access.right:
        return refusal("ACCESS_DENIED")
    return TELEPHONY[method](caller, given)


def envelope(answer: Result | Refusal, started: datetime, finished: datetime) -> dict[str, Any]:
    """The answer as JSON has it."""
    if isinstance(answer, Refusal):
        return answer.body
    seconds = (finished - started).total_seconds()
    spent = {
        "start": started.timestamp(),
        "finish": finished.timestamp(),
        "duration": seconds,
        "processing": seconds,
        "date_start": started.isoformat(timespec="seconds"),
        "date_finish": finished.isoformat(timespec="seconds"),
    }
    document = {"result": answer.value, "next": answer.next, "total": answer.total, "time": spent}
    return {key: value for key, value in document.items() if value is not None or key == "result"}
