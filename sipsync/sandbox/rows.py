"""A line as the REST methods show it, and as its database columns that filters and sorting see."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sipsync.model.fields import FIELDS, FieldName
from sipsync.rules.state import Row

Column = Callable[[Row], "str | int | None"]


def _value(name: FieldName) -> Column:
    return lambda row: row.values[name]


INTEGERS: Mapping[str, Column] = {
    "ID": lambda row: row.row_id,
    "CONFIG_ID": lambda row: row.config_id,
    "CONFIG.ID": lambda row: row.config_id,
    "REG_ID": lambda row: row.reg_id or 0,
    "REGISTRATION_STATUS_CODE": lambda row: row.status_code,
}
TEXTS: Mapping[str, Column] = {
    "TYPE": lambda row: row.type,
    **{field.wire: _value(name) for name, field in FIELDS.items()},
    "CONFIG.PHONE_NAME": lambda row: row.title,
    "CONFIG.SEARCH_ID": lambda row: row.line_id,
    "CONFIG.PORTAL_MODE": lambda row: "SIP",
    "INCOMING_SERVER": lambda row: incoming(row)["INCOMING_SERVER"],
    "INCOMING_LOGIN": lambda row: incoming(row)["INCOMING_LOGIN"],
    "INCOMING_PASSWORD": lambda row: incoming(row)["INCOMING_PASSWORD"],
    "AUTH_USER": lambda row: None,
    "OUTBOUND_PROXY": lambda row: None,
    "DETECT_LINE_NUMBER": lambda row: "N",
    "LINE_DETECT_HEADER_ORDER": lambda row: "diversion;to",
    "REGISTRATION_ERROR_MESSAGE": lambda row: row.status_message,
}


def incoming(row: Row) -> dict[str, str | None]:
    """How an office PBX registers with the portal."""
    return {
        "INCOMING_SERVER": "ip.sandbox.bitrixphone.com" if row.incoming else None,
        "INCOMING_LOGIN": f"sip{row.config_id}" if row.incoming else None,
        "INCOMING_PASSWORD": f"incoming{row.config_id}" if row.incoming else None,
    }


def shown(row: Row) -> dict[str, object]:
    """A line as `voximplant.sip.get` gives it: numbers as text, passwords in clear."""
    return {
        "TYPE": row.type,
        "CONFIG_ID": str(row.config_id),
        **({"REG_ID": str(row.reg_id or 0)} if row.type == "cloud" else {}),
        **{field.wire: row.values[name] for name, field in FIELDS.items()},
        **(incoming(row) if row.type == "office" else {}),
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
