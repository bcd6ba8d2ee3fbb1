"""What a caller may ask of a plan and of an apply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sipsync.model.clock import Clock
from sipsync.model.plan import Selection
from sipsync.portal.clock import SystemClock


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What to plan, and how."""

    portals: tuple[str, ...] = ()
    """Globs of portal names; none: all."""
    lines: tuple[str, ...] = ()
    """Globs of addresses or keys; none: all."""
    exclude: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    """Findings that may pass, each by name: `max-changes:acme`."""
    reregister: tuple[str, ...] = ()
    """Addresses of lines to register again although nothing differs."""
    secrets: bool = True
    """False compares no passwords and reads no secret but the credential."""
    no_ops: bool = False
    """Lists the lines that do not differ as well."""
    against: Path | None = None
    """A saved state to compare with: no socket is opened and no secret is read."""
    max_age: timedelta = timedelta(days=1)
    """How old the saved state may be."""
    parallel: int = 16
    timeout: float = 900.0
    """Seconds for each portal."""
    clock: Clock = SystemClock()

    @property
    def selection(self) -> Selection:
        """What of it becomes a part of the plan."""
        return Selection(
            lines=self.lines,
            exclude=self.exclude,
            allow=self.allow,
            reregister=self.reregister,
            secrets=self.secrets,
        )


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply."""

    dry_run: bool = False
    strict: bool = False
    """One stale line anywhere, and nothing at all is touched."""
    max_failures: int = 10
    """For each portal."""
    wait: float = 0.0
    """Seconds to ask after registrations; 0 does not ask."""
    canary: bool = False
    check_command: tuple[str, ...] | None = None
    parallel: int = 16
    timeout: float = 900.0
    """Seconds for each portal."""
    lock_timeout: float = 60.0
    max_plan_age: timedelta = timedelta(days=7)
    expect: str | None = None
    """The digest (or its first 16 digits) of the plan that was approved."""
    clock: Clock = SystemClock()
