"""The server's rows as our values. Secret fields become secrets at once, and null equals empty."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from sipsync.model.fields import FIELDS, CurrentType, FieldName
from sipsync.model.lines import CurrentLine, Registration
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.model.secret import Secret
from sipsync.portal.envelope import Command, Value, whole
from sipsync.rules.limits import PAGE
from sipsync.rules.outgoing import NO_LINE


def page(start: int, **filters: Value) -> Command:
    """The command that reads a page of lines."""
    # Without both SORT and ORDER there is no order, and pages would overlap (server source).
    return Command("voximplant.sip.get", {**filters, "SORT": "CONFIG_ID", "ORDER": "ASC", "start": start})


def pages_of(config_ids: Iterable[int]) -> list[Command]:
    """The commands that read these lines, each as many as one page holds."""
    wanted = sorted(set(config_ids))
    return [page(0, FILTER={"CONFIG_ID": wanted[first : first + PAGE]}) for first in range(0, len(wanted), PAGE)]


def current_line(row: object, host: str) -> CurrentLine:
    """One row of `voximplant.sip.get`. An absent TYPE is read as "cloud", as the server itself does."""
    if not isinstance(row, dict):
        raise odd(host, Message("a line that is not an object"))
    config_id = whole(row.get("CONFIG_ID"))
    if config_id is None:
        raise odd(host, Message("a line without CONFIG_ID"))
    kind = row.get("TYPE") or "cloud"
    type: CurrentType = "cloud" if kind == "cloud" else "office" if kind == "office" else "other"
    reg_id = whole(row.get("REG_ID")) or 0 if type == "cloud" else None
    incoming_login = text(row.get("INCOMING_LOGIN"))
    return CurrentLine(
        config_id=config_id,
        type=type,
        values=_values(row),
        reg_id=reg_id,
        line_id=(incoming_login or "sip0") if reg_id is None else f"reg{reg_id}",  # server source, run
        status_code=whole(row.get("REGISTRATION_STATUS_CODE")),
        status_message=text(row.get("REGISTRATION_ERROR_MESSAGE")),
        incoming_server=text(row.get("INCOMING_SERVER")),
        incoming_login=incoming_login,
    )


def _values(row: Mapping[str, object]) -> dict[FieldName, str | Secret]:
    values: dict[FieldName, str | Secret] = {}
    for name, field in FIELDS.items():
        if not field.secret:
            values[name] = text(row.get(field.wire))
        elif field.wire in row:
            values[name] = Secret(text(row[field.wire]))
    return values


def made(value: object) -> int | None:
    """The config_id of the row that an add returns, which holds its password in clear; None where there is none."""
    return whole(value.get("CONFIG_ID")) if isinstance(value, dict) else None


def names(value: object, host: str) -> dict[str, str]:
    """Line id → title of `voximplant.line.get`, which escapes titles for HTML (server source)."""
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise odd(host, Message("a list of lines that is not an object"))
    try:
        return {str(line_id): html.unescape(text(name)) for line_id, name in value.items()}
    except ValueError:  # a character of 5,000 digits
        raise odd(host, Message("a title that is no text")) from None


def default_line(value: object) -> str:
    """The id of the default outgoing line; "" where there is none."""
    line_id = text(value)
    return "" if line_id == NO_LINE else line_id


def registration(value: object, host: str) -> Registration:
    """The answer of `voximplant.sip.status`."""
    row = value if isinstance(value, dict) else {}
    reg_id, result = whole(row.get("REG_ID")), row.get("STATUS_RESULT")
    if reg_id is None or result not in ("success", "error", "in_progress", "wait"):
        raise odd(host, Message("a registration without REG_ID or with an unknown state"))
    return Registration(
        reg_id=reg_id,
        result=result,
        status_code=whole(row.get("STATUS_CODE")) or 0,
        message=text(row.get("ERROR_MESSAGE")),
        last_updated=text(row.get("LAST_UPDATED")),
    )


def text(value: object) -> str:
    """A text of the server, whatever JSON type it came in; PHP writes no value as an empty list as well."""
    return "" if value is False or not isinstance(value, str | int | float) else str(value)


def odd(host: str, what: Message) -> PortalError:
    """The error for an answer that has the right form and makes no sense."""
    summary = Message("{host} answered with {what}", host=host, what=what)
    hint = Message("Check that the host is a Bitrix24 portal; if it is, its REST API may have changed: report this.")
    return PortalError(Diagnostic(Code.NOT_BITRIX24, summary, hint=hint))
