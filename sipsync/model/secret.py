"""Secrets and references to secrets.

A `Secret` can be compared and passed on, and nothing else: it has no readable repr, no hash, no pickle, no attribute
that holds it, and neither JSON nor pydantic take it. `model.reveal` is the one door out, and the import contract says
who may use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from sipsync.model.problems import Span

SCHEMES: Final[Mapping[str, str]] = {
    "env": "env:NAME",
    "file": "file:PATH",
    "exec": "exec:NAME or exec:NAME#KEY",
    "sops": "sops:FILE#/json/pointer",
    "vault": "vault:MOUNT/PATH#KEY",
    "keyring": "keyring:SERVICE/USER",
}
"""Our own kinds of references, and how each is written; `secrets/schemes` has a file for each."""
PATH_SCHEMES: Final = ("file", "sops")
"""Those that begin with a path, which a file gives relative to itself."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is to be had: `scheme:rest`, as written in the file. A reference is not secret itself."""

    scheme: str
    rest: str
    at: Span | None = field(default=None, compare=False)
    """Where it was written; not compared, so that a secret used twice is resolved once."""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"

    @property
    def source(self) -> str:
        """What stands before the first `#`: what is opened, run or read."""
        return self.rest.partition("#")[0]

    @property
    def key(self) -> str:
        """What stands after the first `#`: which of the secrets there."""
        return self.rest.partition("#")[2]


class Secret:
    """A value that must never be shown."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        VALUE.__set__(self, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # dear, and a check of files compares no secret

        return compare_digest(VALUE.__get__(self).encode(), VALUE.__get__(other).encode())

    __hash__ = None  # type: ignore[assignment]  # a hash would be an oracle, and a key of a mapping would be shown

    def __bool__(self) -> bool:
        """Whether there is a value at all; an empty one is what the server returns for "none"."""
        return bool(VALUE.__get__(self))

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled: a worker resolves its own")


VALUE: Final[Any] = Secret.__dict__["value"]
"""Where a secret keeps its value; taken out of the class, so that nothing that looks into a secret comes upon it."""
del Secret.value  # type: ignore[attr-defined]

Resolved = Mapping[SecretRef, Secret]
"""What references stand for, resolved once per run."""
