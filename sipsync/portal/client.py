"""One Bitrix24 portal over REST: its lines, their registrations, and the way to change them."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from sipsync.model.frames import forgetful
from sipsync.model.lines import Call, CurrentLine, Registration, Snapshot
from sipsync.model.message import Message
from sipsync.portal import rows
from sipsync.portal.credential import Credential
from sipsync.portal.envelope import Answer, Command, Result
from sipsync.portal.protocol import Sent
from sipsync.portal.session import Session
from sipsync.portal.throttle import Throttle
from sipsync.portal.transport import Transport
from sipsync.portal.writes import BatchWriter
from sipsync.rules.limits import BATCH_SIZE, PAGE

READINGS: Final = 3
"""How often a list is read that changes while it is read, before we give up."""
MAX_LINES: Final = 100_000
"""Far more than any portal has."""
MAX_READING: Final = 64 * 1024 * 1024
"""How much one reading of a list may bring; a portal that says whatever it likes could send pages for ever."""


@asynccontextmanager
async def connect(credential: Credential, throttle: Throttle) -> AsyncIterator[RestPortal]:
    """A portal to read and write, until the block ends; nothing is opened until the first request."""
    async with Transport(throttle.clock, credential.app() if credential.app else None) as transport:
        yield RestPortal(Session(transport, credential, throttle))


class RestPortal:
    """What is asked of a portal; fits `protocol.Portal`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._host = session.host
        self._writer = BatchWriter(session)
        self.read_at = 0.0
        """The clock's time when the lines that were read last were asked for; of several requests, the first."""

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, those for tokens included."""
        return self._session.requests

    def grant(self, seconds: float) -> None:
        """Let there be so much time from now on, whatever was given before."""
        self._session.grant(seconds)

    @forgetful
    async def snapshot(self, *, outgoing: bool = False) -> Snapshot:
        """All lines that the credential sees and the names of the whole portal, in as few requests as can be.

        The server has no snapshot: a list that changes while it is read in pages is read again.
        """
        for _ in range(READINGS):
            before = self._session.received
            first, names, *default = await self._session.read_all(
                [rows.page(0), Command("voximplant.line.get"), *([Command("voximplant.line.outgoing.get")] * outgoing)]
            )
            lines = await self._all_pages(first, before)
            if lines is not None:
                self.read_at = min(first.sent_at, names.sent_at)
                return Snapshot(
                    lines=tuple(lines),
                    names=rows.names(names.value, self._host),
                    default_line=rows.default_line(default[0].value) if default else None,
                )
        raise rows.odd(self._host, Message("lists of lines that contradict each other, {count} times", count=READINGS))

    async def _all_pages(self, first: Result, before: int) -> list[CurrentLine] | None:
        """The lines of all pages, by config_id; None as soon as a page does not fit the first one."""
        total = first.total or 0
        if total > MAX_LINES:
            raise rows.odd(self._host, Message("more lines than {most}", most=MAX_LINES))
        lines: dict[int, CurrentLine] = {}
        pages, end = [first], 0
        while pages:
            for page in pages:
                lines |= {line.config_id: line for line in self._lines(page)}
                end = min(end + PAGE, total)
                if page.total != first.total or len(lines) != end:
                    return None
            if self._session.received - before > MAX_READING:
                size = MAX_READING // 1024**2
                raise rows.odd(self._host, Message("more than {size} MiB for one list of lines", size=size))
            starts = range(end, total, PAGE)[:BATCH_SIZE]
            pages = await self._session.read_all([rows.page(start) for start in starts]) if starts else []
        return [lines[key] for key in sorted(lines)]

    def _lines(self, page: Result) -> list[CurrentLine]:
        if not isinstance(page.value, list) or len(page.value) > PAGE:
            raise rows.odd(self._host, Message("a list of lines that is not a list, or longer than a page"))
        return [rows.current_line(row, self._host) for row in page.value]

    @forgetful
    async def lines(self, config_ids: Sequence[int]) -> Mapping[int, CurrentLine]:
        """These lines as they are now; a line that is gone is missing."""
        commands = rows.pages_of(config_ids)
        pages = [await self._session.read(commands[0])] if len(commands) == 1 else await self._read(commands)
        self.read_at = min((page.sent_at for page in pages), default=self.read_at)
        return {line.config_id: line for page in pages for line in self._lines(page)}

    async def _read(self, commands: Sequence[Command]) -> list[Result]:
        """The results of any number of reading commands, as many in a request as a batch takes."""
        results: list[Result] = []
        for place in range(0, len(commands), BATCH_SIZE):
            results += await self._session.read_all(commands[place : place + BATCH_SIZE])
        return results

    @forgetful
    async def statuses(self, reg_ids: Sequence[int]) -> Mapping[int, Registration]:
        """The registrations, asked live, up to 50 in a request; one that the portal can't tell is missing.

        Asking writes the stored status and may notify portal users (server source). Any trouble with the telephony
        operator is told as an unknown registration, so a missing one proves nothing (server source).
        """
        commands = [Command("voximplant.sip.status", {"REG_ID": reg_id}) for reg_id in sorted(set(reg_ids))]
        answers: list[Answer | None] = []
        for place in range(0, len(commands), BATCH_SIZE):
            answers += await self._session.batch(commands[place : place + BATCH_SIZE], halt=False)
        registrations = [rows.registration(one.value, self._host) for one in answers if isinstance(one, Result)]
        return {registration.reg_id: registration for registration in registrations}

    @forgetful
    async def send(
        self, calls: Sequence[Call], read_back: Sequence[int] = (), *, fresh_until: float = math.inf
    ) -> Sent:
        """Send calls in this order, in as few requests as the API allows; says what became of each."""
        return await self._writer.send(calls, read_back, fresh_until)

    # --- what doctor asks ---

    @forgetful
    async def scope(self) -> frozenset[str]:
        """What the credential may use."""
        value = (await self._session.read(Command("scope"))).value
        return frozenset(map(rows.text, value)) if isinstance(value, list) else frozenset()

    @forgetful
    async def server_time(self) -> datetime:
        """The portal's time of day."""
        value = (await self._session.read(Command("server.time"))).value
        try:
            time = datetime.fromisoformat(rows.text(value))
        except ValueError:
            raise rows.odd(self._host, Message("a time that is none")) from None
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    @forgetful
    async def connector_status(self) -> Mapping[str, object]:
        """What is paid for: FREE_MINUTES, PAID."""
        value = (await self._session.read(Command("voximplant.sip.connector.status"))).value
        return value if isinstance(value, dict) else {}
