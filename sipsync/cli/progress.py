"""What is going on, on stderr while it goes on: moving on a terminal, plain lines for what matters elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sipsync.cli import streams
from sipsync.model.events import (
    Event,
    LineDone,
    LineStarted,
    OnEvent,
    PortalDone,
    PortalStarted,
    Stopping,
    Waiting,
    ignore,
)
from sipsync.model.operator import Operator

if TYPE_CHECKING:
    from rich.text import Text

    from sipsync.cli.session import Session

_LONG_WAIT = 2.0
"""Seconds; shorter waits are not worth a line."""
_DONE = {"create": "created", "update": "updated", "delete": "deleted"}
_WORK = {"plan": "Reading", "read": "Reading", "apply": "Applying"}


@contextmanager
def progress(session: Session, total: int, events: OnEvent = ignore) -> Iterator[OnEvent]:
    """What to give as `on_event` while work on so many portals goes on; `events` hears it all as well."""

    def both(event: Event) -> None:
        events(event)
        draw(event)

    draw: OnEvent
    if sys.stderr.isatty() and session.environ.get("TERM") != "dumb" and not Operator(environ=session.environ).ci:
        with _Live(session, total) as draw:
            yield both
    else:
        draw = _Plain(session)
        yield both


def told(event: Event) -> str | None:
    """The line that an event is worth where lines can't be taken back."""
    match event:
        case LineDone(address, action, ok):
            return f"{address}: {_DONE[action] if ok else f'{action} failed'}"
        case Waiting(portal, seconds, reason) if seconds > _LONG_WAIT:
            return f"{portal}: waiting {seconds:.0f} s ({reason})"
        case Stopping(in_flight) if in_flight:
            return f"Stopping. Sent and not answered yet: {', '.join(in_flight)}. Nothing more is sent."
        case Stopping():
            return "Stopping. Nothing is under way, nothing more is sent."
        case _:
            return None


class _Plain:
    """A line for what matters; beside a JSON document only what a signal came upon."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, event: Event) -> None:
        line = told(event)
        if line and (isinstance(event, Stopping) or not self._session.json):
            self._session.say(line)


class _Live:
    """One moving line: portals done, failed and waiting, and what is being done now."""

    def __init__(self, session: Session, total: int) -> None:
        from rich.console import Console
        from rich.live import Live

        self._session = session
        self._total = total
        self._done = 0
        self._failed = 0
        self._waiting: dict[str, str] = {}
        self._now = ""
        self._lock = threading.Lock()
        console = Console(
            stderr=True,
            force_terminal=True,
            no_color=not session.in_color(err=True),
            width=streams.width(session.environ, terminal=True),
        )
        self._live = Live(
            console=console,
            get_renderable=self._line,
            transient=True,
            refresh_per_second=8,
            redirect_stdout=False,  # events for programs go there
            redirect_stderr=False,
        )

    def __enter__(self) -> _Live:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take note of an event; failures and waits that last are printed above the moving line as well."""
        with self._lock:
            self._note(event)
        line = told(event)
        if line and not (isinstance(event, LineDone) and event.ok):
            self._live.console.print(line, markup=False, highlight=False, emoji=False)

    def _note(self, event: Event) -> None:
        match event:
            case PortalStarted(portal, work):
                self._now = f"{_WORK[work]} {portal}"
            case PortalDone(portal, failed):
                self._done += 1
                self._failed += failed
                self._waiting.pop(portal, None)
            case Waiting(portal, seconds, reason):
                self._waiting[portal] = f"{portal} waits {seconds:.0f} s ({reason})"
            case LineStarted(address, action):
                self._waiting.pop(address.portal, None)
                self._now = f"{address}: {action}"
            case LineDone(address, action, ok):
                self._now = f"{address}: {_DONE[action] if ok else f'{action} failed'}"
            case Stopping():
                self._now = "stopping"

    def _line(self) -> Text:
        from rich.text import Text

        with self._lock:
            parts = [f"{self._done}/{self._total} portals" if self._total > 1 else "", self._now]
            if self._failed:
                parts.insert(1, f"{self._failed} failed")
            parts += list(self._waiting.values())[:2]
        return Text(" · ".join(filter(None, parts)) or "Starting", no_wrap=True, overflow="ellipsis")
