"""Marked secrets, every shape in which one could hide, and the search for them in whatever a run left behind."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import quote, quote_plus

_AWKWARD = ' &"<é>/+%=\\$'
"""What each encoding writes differently; in the middle of a secret, as the server trims its ends."""
_ALIGNMENT = {0: 0, 1: 2, 2: 3}
"""Bytes before a secret in a base64 text → signs at its beginning that depend on them."""


@dataclass(frozen=True)
class Canary:
    """A secret that no other text resembles; its head alone, of letters and digits, betrays a part of it."""

    name: str
    value: str
    head: str

    @cached_property
    def forms(self) -> Mapping[str, bytes]:
        """Each shape that gives it away, by name."""
        return {"head": self.head.encode(), "head reversed": self.head[::-1].encode(), **dict(_forms(self.value))}


def canary(name: str, *, plain: bool = False) -> Canary:
    """A new canary; a plain one holds only what may stand in an address or a header."""
    head = f"C{secrets.token_hex(7)}"
    return Canary(name, head + ("-_Z9" if plain else f"{_AWKWARD}Z9"), head)


def _forms(value: str) -> Iterator[tuple[str, bytes]]:
    data = value.encode()
    escaped = json.dumps(value)[1:-1]
    yield "as it is", data
    yield "reversed", value[::-1].encode()
    yield "for a URL", quote(value, safe="").encode()
    yield "for a URL, slashes kept", quote(value).encode()
    yield "for a form", quote_plus(value).encode()
    yield "for a form, slashes kept", quote_plus(value, safe="/").encode()
    yield "in JSON", escaped.encode()
    yield "in JSON, not ASCII", json.dumps(value, ensure_ascii=False)[1:-1].encode()
    yield "in JSON for HTML", _many(escaped, {"&": r"\u0026", "<": r"\u003c", ">": r"\u003e"}).encode()
    yield "in HTML", html.escape(value).encode()
    yield "in HTML by numbers", _many(value, {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;"}).encode()
    yield "in hexadecimal", data.hex().encode()
    yield "in UTF-16", value.encode("utf-16-le")
    for offset, skipped in _ALIGNMENT.items():
        coded = base64.b64encode(b"\0" * offset + data)
        whole = (offset + len(data)) * 4 // 3  # what follows in the text decides the signs after these
        yield f"in base64 at {offset}", coded[skipped:whole]
        yield f"in base64 for URLs at {offset}", coded[skipped:whole].translate(bytes.maketrans(b"+/", b"-_"))
    for algorithm in ("md5", "sha1", "sha256"):
        digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
        yield f"{algorithm} in hexadecimal", digest.hex().encode()
        yield f"{algorithm} in capitals", digest.hex().upper().encode()
        yield f"{algorithm} in base64", base64.b64encode(digest).rstrip(b"=")
        yield f"{algorithm} in base64 for URLs", base64.urlsafe_b64encode(digest).rstrip(b"=")


def _many(text: str, instead: Mapping[str, str]) -> str:
    return "".join(instead.get(sign, sign) for sign in text)


class Hit(NamedTuple):
    """A secret that was found, and what stands around it."""

    where: str
    canary: str
    form: str
    around: str


def search(canaries: Iterable[Canary], where: str, data: bytes) -> list[Hit]:
    """All secrets in these bytes, in all their shapes."""
    return [
        Hit(where, one.name, name, data[max(0, at - 60) : at + 60].decode(errors="replace"))
        for one in canaries
        for name, form in one.forms.items()
        if (at := data.find(form)) >= 0
    ]
