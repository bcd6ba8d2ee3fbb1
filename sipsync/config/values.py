"""What single values of the file must look like: texts of lines, references, numbers, switches.

Each is a pydantic type that takes text, since that is all that the reader gives. Messages never quote a value that may
be a secret in a wrong place.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo

from sipsync.config.reader.mask import VARIABLE, holds_secret
from sipsync.disk.files import is_device
from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.lines import TEMPORARY_TITLE
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.problems import Code
from sipsync.model.scalars import TEXT, Scalar, number, trimmed, wrong

ADDRESS_PART = r"[A-Za-z0-9][A-Za-z0-9_-]*"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]"
_PORT = "(?::[0-9]{1,5})?"


def _title(text: str) -> str:
    if text.lower().startswith(TEMPORARY_TITLE):  # the server's database ignores letter case
        summary = Message(
            "a title that begins with {prefix} is kept for lines whose titles are being swapped", prefix=TEMPORARY_TITLE
        )
        wrong(Code.TEMPORARY_TITLE, summary, Message("Choose another title."))
    return trimmed(text)


def _server(text: str) -> str:
    if re.search("https?://", text, re.IGNORECASE):
        wrong(
            Code.BAD_VALUE,
            Message("a SIP server has no http:// or https://"),
            Message("Write the host alone, or host:port."),
        )
    return trimmed(text)


_LITERAL = Message("a secret must be a reference, never the value itself")


def _reference(text: str, info: ValidationInfo) -> str:
    schemes = (info.context or {}).get("schemes", ())
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in schemes:
        hint = Message("Write where it is kept: {ways}. If it was in git, change it.", ways=_ways(schemes))
        near = did_you_mean(f"{scheme}:", (f"{each}:" for each in schemes), hint) if colon else hint
        wrong(Code.LITERAL_SECRET, _LITERAL, near)
    if not rest:
        hint = Message('Write what it is called there, as in "{scheme}:NAME".', scheme=scheme)
        wrong(Code.BAD_VALUE, Message('"{scheme}:" names nothing', scheme=scheme), hint)
    if holds_secret(rest) or (scheme == "env" and not re.fullmatch(VARIABLE, rest.strip())):
        hint = Message(
            'After "{scheme}:" comes the name that the secret has there. If the secret was in git, change it.',
            scheme=scheme,
        )
        wrong(Code.LITERAL_SECRET, _LITERAL, hint)
    return trimmed(text)


def _ways(schemes: Any) -> str:
    known = sorted(schemes, key=lambda name: (name != "env", name != "file", name))
    return ", ".join("env:NAME" if name == "env" else f"{name}:…" for name in known) or "env:NAME"


def _identifier(text: str, info: ValidationInfo) -> str:
    return (
        _reference(text, info) if text.partition(":")[0] in (info.context or {}).get("schemes", ()) else trimmed(text)
    )


def _version(number: int) -> int:
    if number != 1:
        hint = Message("This sipsync knows format 1; upgrade it, or write `sipsync: 1`.")
        wrong(Code.BAD_VALUE, Message("an unknown format: {number}", number=number), hint)
    return number


def _address_part(text: str) -> str:
    if not re.fullmatch(ADDRESS_PART, text):
        hint = Message("Use Latin letters, digits, `-` and `_`, a letter or digit first. The title may be any text.")
        wrong(Code.BAD_ADDRESS, Message("a name that can't be part of an address"), hint)
    return text


def _portal_name(text: str) -> str:
    if is_device(text):
        summary = Message('"{name}" is a device on Windows', name=text)
        wrong(Code.BAD_ADDRESS, summary, Message("Give the portal another `name`."))
    return _address_part(text)


def _domain(text: str) -> str:
    if re.fullmatch(f"(?:{_HOST}){_PORT}", text):
        return text
    base = re.fullmatch(rf"https?://({_HOST}){_PORT}(?:/[\w./~-]*)?", text)
    if not base:
        wrong(
            Code.BAD_URL, Message("not the name of a portal"), Message("Write its host alone, as in acme.bitrix24.ru.")
        )
    if base[1] not in LOOPBACK:
        summary = Message("a whole address may stand here for this machine only")
        wrong(Code.BAD_URL, summary, Message("Write the host alone: {host}.", host=base[1]))
    return text


def _token_url(text: str) -> str:
    url = re.fullmatch(rf"(https?)://({_HOST}){_PORT}(?:/[^\s?#]*)?", text)
    if not url:
        wrong(
            Code.BAD_URL,
            Message("not the address of a token endpoint"),
            Message("Write it as in https://oauth.bitrix.info/oauth/token/."),
        )
    if url[1] == "http" and url[2] not in LOOPBACK:
        wrong(
            Code.BAD_URL,
            Message("plain http would show the token to everybody on the way"),
            Message("Write https:// in its place."),
        )
    return text


def bounded(name: FieldName) -> Any:
    """The bounds of a managed field's text; what follows in an `Annotated` is checked after them."""
    bound = FIELDS[name].max_length
    return Field(min_length=1, max_length=bound, json_schema_extra={"type": TEXT})  # type: ignore[dict-item]  # JSON


_REFERENCE = r"^[a-z][a-z0-9+.-]*:.+$"

TRIMMED = AfterValidator(trimmed)
Title: TypeAlias = Annotated[str, bounded("title"), AfterValidator(_title)]
Server: TypeAlias = Annotated[str, bounded("server"), AfterValidator(_server)]
Login: TypeAlias = Annotated[str, bounded("login"), TRIMMED]
Reference: TypeAlias = Annotated[str, AfterValidator(_reference), Field(json_schema_extra={"pattern": _REFERENCE})]
Identifier: TypeAlias = Annotated[str, Field(min_length=1), AfterValidator(_identifier)]
Version: TypeAlias = Annotated[int, Scalar(number), AfterValidator(_version), Field(json_schema_extra={"const": 1})]
Key: TypeAlias = Annotated[str, AfterValidator(_address_part)]
PortalName: TypeAlias = Annotated[
    str, AfterValidator(_portal_name), Field(json_schema_extra={"pattern": f"^{ADDRESS_PART}$"})
]
Domain: TypeAlias = Annotated[str, AfterValidator(_domain)]
TokenUrl: TypeAlias = Annotated[str, AfterValidator(_token_url)]
