"""What single values of the file must look like: texts of lines, references, numbers, switches.

Each is a pydantic type that takes text, since that is all that the reader gives. Messages never quote a value that may
be a secret in a wrong place.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from sipsync.config.refs import RunContext, identifier, path_inside, reference
from sipsync.config.sense import slips
from sipsync.disk.files import device, is_device
from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.hosts import HOST, PORT, is_loopback
from sipsync.model.lines import ADDRESS_PART, TEMPORARY_TITLE
from sipsync.model.message import Message
from sipsync.model.operator import host_forbidden
from sipsync.model.problems import Code
from sipsync.model.scalars import TEXT, FromText, number, trimmed, wrong
from sipsync.model.secret import SecretRef

_PART = re.compile(ADDRESS_PART)
_PORT = f"(?::{PORT})?"


def _title(text: str) -> str:
    if text.lower().startswith(TEMPORARY_TITLE):  # the server's database ignores letter case
        summary = Message(
            "a title that begins with {prefix} is kept for lines whose titles are being swapped", prefix=TEMPORARY_TITLE
        )
        wrong(Code.TEMPORARY_TITLE, summary, Message("Choose another title."))
    return trimmed(text)


def _sensible(name: FieldName) -> AfterValidator:
    """A check for slips that nobody sees; those that are but warnings are told by `config.check`."""

    def check(text: str) -> str:
        for slip in slips(name, trimmed(text)):
            if slip.error:
                wrong(Code.BAD_VALUE, slip.summary, slip.hint, slip.at)
        return text

    return AfterValidator(check)


def _version(number: int) -> int:
    if number != 1:
        hint = Message("This sipsync knows format 1; upgrade it, or write `sipsync: 1`.")
        wrong(Code.BAD_VALUE, Message("an unknown format: {number}", number=number), hint)
    return number


def _address_part(text: str) -> str:
    if not _PART.fullmatch(text):
        hint = Message("Use Latin letters, digits, `-` and `_`, a letter or digit first. The title may be any text.")
        wrong(Code.BAD_ADDRESS, Message("a name that can't be part of an address"), hint)
    return text


def _portal_name(text: str) -> str:
    if is_device(text):
        wrong(Code.BAD_ADDRESS, device(text), Message("Give the portal another `name`."))
    return _address_part(text)


def _domain(text: str, info: ValidationInfo[RunContext]) -> str:
    if re.fullmatch(f"(?:{HOST}){_PORT}", text):
        return _trusted(text, text, 443, info)
    base = re.fullmatch(rf"https?://({HOST}){_PORT}(?:/[\w./~-]*)?", text)
    if not base:
        summary = Message("not the name of a portal")
        wrong(Code.BAD_URL, summary, Message("Write its host alone, as in acme.bitrix24.ru."))
    if not is_loopback(base[1]):
        summary = Message("a whole address may stand here for this machine only")
        wrong(Code.BAD_URL, summary, Message("Write the host alone: {host}.", host=base[1]))
    return text


def _trusted(text: str, host: str, default_port: int, info: ValidationInfo[RunContext]) -> str:
    """The text, if the operator lets its host receive a credential."""
    host = host.lower().removesuffix(f":{default_port}")
    if not info.context.operator.trusts(host):
        forbidden = host_forbidden(host, None)
        wrong(forbidden.code, forbidden.summary, forbidden.hint)
    return text


def _token_url(text: str, info: ValidationInfo[RunContext]) -> str:
    url = re.fullmatch(rf"(https?)://({HOST})({_PORT})(?:/[^\s?#]*)?", text)
    if not url:
        summary = Message("not the address of a token endpoint")
        wrong(Code.BAD_URL, summary, Message("Write it as in https://oauth.bitrix.info/oauth/token/."))
    if url[1] == "http" and not is_loopback(url[2]):
        summary = Message("plain http would show the token to everybody on the way")
        wrong(Code.BAD_URL, summary, Message("Write https:// in its place."))
    return _trusted(text, url[2] + (url[3] or ""), 443 if url[1] == "https" else 80, info)


def bounded(name: FieldName) -> Any:
    """The bounds of a managed field's text; what follows in an `Annotated` is checked after them."""
    bound = FIELDS[name].max_length
    return Field(min_length=1, max_length=bound, json_schema_extra={"type": TEXT})  # type: ignore[dict-item]  # JSON


TRIMMED = AfterValidator(trimmed)
Title: TypeAlias = Annotated[str, bounded("title"), AfterValidator(_title)]
Server: TypeAlias = Annotated[str, bounded("server"), _sensible("server")]
Login: TypeAlias = Annotated[str, bounded("login"), _sensible("login")]
Reference: TypeAlias = Annotated[
    SecretRef,
    PlainValidator(reference),
    WithJsonSchema({"pattern": "^[a-z][a-z0-9+.-]*:.+$", "type": "string"}),
]
Identifier: TypeAlias = Annotated[
    SecretRef | str, PlainValidator(identifier), WithJsonSchema({"minLength": 1, "type": "string"})
]
PathInside: TypeAlias = Annotated[str, PlainValidator(path_inside), WithJsonSchema({"minLength": 1, "type": TEXT})]
Version: TypeAlias = Annotated[int, FromText(number), AfterValidator(_version), Field(json_schema_extra={"const": 1})]
Key: TypeAlias = Annotated[str, AfterValidator(_address_part)]
PortalName: TypeAlias = Annotated[
    str, AfterValidator(_portal_name), Field(json_schema_extra={"pattern": f"^{ADDRESS_PART}$"})
]
Domain: TypeAlias = Annotated[str, AfterValidator(_domain)]
TokenUrl: TypeAlias = Annotated[str, AfterValidator(_token_url)]
