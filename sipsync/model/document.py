"""What every public document has in common: frozen, quiet about its input, with one canonical text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_jsonable_python

from sipsync._version import __version__

FORMAT_VERSION = "1.0"
"""A minor step adds keys, a major one changes them."""

Count: TypeAlias = Annotated[int, Field(ge=0)]
Digest: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
PlanId: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]

Seal: TypeAlias = Callable[[bytes], str]
"""A keyed fingerprint (HMAC-SHA256, hex). The key stays inside."""


class Document(BaseModel):
    """Frozen, and quiet about its input in errors: what stands in a wrong place may be a password."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class Report(Document):
    """A document that stands by itself. As JSON it has its versions and what KEYS names, be it a field or a property.

    The JSON Schema is made of the same names and their annotations.
    """

    KEYS: ClassVar[tuple[str, ...]]

    format_version: str = FORMAT_VERSION
    sipsync_version: str = __version__

    def __repr__(self) -> str:
        """The kind alone: asyncio formats what a run returned as it ends, and that may be ten thousand portals."""
        return f"{type(self).__name__}(…)"

    def to_dict(self) -> dict[str, Any]:
        """The document as plain JSON data."""
        names = ("format_version", "sipsync_version", *self.KEYS)
        return {name: to_jsonable_python(getattr(self, name)) for name in names}

    def to_json(self) -> str:
        """The same as a JSON text, in ASCII: a title may hold what no encoding takes."""
        return json.dumps(self.to_dict())


def canonical(value: object) -> bytes:
    """The one JSON text of a value: sorted keys, no blanks, UTF-8; a lone surrogate of the server's passes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def digest_of(value: object) -> str:
    """SHA-256 over the canonical JSON, as hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_of_all(values: Iterable[object]) -> str:
    """The digest of the list of these values in the order of their texts: whatever order they came in."""
    return hashlib.sha256(b"[" + b",".join(sorted(map(canonical, values))) + b"]").hexdigest()
