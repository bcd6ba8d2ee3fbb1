"""Marked secrets, every shape in which one could hide, and the search for them in whatever a run left behind."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_AWKWARD = ' &"<é>/+%=\\$'
"""What encodings write differently; in the middle of a secret, as the server trims its ends."""
_PLAIN = "-_"
"""What may stand in an address or a header as it is."""
_SKIPPED = {0: 0, 1: 2, 2: 3}
"""Bytes before a secret in a base64 text → signs at its beginning that depend on them."""


@dataclass(frozen=True)
class Canary:
    """A secret that no other text resembles.

    Its two ends are letters and digits, which no escaping changes (URL, JSON, HTML, repr), and each betrays it alone.
    """

    name: str
    head: str
    middle: str
    tail: str

    @property
    def value(self) -> str:
        """The secret itself."""
        return self.head + self.middle + self.tail

    @cached_property
    def forms(self) -> Mapping[str, bytes]:
        """Each shape that gives it away, by name."""
        return dict((*_partial("head", self.head), *_partial("tail", self.tail), *_whole(self.value.encode())))


def canary(name: str, *, plain: bool = False) -> Canary:
    """A new canary; a plain one holds only what may stand in an address or a header."""
    return Canary(name, f"C{secrets.token_hex(7)}", _PLAIN if plain else _AWKWARD, f"{secrets.token_hex(7)}Z")


def _partial(name: str, text: str) -> Iterator[tuple[str, bytes]]:
    yield name, text.encode()
    yield f"{name}, reversed", text[::-1].encode()
    yield f"{name}, in hexadecimal", text.encode().hex().encode()
    yield f"{name}, in UTF-16", text.encode("utf-16-le")


def _whole(data: bytes) -> Iterator[tuple[str, bytes]]:
    for offset, skipped in _SKIPPED.items():
        coded = base64.b64encode(b"\0" * offset + data)
        whole = (offset + len(data)) * 4 // 3  # the signs after these depend on what follows
        yield from _both_alphabets(f"base64 at {offset}", coded[skipped:whole])
    for algorithm in ("md5", "sha1", "sha256"):
        digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
        yield f"{algorithm}, in hexadecimal", digest.hex().encode()
        yield f"{algorithm}, in capitals", digest.hex().upper().encode()
        yield from _both_alphabets(f"{algorithm}, in base64", base64.b64encode(digest).rstrip(b"="))


def _both_alphabets(name: str, coded: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, coded
    yield f"{name}, for URLs", coded.translate(bytes.maketrans(b"+/", b"-_"))


class Hit(NamedTuple):
    """A secret that was found, and what stands around it."""

    where: str
    canary: str
    form: str
    around: str


def search(canaries: Iterable[Canary], where: str, data: bytes) -> list[Hit]:
    """All secrets in these bytes, in all their shapes."""
    return [
        Hit(where, one.name, name, data[max(0, found.start() - 60) : found.end() + 20].decode(errors="replace"))
        for one in canaries
        for name, form in one.forms.items()
        if form in data
        for found in re.finditer(re.escape(form), data)
    ]
