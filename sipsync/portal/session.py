"""One command and its result, whatever it takes: the pace, repetitions, a renewed token, a renamed portal.

A reading command is repeated freely within a budget. A writing one is repeated only where the server surely did
nothing: it could not be reached, or it said so by one of the codes that the rule book marks as safe.
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
from sipsync.portal.errors import Unanswered, Unreached
from sipsync.portal.throttle import Throttle
from sipsync.portal.transport import TOTAL_SECONDS, Response, Transport

ATTEMPTS: Final = 4
_FIRST_WAIT: Final = 0.5
"""Seconds before the first repetition, where the rule book does not say."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_EXPIRED: Final = "expired_token"
_FULL_BUCKET: Final = "QUERY_LIMIT_EXCEEDED"
_OPERATING_TIME: Final = "OPERATION_TIME_LIMIT"


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
        return await self._ask(command, (command.method,), writes=False)

    async def write(self, command: Command) -> Result:
        """The result of a command that changes something; `Unanswered` where it may have been carried out."""
        return await self._ask(command, (command.method,), writes=True)

    async def read_all(self, commands: Sequence[Command]) -> list[Result]:
        """The results of several reading commands in one request, or more where one has to be repeated."""
        results: dict[int, Result] = {}
        attempt = 0
        while len(results) < len(commands):
            attempt += 1
            pending = [place for place in range(len(commands)) if place not in results]
            some = [commands[place] for place in pending]
            error = None
            for place, answer in zip(pending, await self.batch(some, halt=False, writes=False), strict=True):
                if isinstance(answer, Result):
                    results[place] = answer
                    continue
                error = answer or envelope.missing(self.host, commands[place].method)
                if attempt == ATTEMPTS or not _repeatable(error, writes=False):
                    raise error
            if error and error.error not in (_FULL_BUCKET, _OPERATING_TIME):
                await self._throttle.back_off(_first_wait(error), attempt)
        return [results[place] for place in range(len(commands))]

    async def batch(self, commands: Sequence[Command], *, halt: bool, writes: bool) -> list[Answer | None]:
        """What became of several commands in one request; None for one that the answer does not mention.

        Raises where the whole request failed.
        """
        methods = ("batch", *(command.method for command in commands))
        result = await self._ask(envelope.batch(commands, halt=halt), methods, writes=writes)
        answers = envelope.read_batch(result, self.host, commands)
        for command, answer in zip(commands, answers, strict=True):
            if isinstance(answer, Result):
                self._throttle.note(command.method, answer.reset_at)
            elif answer is not None:
                self._obey(answer, command.method, attempt=1)
        return answers

    async def _ask(self, command: Command, methods: Sequence[str], *, writes: bool) -> Result:
        expired: Secret | None = None
        attempt = 0
        while True:
            token = await self._token(expired)
            try:
                response = await self._send(command, methods, envelope.body(command, token))
                result = envelope.read(response, self.host, command.method)
                self._throttle.note(command.method, result.reset_at)
                return result
            except (ServerError, Unreached, Unanswered) as error:
                attempt += 1
                if error.error == _EXPIRED and token is not None and expired is None:
                    expired = token
                elif error.error == _EXPIRED or attempt == ATTEMPTS or not _repeatable(error, writes):
                    raise
                elif not self._obey(error, command.method, attempt):
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

    def _obey(self, error: PortalError, method: str, attempt: int) -> bool:
        """Let the pace obey what an error says; whether it did, so that the next turn waits by itself."""
        if error.error == _FULL_BUCKET:
            self._throttle.pause(_first_wait(error), attempt)
        elif error.error == _OPERATING_TIME:
            self._throttle.block(method)
        else:
            return False
        return True

    async def _send(self, command: Command, methods: Sequence[str], body: bytes) -> Response:
        """One request and its answer; a renamed portal is followed once, and then known."""
        response = await self._post(command, methods, body)
        if response.status in _REDIRECTS:
            self._endpoint = self._endpoint.moved(self._endpoint.target(command.method), response.location)
            response = await self._post(command, methods, body)
            if response.status in _REDIRECTS:
                raise redirects(self.host, Message("again and again"))
        return response

    async def _post(self, command: Command, methods: Sequence[str], body: bytes) -> Response:
        seconds = await self._throttle.turn(methods)
        return await self._transport.send(
            self._endpoint.target(command.method), body, seconds=min(seconds, TOTAL_SECONDS)
        )


def _first_wait(error: PortalError) -> float:
    return (error.rule.wait if isinstance(error, ServerError) else None) or _FIRST_WAIT


def _repeatable(error: PortalError, writes: bool) -> bool:
    if isinstance(error, ServerError):
        return error.rule.retry == "always" or (error.rule.retry == "read" and not writes)
    if isinstance(error, Unreached):
        return error.temporary
    return isinstance(error, Unanswered) and error.temporary and not writes
