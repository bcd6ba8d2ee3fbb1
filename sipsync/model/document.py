"""What every public document has in common: frozen, quiet about its input, with one canonical text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

from sipsync.model.problems import Diagnostic

FORMAT_VERSION = "1.0"
"""A minor step adds keys, a major one changes them."""

Seal: TypeAlias = Callable[[bytes], str]
"""A keyed fingerprint (HMAC-SHA256, hex). The key stays inside."""


class Document(BaseModel):
    """Frozen, and quiet about its input in errors: what stands in a wrong place may be a password."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Diagnostics(Document):
    diagnostics: tuple[Diagnostic, ...]


def diagnostic_json(found: Diagnostic) -> dict[str, Any]:
    """A finding as plain JSON data."""
    dumped: dict[str, Any] = _Diagnostics(diagnostics=(found,)).model_dump(mode="json")["diagnostics"][0]
    return dumped


def canonical(value: object) -> bytes:
    """The one JSON text of a value: sorted keys, no blanks, UTF-8; a lone surrogate of the server's passes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def digest_of(value: object) -> str:
    """SHA-256 over the canonical JSON, as hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
