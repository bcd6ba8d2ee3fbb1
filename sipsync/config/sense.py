"""Slips in a line's server, login and title that nobody sees in a review, and that take a telephone line down."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from sipsync.model.fields import FieldName
from sipsync.model.hosts import PORT
from sipsync.model.lookalike import script, stranger, unseen
from sipsync.model.message import Message

_PARTS = re.compile(r"(?P<host>\[[^\]]*\]|[^:;\[\]]*)(?P<port>:[^;]*)?(?P<parameters>;.*)?", re.DOTALL)
_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_EMPTY = re.compile(r"^\.|(?<=\.)\.|\.$|^$")
"""The dot that has nothing beside it."""
_PARAMETER = re.compile(r"[\w.-]+(=[\w.:\[\]-]+)?")
_OPENING, _CLOSING = "«“„‟‘‚‹\"'`", "»”“‟’‘›\"'`"
_HOST = Message("Write a host name or an IP address alone, or with a port: sip.example.com:5060.")


class Slip(NamedTuple):
    """What is wrong, and where in the text."""

    at: int
    summary: Message
    hint: Message
    error: bool = True


def slips(name: FieldName, text: str) -> Iterator[Slip]:
    """What is wrong with a field's text; a field without a check of its own may be anything."""
    if name in _CHECKS:
        yield from _CHECKS[name](text)


_AS_IPV6 = Message("Write it as in [2001:db8::1]:5060.")
_NO_ADDRESS = Message("neither a host name nor an IP address")


@lru_cache(maxsize=1024)
def _server(text: str) -> tuple[Slip, ...]:
    """All that is wrong with a server; many lines, and many portals, have the same one."""
    return tuple(_of_server(text))


def _of_server(text: str) -> Iterator[Slip]:
    if scheme := re.search(r"\w+://|\bsips?:(?!\d)", text, re.IGNORECASE):
        summary = Message("a SIP server has no {scheme}", scheme=scheme[0].lower())
        yield Slip(scheme.start(), summary, Message("Write the host alone, or host:port."))
        return
    yield from _hidden(text, error=True)
    if quote := re.search("[" + re.escape(_OPENING + _CLOSING) + "]", text):
        yield Slip(quote.start(), Message("a quote mark in a server's name"), Message("Delete the quote mark."))
    elif blank := re.search(r"\s", text):
        yield Slip(blank.start(), Message("a blank in a server's name"), _HOST)
    else:
        yield from _address(text)


def _address(text: str) -> Iterator[Slip]:
    if _is_ip(IPv6Address, text):
        yield Slip(0, Message("an IPv6 address stands in brackets"), _AS_IPV6)
        return
    parts = _PARTS.fullmatch(text)
    if parts is None:
        yield Slip(0, _NO_ADDRESS, _HOST)
        return
    host, port, parameters = parts["host"], parts["port"], parts["parameters"]
    yield from _host(host)
    if port is not None and not re.fullmatch(f":{PORT}", port):
        yield Slip(len(host), Message("not a port"), Message("A port is a number from 1 to 65535."))
    if parameters and not all(_PARAMETER.fullmatch(each) for each in parameters[1:].split(";")):
        hint = Message("Write a parameter as in ;transport=tcp, or leave it out.")
        yield Slip(parts.start("parameters"), Message("not a parameter of a SIP address"), hint)


def _host(host: str) -> Iterator[Slip]:
    labels = host.split(".")
    if host.startswith("["):
        if not _is_ip(IPv6Address, host[1:-1]):
            yield Slip(0, Message("not an IPv6 address"), _AS_IPV6)
    elif empty := _EMPTY.search(host):
        yield Slip(empty.start(), Message("an empty part between the dots of a server's name"), _HOST)
    elif labels[-1].isdigit():
        if not _is_ip(IPv4Address, host):
            yield Slip(0, Message("neither a host name nor an IPv4 address"), _HOST)
    else:
        index = 0
        for label in labels:
            if not _LABEL.fullmatch(label):
                yield Slip(index, _NO_ADDRESS, _HOST)
                return
            yield from _mixed(label, index, error=True)
            index += len(label) + 1


def _is_ip(kind: type[IPv4Address] | type[IPv6Address], text: str) -> bool:
    try:
        kind(text)
    except AddressValueError:
        return False
    return True


def _login(text: str) -> Iterator[Slip]:
    yield from _hidden(text, error=True)
    yield from _in_quotes(text, error=True)
    if blank := re.search(r"[ \t\n]", text):
        yield Slip(blank.start(), Message("a blank in a login"), Message("Delete the blank."), error=False)
    yield from _mixed(text, 0, error=False)


def _title(text: str) -> Iterator[Slip]:
    yield from _hidden(text, error=False)
    yield from _in_quotes(text, error=False)


def _hidden(text: str, *, error: bool) -> Iterator[Slip]:
    index = unseen(text)
    if index is not None:
        summary = Message("a character that can't be seen (U+{code:04X})", code=ord(text[index]))
        yield Slip(index, summary, Message("Type the text anew; it came along when it was copied."), error)


def _in_quotes(text: str, *, error: bool) -> Iterator[Slip]:
    if len(text) > 1 and text[0] in _OPENING and text[-1] in _CLOSING:
        hint = Message("Delete them, unless they are part of it: YAML's own quotes are \" and '.")
        yield Slip(0, Message("quote marks around the text would be part of it"), hint, error)


def _mixed(text: str, offset: int, *, error: bool) -> Iterator[Slip]:
    index = stranger(text)
    if index is not None:
        letter = text[index]
        others = next(name for other in text if (name := script(other)) not in ("", script(letter)))
        summary = Message(
            '"{letter}" is a {script} letter among {others} ones', letter=letter, script=script(letter), others=others
        )
        yield Slip(offset + index, summary, Message("Type it anew with the other keyboard layout."), error)


_CHECKS: Mapping[FieldName, Callable[[str], Iterable[Slip]]] = {"server": _server, "login": _login, "title": _title}
