"""What a run goes by while it lasts: the time, the wish to stop it, and who hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent, ignore
from sipsync.model.lines import Address


@dataclass(frozen=True, slots=True)
class Control:
    """One for the whole run, all portals."""

    clock: Clock
    on_event: OnEvent = ignore
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    environ: Mapping[str, str] = field(default_factory=dict)
    """What other programs are given of the operator's environment."""
    in_flight: set[Address] = field(default_factory=set)
    """Addresses that were sent and not answered; shared with whoever tells of them at once."""
