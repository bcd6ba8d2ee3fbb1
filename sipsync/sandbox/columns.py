"""The columns that FILTER and SORT of `voximplant.sip.get` know, and what a line has in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sipsync.model.fields import FIELDS, FieldName
from sipsync.rules.state import Row

Column = Callable[[Row], "str | int | None"]


def _value(name: FieldName) -> Column:
    return lambda row: row.values[name]


def _constants(names: Mapping[str | int | None, str]) -> dict[str, Column]:
    """Columns of a line's config that no method of telephony shows: a new row's values (its table's definition)."""
    return {f"CONFIG.{name}": _always(value) for value, row in names.items() for name in row.split()}


def _always(value: str | int | None) -> Column:
    return lambda row: value


INCOMING: Mapping[str, Column] = {
    "INCOMING_SERVER": lambda row: "ip.sandbox.bitrixphone.com" if row.incoming else None,
    "INCOMING_LOGIN": lambda row: f"sip{row.config_id}" if row.incoming else None,
    "INCOMING_PASSWORD": lambda row: f"incoming{row.config_id}" if row.incoming else None,
}
"""How an office PBX registers with the portal."""
INTEGERS: Mapping[str, Column] = {
    "ID": lambda row: row.row_id,
    "CONFIG_ID": lambda row: row.config_id,
    "CONFIG.ID": lambda row: row.config_id,
    "REG_ID": lambda row: row.reg_id or 0,
    "REGISTRATION_STATUS_CODE": lambda row: row.status_code,
    **_constants(
        {
            0: "RECORDING_TIME",
            30: "WAIT_CRM WAIT_DIRECT",
            None: "QUEUE_ID IVR_ID MELODY_WELCOME MELODY_VOICEMAIL MELODY_WAIT MELODY_ENQUEUE MELODY_HOLD "
            "MELODY_RECORDING MELODY_VOTE MELODY_VOTE_END WORKTIME_DAYOFF_MELODY CALLBACK_REDIAL_ATTEMPTS "
            "CALLBACK_REDIAL_PERIOD",
        }
    ),
}
TEXTS: Mapping[str, Column] = {
    "TYPE": lambda row: row.type,
    **{field.wire: _value(name) for name, field in FIELDS.items()},
    "CONFIG.PHONE_NAME": lambda row: row.title,
    "CONFIG.SEARCH_ID": lambda row: row.line_id,
    "CONFIG.PORTAL_MODE": lambda row: "SIP",
    **INCOMING,
    "AUTH_USER": lambda row: None,
    "OUTBOUND_PROXY": lambda row: None,
    "DETECT_LINE_NUMBER": lambda row: "N",
    "LINE_DETECT_HEADER_ORDER": lambda row: "diversion;to",
    "REGISTRATION_ERROR_MESSAGE": lambda row: row.status_message,
    **_constants(
        {
            "Y": "PHONE_VERIFIED CRM CRM_FORWARD DIRECT_CODE RECORDING VOICEMAIL MELODY_WELCOME_ENABLE",
            "N": "CRM_TRANSFER_CHANGE IVR RECORDING_NOTICE RECORDING_STEREO VOTE TIMEMAN WORKTIME_ENABLE USE_SIP_TO "
            "TRANSCRIBE CALLBACK_REDIAL CAN_BE_SELECTED REDIRECT_WITH_CLIENT_NUMBER",
            "none": "CRM_CREATE",
            "all": "CRM_CREATE_CALL_TYPE",
            "CALL": "CRM_SOURCE",
            "default": "FORWARD_LINE",
            "EN": "MELODY_LANG",
            "voicemail": "WORKTIME_DAYOFF_RULE",
            None: "PHONE_COUNTRY_CODE CRM_RULE DIRECT_CODE_RULE WORKTIME_FROM WORKTIME_TO WORKTIME_TIMEZONE "
            "WORKTIME_HOLIDAYS WORKTIME_DAYOFF WORKTIME_DAYOFF_NUMBER TRANSCRIBE_LANG TRANSCRIBE_PROVIDER LINE_PREFIX "
            "BACKUP_NUMBER BACKUP_LINE",
        }
    ),
}
