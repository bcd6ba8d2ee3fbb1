"""Writing calls in as few requests as the API allows, and what became of each.

Calls share a batch in their order. Where one of them waits for another of the same batch, the batch stops at the
first error; otherwise all of it runs. After any failure nothing more is sent: whoever sends decides what goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sipsync.model.lines import Call, CurrentLine
from sipsync.model.problems import Code, PortalError
from sipsync.portal import envelope
from sipsync.portal.envelope import Answer, Command, Result, ServerError
from sipsync.portal.errors import Overdue, Unanswered
from sipsync.portal.protocol import Done, Lost, Refused, Reply, Sent, Unsent
from sipsync.portal.rows import current_line, made, pages_of
from sipsync.portal.session import ATTEMPTS, Session, is_full
from sipsync.rules.limits import BATCH_SIZE, in_requests

_WHOLE_PORTAL: Final = frozenset(
    {
        Code.CREDENTIAL,
        Code.TOKEN,
        Code.NO_SCOPE,
        Code.SUBSCRIPTION,
        Code.PORTAL_GONE,
        Code.BLOCKED,
        Code.RATE_LIMIT,
        Code.BAD_URL,
    }
)
"""Refusals that are not about one line: no other call would fare better."""
_FAILED_INSIDE: Final = frozenset({"", "ERROR_CORE", "INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER"})
"""Errors with which the server breaks off wherever it is (server source); what has no code says no more than that."""


class BatchWriter:
    """Sends through a session, and remembers how large a batch the portal manages."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.size = BATCH_SIZE
        """Halved after a batch without an answer: the server cuts a request off after 60 seconds (documented)."""

    async def send(self, calls: Sequence[Call], read_back: Sequence[int], fresh_until: float) -> Sent:
        """What became of each call, in their order; and the lines read back, where there was room."""
        commands = [Command(call.method, call.params()) for call in calls]
        requests = in_requests([command.travels_alone for command in commands], self.size)
        replies: list[Reply] = []
        lines = None
        for places in requests:
            some = [commands[place] for place in places]
            extra = pages_of(read_back) if places is requests[-1] and not some[0].travels_alone else []
            if len(some) + len(extra) > self.size:
                extra = []
            ids = {calls[place].id for place in places}
            halt = any(ids.intersection(calls[place].after) for place in places)
            answered, back = await self._request(some, extra, fresh_until, halt=halt)
            replies += answered
            if not all(isinstance(reply, Done) for reply in answered):
                break
            lines = _lines(back, self._session.host)
        replies += [Unsent()] * (len(calls) - len(replies))
        return Sent(tuple(replies), lines)

    async def _request(
        self, commands: Sequence[Command], extra: Sequence[Command], fresh_until: float, *, halt: bool
    ) -> tuple[list[Reply], list[Answer | None]]:
        """Some calls in one request; those that the server surely did not carry out are sent again."""
        if len(commands) == 1 and not extra:
            return [await self._alone(commands[0], fresh_until)], []
        replies: dict[int, Reply] = {}
        pending = list(range(len(commands)))
        back: list[Answer | None] = []
        attempt = 0
        while attempt < ATTEMPTS:
            some = [commands[place] for place in pending]
            try:
                answers = await self._session.batch([*some, *extra], halt=halt, fresh_until=fresh_until)
            except PortalError as error:
                replies |= dict.fromkeys(pending, self._failed(error))
                back = []
                break
            back = answers[len(some) :]
            replies |= dict(zip(pending, self._answered(some, answers, halt=halt), strict=True))
            pending = [place for place in pending if isinstance(replies[place], Unsent)]
            if not pending or any(isinstance(reply, Refused | Lost) or _final(reply) for reply in replies.values()):
                break
            attempt += not any(isinstance(reply, Unsent) and is_full(reply.error) for reply in replies.values())
        if any(isinstance(reply, Refused | Lost) for reply in replies.values()):
            # What passes by itself does not end the run: whoever sends goes on with these calls.
            passing = [place for place, reply in replies.items() if isinstance(reply, Unsent) and not _final(reply)]
            replies |= dict.fromkeys(passing, Unsent())
        return [replies[place] for place in range(len(commands))], back

    async def _alone(self, command: Command, fresh_until: float) -> Reply:
        try:
            return Done(made((await self._session.write(command, fresh_until)).value))
        except PortalError as error:
            return _reply(error)

    def _failed(self, error: PortalError) -> Reply:
        """What became of each call of a batch that failed as a whole."""
        reply = _reply(error, whole_request=True)
        if isinstance(reply, Lost):
            self.size = max(1, self.size // 2)
        return reply

    def _answered(self, commands: Sequence[Command], answers: Sequence[Answer | None], *, halt: bool) -> list[Reply]:
        """What became of each call of a batch that was answered."""
        replies: list[Reply] = []
        stopped = False
        for command, answer in zip(commands, answers, strict=False):
            if answer is None:
                replies.append(Unsent() if stopped else Lost(envelope.missing(self._session.host, command.method)))
                continue
            replies.append(Done(made(answer.value)) if isinstance(answer, Result) else _reply(answer))
            stopped = stopped or (halt and isinstance(answer, PortalError))
        return replies


def _final(reply: Reply) -> bool:
    """Whether something is in the way that waiting does not remove."""
    error = reply.error if isinstance(reply, Unsent) else None
    return error is not None and not (isinstance(error, ServerError) and error.rule.retry == "always")


def _reply(error: PortalError, *, whole_request: bool = False) -> Reply:
    """What an error says about the call. A batch that ends in an unknown error may have carried some calls out."""
    if isinstance(error, Unanswered | Overdue):
        return Unsent() if isinstance(error, Overdue) else Lost(error)
    if not isinstance(error, ServerError) or error.rule.retry == "always" or error.code in _WHOLE_PORTAL:
        return Unsent(error)
    if whole_request:
        return Unsent(error) if error.code is Code.NO_RIGHT else Lost(error)
    return Lost(error) if error.error in _FAILED_INSIDE else Refused(error)


def _lines(back: Sequence[Answer | None], host: str) -> Mapping[int, CurrentLine] | None:
    """The lines read back; None where reading was not asked for, or failed, which must not hide what was written."""
    pages = [answer.value for answer in back if isinstance(answer, Result) and isinstance(answer.value, list)]
    if not back or len(pages) < len(back):
        return None
    try:
        lines = [current_line(row, host) for page in pages for row in page]
    except PortalError:
        return None
    return {line.config_id: line for line in lines}
