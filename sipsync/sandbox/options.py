"""How a sandbox behaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """What `sipsync sandbox serve` can be told."""

    db: str = ":memory:"
    """The SQLite file."""
    seed: Mapping[str, Any] | None = None
    """What the portal without a name holds at first; it replaces what the file has."""
    port: int = 0
    """0: any that is free."""
    apps: tuple[str, ...] = ()
    latency: float = 0.0
    """Seconds that each answer takes longer."""
    bucket: tuple[float, float] | None = None
    """The limit of requests, of each portal and source: how many at once, and a second; None: no limit."""
    faults: tuple[Mapping[str, Any], ...] = ()
    """What every portal begins with."""
    log: Path | None = None
    """One JSON line for each request goes here."""
