"""What is going on, while it goes on: for people on stderr, for programs as JSON on stdout (`--json-events`).

On a terminal one line moves; elsewhere what matters is a line of its own. The report room says what each event is worth
to programs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sipsync.cli.session import Session, width, write
from sipsync.disk.clock import SystemClock
from sipsync.model.environ import in_ci
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
from sipsync.model.message import Message

if TYPE_CHECKING:
    from rich.text import Text

    from sipsync.model.outcome import Outcome
    from sipsync.model.plan import Plan
    from sipsync.model.problems import Diagnostic
    from sipsync.report.events import Stream

_LONG_WAIT = 2.0
"""Seconds; shorter waits are not worth a line."""
_READING = Message("Reading")
_WORK = {"plan": _READING, "read": _READING, "apply": Message("Applying")}


@contextmanager
def progress(session: Session, total: int, events: OnEvent = ignore) -> Iterator[OnEvent]:
    """What to give as `on_event` while work on so many portals goes on; `events` hears it all as well."""

    def both(event: Event) -> None:
        events(event)
        draw(event)

    draw: OnEvent
    if sys.stderr.isatty() and session.environ.get("TERM") != "dumb" and not in_ci(session.environ):
        with _Live(session, total) as draw:
            yield both
    else:
        draw = _Plain(session, total)
        yield both


def _line_of(event: Event, total: int) -> Message | None:
    """The line that an event is worth where lines can't be taken back. Of one portal, the result says enough."""
    match event:
        case LineDone(ok=False):  # what went well, the result tells
            return _done(event)
        case PortalDone(portal, failed=True) if total > 1:
            return Message("{portal}: failed", portal=portal)
        case Waiting(portal, seconds, reason) if seconds > _LONG_WAIT:
            return Message(
                "{portal}: waiting {seconds:.0f} s ({reason})", portal=portal, seconds=seconds, reason=reason
            )
        case Stopping(in_flight) if in_flight:
            sent = ", ".join(in_flight)
            return Message("Stopping. Sent and not answered yet: {sent}. Nothing more is sent.", sent=sent)
        case Stopping():
            return Message("Stopping. Nothing is under way, nothing more is sent.")
        case _:
            return None


def _done(event: LineDone) -> Message:
    from sipsync.report.wording import ACTIONS

    if not event.ok:
        return Message("{address}: {action} failed", address=event.address, action=event.action)
    return Message("{address}: {done}", address=event.address, done=ACTIONS[event.action].done)


class _Plain:
    """A line for what matters; beside a JSON document only what a signal came upon."""

    def __init__(self, session: Session, total: int) -> None:
        self._session = session
        self._total = total

    def __call__(self, event: Event) -> None:
        line = _line_of(event, self._total)
        if line and (isinstance(event, Stopping) or not self._session.json):
            self._session.say(line)


class _Live:
    """One moving line: portals done, failed and waiting, and what is being done now."""

    def __init__(self, session: Session, total: int) -> None:
        from rich.console import Console
        from rich.live import Live

        self._total = total
        self._ended = 0
        self._failed = 0
        self._waiting: dict[str, Message] = {}
        self._now = Message()
        self._lock = threading.Lock()
        console = Console(
            stderr=True,
            force_terminal=True,
            no_color=not session.in_color(err=True),
            width=width(session.environ, terminal=True),
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
        if line := _line_of(event, self._total):
            self._live.console.print(line, markup=False, highlight=False, emoji=False)

    def _note(self, event: Event) -> None:
        match event:
            case PortalStarted(portal, work):
                self._now = Message("{work} {portal}", work=_WORK[work], portal=portal)
            case PortalDone(portal, failed):
                self._ended += 1
                self._failed += failed
                self._waiting.pop(portal, None)
            case Waiting(portal, seconds, reason):
                wait = Message(
                    "{portal} waits {seconds:.0f} s ({reason})", portal=portal, seconds=seconds, reason=reason
                )
                self._waiting[portal] = wait
            case LineStarted(address, action):
                self._waiting.pop(address.portal, None)
                self._now = Message("{address}: {action}", address=address, action=action)
            case LineDone():
                self._now = _done(event)
            case Stopping():
                self._now = Message("stopping")

    def _line(self) -> Text:
        from rich.text import Text

        with self._lock:
            portals = Message("{ended}/{total} portals", ended=self._ended, total=self._total)
            failed = Message("{failed} failed", failed=self._failed)
            parts = [portals if self._total > 1 else "", failed if self._failed else "", self._now]
            parts += list(self._waiting.values())[:2]
        return Text(" · ".join(filter(None, parts)) or Message("Starting"), no_wrap=True, overflow="ellipsis")


class EventStream:
    """`--json-events`: writes events as they happen; the one that is not wanted is deaf."""

    def __init__(self, *, wanted: bool) -> None:
        self._stream: Stream | None = None
        if wanted:
            from sipsync.report.events import Stream

            self._stream = Stream()
            self._tell(lambda stream, now: iter([stream.version(now)]))

    def __call__(self, event: Event) -> None:
        """Write what an event is worth."""
        self._tell(lambda stream, now: stream.event(event, now))

    def planned(self, plan: Plan) -> None:
        """Write the changes of a plan, its findings and its counts."""
        self._tell(lambda stream, now: stream.plan(plan, now))

    def applied(self, outcome: Outcome) -> None:
        """Write the findings of an apply and its counts."""
        self._tell(lambda stream, now: stream.outcome(outcome, now))

    def failed(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        """Write why there is nothing more."""
        from sipsync.report.events import diagnostic

        self._tell(lambda _stream, now: (diagnostic(reason, now) for reason in diagnostics))

    def _tell(self, messages: Callable[[Stream, datetime], Iterator[dict[str, Any]]]) -> None:
        if self._stream is not None:
            from sipsync.report.events import line_of

            for message in messages(self._stream, SystemClock().now()):
                write(line_of(message))
