"""One command and its result, whatever it takes: the pace, repetitions, a renewed token, a renamed portal.

A reading command is repeated freely within a budget. A writing one is repeated only where the server surely did
nothing: it could not be reached, or it said so by one of the codes that the rule book marks as safe.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, PortalError, SipsyncError
from sipsync.portal import endpoint as endpoints
from sipsync.portal import envelope
from sipsync.portal.envelope import Answer, Command, Result, ServerError
from sipsync.portal.errors import Unanswered, Unreached
from sipsync.portal.transport import TOTAL_SECONDS, Response, Transport

if TYPE_CHECKING:
    from sipsync.model.clock import Clock
    from sipsync.model.operator import Operator
    from sipsync.portal.auth import Credential
    from sipsync.portal.endpoint import Endpoint
    from sipsync.portal.throttle import Throttle

T = TypeVar("T")

ATTEMPTS: Final = 4
FIRST_WAIT: Final = 0.5
"""Seconds before the first repetition; doubled for each further one, and up to a quarter added by chance."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
EXPIRED: Final = "expired_token"
FULL_BUCKET: Final = "QUERY_LIMIT_EXCEEDED"
OPERATING_TIME: Final = "OPERATION_TIME_LIMIT"


class Session:
    """A portal's REST API with one credential."""

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        credential: Credential,
        operator: Operator,
        *,
        throttle: Throttle,
        clock: Clock,
        deadline: float | None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.host = endpoint.name
        self._transport = transport
        self._endpoint = endpoint
        self._credential = credential
        self._operator = operator
        self._throttle = throttle
        self._clock = clock
        self._deadline = deadline
        self._chance = chance

    @property
    def requests(self) -> int:
        """HTTP requests sent so far."""
        return self._transport.requests

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
            if error and error.error not in (FULL_BUCKET, OPERATING_TIME):
                await self._throttle.wait(self._pause(error, attempt), "retry", self._deadline, self.host)
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
                self._throttle.seen(command.method, answer.reset_at)
            elif answer is not None:
                self._note(answer, command.method, attempt=1)
        return answers

    async def _ask(self, command: Command, methods: Sequence[str], *, writes: bool) -> Result:
        renewed = False
        attempt = 0
        while True:
            used = await _as_portal_error(self._credential.parameters())
            try:
                response = await self._send(command, methods, envelope.body(command, used))
                result = envelope.read(response, self.host, command.method)
                self._throttle.seen(command.method, result.reset_at)
                return result
            except (ServerError, Unreached, Unanswered) as error:
                attempt += 1
                if error.error == EXPIRED and not renewed:
                    renewed = True
                    await _as_portal_error(self._credential.renew(used))
                elif error.error == EXPIRED or attempt == ATTEMPTS or not _repeatable(error, writes):
                    raise
                elif not self._note(error, command.method, attempt):
                    seconds = self._pause(error, attempt)
                    await self._throttle.wait(seconds, "retry", self._deadline, self.host)

    def _note(self, error: PortalError, method: str, attempt: int) -> bool:
        """Let the pace obey what an error says; whether it did, so that the next turn waits by itself."""
        if error.error == FULL_BUCKET:
            self._throttle.pause(self._pause(error, attempt))
        elif error.error == OPERATING_TIME:
            self._throttle.block(method)
        else:
            return False
        return True

    def _pause(self, error: PortalError, attempt: int) -> float:
        told = error.rule.wait if isinstance(error, ServerError) else None
        growth: float = 2 ** (attempt - 1)
        return (told or FIRST_WAIT) * growth * (1 + self._chance() / 4)

    async def _send(self, command: Command, methods: Sequence[str], body: bytes) -> Response:
        """One request and its answer; a renamed portal is followed once, and then known."""
        response = await self._post(command, methods, body)
        if response.status in _REDIRECTS:
            target = self._endpoint.target(command.method)
            self._endpoint = endpoints.moved(self._endpoint, target, response.location, self._operator)
            response = await self._post(command, methods, body)
            if response.status in _REDIRECTS:
                raise endpoints.redirects(self.host, "and then again")
        return response

    async def _post(self, command: Command, methods: Sequence[str], body: bytes) -> Response:
        await self._throttle.turn(methods, self._deadline, self.host)
        return await self._transport.send(self._endpoint.target(command.method), body, seconds=self._time_left())

    def _time_left(self) -> float:
        if self._deadline is None:
            return TOTAL_SECONDS
        left = self._deadline - self._clock.monotonic()
        if left <= 0:
            raise PortalError(
                Diagnostic(
                    Code.TIMEOUT,
                    Message("the time given for {host} is over", host=self.host),
                    hint=Message(
                        "Give more time (--timeout SECONDS); what was done stays done, and the next run goes on."
                    ),
                )
            )
        return min(TOTAL_SECONDS, left)


async def _as_portal_error(asked: Awaitable[T]) -> T:
    """What a credential gives. Its troubles (a reference, a folder) stop this portal as the server's own would."""
    try:
        return await asked
    except PortalError:
        raise
    except SipsyncError as error:
        raise PortalError(error.diagnostics[0]) from None


def _repeatable(error: PortalError, writes: bool) -> bool:
    if isinstance(error, ServerError):
        return error.rule.retry == "always" or (error.rule.retry == "read" and not writes)
    if isinstance(error, Unreached):
        return error.temporary
    return isinstance(error, Unanswered) and error.temporary and not writes
