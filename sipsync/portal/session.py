"""One command and its result, whatever it takes: the pace, repetitions, a renewed token, a renamed portal.

A reading command is repeated freely within a budget. A writing one is repeated only where the server surely did
nothing: it could not be reached, or it said so by one of the codes that the rule book marks as safe. A full bucket is
waited out as long as there is time: others use the portal as well. What writes says until when (the clock's time) that
with which it was compared is fresh; where its turn comes later, nothing is sent and `Overdue` is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sipsync.model.message import Message
from sipsync.model.problems import PortalError, SipsyncError
from sipsync.model.secret import Secret
from sipsync.portal import envelope
from sipsync.portal.credential import Credential
from sipsync.portal.endpoint import redirects
from sipsync.portal.envelope import Answer, Command, Result, ServerError
from sipsync.portal.errors import Overdue, Unanswered, Unreached
from sipsync.portal.throttle import FULL_BUCKET, OPERATING_TIME, Throttle
from sipsync.portal.transport import CONNECT_SECONDS, TOTAL_SECONDS, Response, Transport

ATTEMPTS: Final = 4
_COARSE: Final = 0.01
_FIRST_WAIT: Final = 0.5
"""Seconds before the first repetition, where the rule book does not say."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_EXPIRED: Final = "expired_token"


class Session:
    """A portal's REST API with one credential."""

    def __init__(self, transport: Transport, credential: Credential, throttle: Throttle) -> None:
        self.host = credential.endpoint.name
        self._transport = transport
        self._tokens = credential.tokens
        self._endpoint = credential.endpoint
        self._throttle = throttle

    @property
    def requests(self) -> int:
        """HTTP requests sent so far."""
        return self._transport.requests

    @property
    def received(self) -> int:
        """Bytes of all answers so far, unpacked."""
        return self._transport.received

    def grant(self, seconds: float) -> None:
        """Let there be so much time from now on, whatever was given before."""
        self._throttle.grant(seconds)

    async def read(self, command: Command) -> Result:
        """The result of a command that changes nothing."""
        return await self._ask(command, (command.method,))

    async def write(self, command: Command, fresh_until: float) -> Result:
        """The result of a command that changes something; `Unanswered` where it may have been carried out."""
        return await self._ask(command, (command.method,), fresh_until)

    async def read_all(self, commands: Sequence[Command]) -> list[Result]:
        """The results of several reading commands in one request, or more where one has to be repeated."""
        results: dict[int, Result] = {}
        attempt = 0
        while len(results) < len(commands):
            pending = [place for place in range(len(commands)) if place not in results]
            some = [commands[place] for place in pending]
            error = None
            for place, answer in zip(pending, await self.batch(some, halt=False), strict=True):
                if isinstance(answer, Result):
                    results[place] = answer
                    continue
                error = answer or envelope.missing(self.host, commands[place].method)
                if (attempt + 1 == ATTEMPTS and not is_full(error)) or not _repeatable(error, writes=False):
                    raise error
            if error and not is_full(error):
                attempt += 1
                if error.error != OPERATING_TIME:
                    await self._throttle.back_off(_first_wait(error), attempt)
        return [results[place] for place in range(len(commands))]

    async def batch(
        self, commands: Sequence[Command], *, halt: bool, fresh_until: float | None = None
    ) -> list[Answer | None]:
        """What became of several commands in one request; None for one that the answer does not mention.

        `fresh_until` is given where some of them write. Raises where the whole request failed.
        """
        methods = ("batch", *(command.method for command in commands))
        result = await self._ask(envelope.batch(commands, halt=halt), methods, fresh_until)
        answers = envelope.read_batch(result, self.host, commands)
        for command, answer in zip(commands, answers, strict=True):
            if isinstance(answer, Result):
                self._throttle.note(command.method, answer.reset_at)
            elif answer is not None:
                self._throttle.obey(answer.error, _first_wait(answer), command.method)
        return answers

    async def _ask(self, command: Command, methods: Sequence[str], fresh_until: float | None = None) -> Result:
        expired: Secret | None = None
        attempt = 0
        while True:
            token = await self._token(expired)
            try:
                response = await self._send(command, methods, envelope.body(command, token), fresh_until)
                result = envelope.read(response, self.host, command.method)
                self._throttle.note(command.method, result.reset_at)
                return result
            except (ServerError, Unreached, Unanswered) as error:
                attempt += not is_full(error)
                if error.error == _EXPIRED and token is not None and expired is None:
                    expired = token
                elif (
                    error.error == _EXPIRED
                    or attempt == ATTEMPTS
                    or not _repeatable(error, writes=fresh_until is not None)
                ):
                    raise
                elif not self._throttle.obey(error.error, _first_wait(error), command.method):
                    await self._throttle.back_off(_first_wait(error), attempt)

    async def _token(self, expired: Secret | None) -> Secret | None:
        """What an application's requests carry: a token other than the one that has expired."""
        try:
            return await self._tokens.token(self._transport, expired) if self._tokens else None
        except PortalError:
            raise
        except SipsyncError as error:
            # Trouble with a reference or a folder stops this portal as the server's own would.
            raise PortalError(error.diagnostics[0]) from None

    async def _send(self, command: Command, methods: Sequence[str], body: bytes, fresh_until: float | None) -> Response:
        """One request and its answer; a renamed portal is followed once, and then known."""
        response = await self._post(command, methods, body, fresh_until)
        if response.status in _REDIRECTS:
            self._endpoint = self._endpoint.moved(self._endpoint.target(command.method), response.location)
            response = await self._post(command, methods, body, fresh_until)
            if response.status in _REDIRECTS:
                raise redirects(self.host, Message("again and again"))
        return response

    async def _post(self, command: Command, methods: Sequence[str], body: bytes, fresh_until: float | None) -> Response:
        now, seconds = await self._throttle.turn(methods, fresh_until)
        connect = CONNECT_SECONDS
        if fresh_until is not None:  # a timer may be early by as much as clocks are coarse
            connect = min(connect, fresh_until - now + _COARSE)
        target, seconds = self._endpoint.target(command.method), min(seconds, TOTAL_SECONDS)
        try:
            return await self._transport.send(target, body, seconds=seconds, connect=connect)
        except Unreached:
            if fresh_until is not None and self._throttle.clock.monotonic() > fresh_until:
                raise Overdue(self.host) from None
            raise


def is_full(error: PortalError | None) -> bool:
    """Whether the portal's bucket was full: that is waited out, whoever fills it."""
    return error is not None and error.error == FULL_BUCKET


def _first_wait(error: PortalError) -> float:
    return (error.rule.wait if isinstance(error, ServerError) else None) or _FIRST_WAIT


def _repeatable(error: PortalError, *, writes: bool) -> bool:
    if isinstance(error, ServerError):
        return error.rule.retry == "always" or (error.rule.retry == "read" and not writes)
    if isinstance(error, Unreached):
        return error.temporary
    return isinstance(error, Unanswered) and error.temporary and not writes
