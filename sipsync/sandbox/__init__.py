"""An emulated Bitrix24 portal that obeys the server's rules, for tests, demos and continuous integration.

Served over HTTP (`serve`), or embedded in this process and kept in a file (`embedded`). Its web server comes with the
extra `sandbox`; everything is imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sipsync.disk.clock import SystemClock
from sipsync.model.clock import Clock
from sipsync.model.message import Message

if TYPE_CHECKING:
    from starlette.applications import Starlette


@dataclass(frozen=True, slots=True)
class Options:
    """How an emulated portal behaves, as `sipsync sandbox serve` can be told."""

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
    keep: bool = True
    """False: begin as the file is, in memory; nothing is created or changed."""
    secret: str | None = None
    """The webhook's; None: a random one that belongs to the file."""


def embedded(path: str, *, clock: Clock, keep: bool) -> Starlette:
    """The emulated portal of a file, empty where there is none yet; `keep` makes one, and stores what is written."""
    app: Starlette = _module("server").create_app(Options(db=path, keep=keep, secret="sandbox"), clock)  # noqa: S106  # no socket leads there
    return app


def serve(options: Options, announce: Callable[[str], None] = print, clock: Clock = SystemClock()) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets one JSON line once it listens."""
    _module("serving").serve(options, announce, clock)


def seed_portal(path: str, seed: Mapping[str, Any], portal: str = "") -> int:
    """Put what a seed describes in the place of all that the file's portal holds; the number of its lines."""
    from sipsync.sandbox import seeds
    from sipsync.sandbox.store import Store

    loaded = seeds.load_seed(portal, seed)
    with closing(Store(path)) as store, store.writing():
        store.replace(loaded)
    return len(loaded.state.rows)


def dump_portal(path: str, portal: str = "") -> dict[str, Any]:
    """Everything that the file's portal holds, as a seed."""
    from sipsync.sandbox import seeds
    from sipsync.sandbox.store import Store

    with closing(Store(path, keep=False)) as store:
        return seeds.dump(store.portal(portal))


def _module(name: str) -> ModuleType:
    """A module that needs the web server."""
    from importlib import import_module

    from sipsync.disk.extras import how_to_install
    from sipsync.model.problems import Code, Diagnostic, SipsyncError

    try:
        return import_module(f"sipsync.sandbox.{name}")
    except ModuleNotFoundError as error:
        summary = Message("an emulated portal needs {name}, which is not installed", name=error.name)
        raise SipsyncError(Diagnostic(Code.EXTRA_MISSING, summary, hint=how_to_install("sandbox"))) from None
