"""What an operator may ask of a plan and of an apply. Options travel as they are, from the command line to the work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from sipsync.model.globs import fits
from sipsync.model.lines import Address
from sipsync.model.problems import Code

if TYPE_CHECKING:
    from sipsync.model.snapshot import SavedState


def matches(address: Address, globs: tuple[str, ...]) -> bool:
    """Whether any glob names the line by its address or its key."""
    return any(fits(name, glob) for glob in globs for name in (address, address.key))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines, and what of them; a part of the plan, so that apply does the same."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    lines: tuple[str, ...] = ()
    """Globs of addresses or keys; none: all."""
    exclude: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    """Findings that may pass, each by name: `max-changes:acme`."""
    reregister: tuple[str, ...] = ()
    """Addresses of lines to register again although nothing differs."""
    secrets: bool = True
    """False compares no passwords and reads no secret but the credential."""

    def selects(self, address: Address) -> bool:
        """Whether `--line` and `--exclude` leave this line in."""
        return (not self.lines or matches(address, self.lines)) and not matches(address, self.exclude)

    def allows(self, code: Code, address: Address | str | None) -> bool:
        """Whether the operator lets this one finding pass (`--allow CODE:ADDRESS`)."""
        return f"{code}:{address}" in self.allow


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What to plan, and how."""

    portals: tuple[str, ...] = ()
    """Globs of portal names; none: all."""
    selection: Selection = Selection()
    no_ops: bool = False
    """Lists the lines that do not differ as well."""
    against: SavedState | None = None
    """What to compare with: no socket is opened and no secret is read."""
    max_age: timedelta = timedelta(days=1)
    """How old the saved state may be."""
    parallel: int = 16
    timeout: float = 900.0
    """Seconds for each portal."""


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
    must_register: bool = True
    """Whether a registration that is not confirmed within that time is a failure; one that fails always is."""
    canary: bool = False
    check_command: tuple[str, ...] | None = None
    parallel: int = 16
    timeout: float = 900.0
    """Seconds for each portal."""
    lock_timeout: float = 60.0
    max_plan_age: timedelta = timedelta(days=7)
    allow: tuple[str, ...] = ()
    """Findings that may pass, besides those that the plan was made with."""
    expect: str | None = None
    """The digest (or its first 16 digits) of the saved plan that was approved."""
    expect_changes: str | None = None
    """The digest of the changes that were approved, be it on a plan against a snapshot (`Plan.changes_digest`)."""
