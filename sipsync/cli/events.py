"""`--json-events`: the stream of events on stdout, one JSON object a line; the report room says what each is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sipsync.cli import streams

if TYPE_CHECKING:
    from sipsync.model.events import Event
    from sipsync.model.outcome import Outcome
    from sipsync.model.plan import Plan
    from sipsync.model.problems import Diagnostic
    from sipsync.report.events import Message, Stream


class EventStream:
    """Writes events as they happen; the one that is not wanted is deaf."""

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

        self._tell(lambda _stream, now: (diagnostic(found, now) for found in diagnostics))

    def _tell(self, messages: Callable[[Stream, datetime], Iterator[Message]]) -> None:
        if self._stream is not None:
            from sipsync.report.events import line_of

            for message in messages(self._stream, datetime.now(UTC)):
                streams.write(line_of(message))
