"""The REST methods: parameters in, result or refusal out. What they do to lines is the rule book's business."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sipsync.rules import outgoing
from sipsync.rules.errors import rule
from sipsync.rules.lines import Effect, Memory, Provider, Refusal, Row, add, delete, update
from sipsync.rules.php import Array, integer, is_true, upper_keys
from sipsync.sandbox.comparing import Refused
from sipsync.sandbox.filters import matching, ordered
from sipsync.sandbox.portal import Portal
from sipsync.sandbox.rows import shown, shown_new

PAGE = 50


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
    provider: Provider = field(default_factory=Provider)
    memory: Memory | None = None

    def done(self, effect: Effect) -> Result | Refusal:
        """Carry an effect out; its reply."""
        self.portal.commit(effect, self.now)
        return effect.reply if isinstance(effect.reply, Refusal) else Result(effect.reply)


Method = Callable[[Caller, Array], "Result | Refusal"]


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
    effect = add(caller.portal.state, caller.app, _named(given), provider=caller.provider, memory=caller.memory)
    answer = caller.done(effect)
    return Result(shown_new(answer.value)) if isinstance(answer, Result) and isinstance(answer.value, Row) else answer


def sip_update(caller: Caller, given: Array) -> Result | Refusal:
    """1, whatever came of the registration."""
    return caller.done(update(caller.portal.state, caller.app, _named(given), provider=caller.provider))


def sip_delete(caller: Caller, given: Array) -> Result | Refusal:
    """1."""
    config_id = upper_keys(given).get("CONFIG_ID")
    effect = delete(caller.portal.state, caller.app, config_id, provider=caller.provider, memory=caller.memory)
    return caller.done(effect)


def sip_status(caller: Caller, given: Array) -> Result | Refusal:
    """What the provider says of a registration, of any owner; it is written into the line where it is new."""
    reg_id = integer(upper_keys(given).get("REG_ID"))
    row = caller.portal.registered(reg_id)
    if row is None or not caller.provider.answers:
        return Refusal("REG_ID_NOT_FOUND", 400, "Configuration was not found.")
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
    if not caller.provider.answers:
        return Refusal("CONNECT_ERROR", 400, "The telephony provider can't be reached.")
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
GENERAL: Mapping[str, Method] = {"profile": profile, "scope": scope, "server.time": server_time}
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


def refusal(code: str | int) -> Refusal:
    """The server's error of this code, with the status and the words that go with it."""
    row = rule(code)
    return Refusal(row.error, row.status, row.text)


def envelope(answer: Result | Refusal, started: float) -> dict[str, Any]:
    """The answer as JSON has it; `started` is a Unix time."""
    if isinstance(answer, Refusal):
        return {"error": answer.code, "error_description": answer.text}
    finished = time.time()
    document: dict[str, Any] = {"result": answer.value}
    if answer.next is not None:
        document["next"] = answer.next
    if answer.total is not None:
        document["total"] = answer.total
    document["time"] = {
        "start": started,
        "finish": finished,
        "duration": finished - started,
        "processing": finished - started,
        "date_start": _date(int(started)),
        "date_finish": _date(int(finished)),
    }
    return document


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _named(given: Array) -> dict[str, Any]:
    return {name: value for name, value in given.items() if isinstance(name, str)}
