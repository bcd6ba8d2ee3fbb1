"""The way to one port of a host over the network: kept connections on asyncio's protocols, whose HTTP is read by h11.

It stands behind httpx's transport seam in the place of httpcore, whose pool, locks and streams take several times as
long for the few requests of a portal. Errors are httpx's own; a `ConnectError` or `ConnectTimeout` is one before the
first byte was sent.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Final, cast

import h11
import httpx

from sipsync.model.clock import Clock

IDLE_SECONDS: Final = 5.0
"""How long an unused connection is kept: a request lost on an older one can't be told from one carried out."""
_MOST_HEAD: Final = 64 * 1024
"""Bytes that the head of an answer may take."""
_MOST_LOOKUPS: Final = 256
"""Names that may be looked up at once."""
_FIRST_TRY: Final = 1.0
"""Seconds for an address of a host that has another one: IPv6 may lead nowhere."""


class Wire(httpx.AsyncBaseTransport):
    """Sends requests to one port of one host."""

    def __init__(self, trust: ssl.SSLContext | None, most: int, clock: Clock) -> None:
        """`trust` is for https; of a body that is longer than `most` bytes a beginning is given that is longer too."""
        self._trust = trust
        self._most = most
        self._clock = clock
        self._kept: list[tuple[float, _Connection]] = []
        """Since when it is idle; its own timer is late where much is computed meanwhile."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer with its body as it was sent, packed or not."""
        timeout, target = request.extensions["timeout"], request.url.raw_path
        connection = self._idle() or await self._connect(request.url, timeout["connect"])
        head = h11.Request(method=request.method, target=target, headers=request.headers.raw)
        try:
            answer, body = await connection.exchange(head, await request.aread(), timeout["read"])
        finally:
            connection.rest()
        if connection.usable:
            self._kept.append((self._clock.monotonic(), connection))
        return httpx.Response(answer.status_code, headers=answer.headers.raw_items(), stream=_Body(body))

    def _idle(self) -> _Connection | None:
        while self._kept:
            since, connection = self._kept.pop()
            if connection.usable and self._clock.monotonic() - since <= IDLE_SECONDS:
                return connection
            connection.close()
        return None

    async def _connect(self, url: httpx.URL, seconds: float) -> _Connection:
        # As it was checked: httpx decodes an international name, and the system would encode that in its own way.
        host, port = url.raw_host.decode("ascii"), url.port or (443 if self._trust else 80)
        try:
            async with asyncio.timeout(seconds):
                *others, last = await _addresses(host, port)
                for address in others:
                    try:
                        async with asyncio.timeout(_FIRST_TRY):
                            return await self._open(address, port, host)
                    except OSError:
                        continue
                return await self._open(last, port, host)
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection") from None
        except (OSError, UnicodeError) as error:  # a name that can be none in the system's encoding
            raise httpx.ConnectError("no connection") from error

    async def _open(self, address: str, port: int, name: str) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(loop, self._most),
            address,
            port,
            ssl=self._trust,
            server_hostname=name if self._trust else None,
        )
        return connection

    async def aclose(self) -> None:
        """End the connections."""
        for _, connection in self._kept:
            connection.close()


async def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, the preferred one first; at least one."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_lookups(), ask)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def _lookups() -> ThreadPoolExecutor:
    """Threads for the system's look-up of names, which blocks: those of asyncio are few for many portals."""
    return ThreadPoolExecutor(_MOST_LOOKUPS, thread_name_prefix="sipsync-names")


class _Body(httpx.AsyncByteStream):
    """A body that has been received."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data


class _Connection(asyncio.Protocol):
    """One connection, with one request at a time; it closes itself when it can't be used again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self.usable = True
        self._loop = loop
        self._most = most
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        self._head: h11.Response | None = None
        self._body = bytearray()
        self._done: asyncio.Future[None] | None = None
        """Where a request waits for its answer."""
        self._timer: asyncio.TimerHandle | None = None
        self._silence = 0.0

    async def exchange(self, head: h11.Request, content: bytes, silence: float) -> tuple[h11.Response, bytes]:
        """The answer to a request, and its body; `silence` bounds the seconds in which nothing comes."""
        self.usable, self._head, self._body, self._silence = False, None, bytearray(), silence
        self._done = self._loop.create_future()
        sent = [self._http.send(event) for event in (head, h11.Data(data=content), h11.EndOfMessage())]
        self._transport.write(b"".join(part or b"" for part in sent))
        self._set_timer(silence, self._fall_silent)
        await self._done
        return cast("h11.Response", self._head), bytes(self._body)

    def rest(self) -> None:
        """Wait for the next request, but not for long; end where the last one left the connection in disorder."""
        self._done = None
        if self.usable:
            self._set_timer(IDLE_SECONDS, self.close)
        else:
            self.close()

    def close(self) -> None:
        """End the connection, whatever is on its way."""
        self.usable = False
        self._stop_timer()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        if self._done is None or self._done.done():
            self.close()  # nobody asked
            return
        self._set_timer(self._silence, self._fall_silent)
        self._receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a body that has no other end, or give up."""
        if self._done and not self._done.done() and exc is None:
            self._receive(b"")
        self.usable = False
        self._stop_timer()
        self._fail(httpx.ReadError("the connection is lost"))

    def _receive(self, data: bytes) -> None:
        """Go through what has come."""
        try:
            self._http.receive_data(data)
            while self._done and not self._done.done():
                event = self._http.next_event()
                if isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > self._most:
                        self._done.set_result(None)
                elif isinstance(event, h11.Response):
                    self._head = event
                elif isinstance(event, h11.EndOfMessage):
                    self._end()
                elif not isinstance(event, h11.InformationalResponse):
                    return  # more has to come
        except Exception:  # h11's own faults too: the loop would print them, with what was received
            self._fail(httpx.RemoteProtocolError("no HTTP"))

    def _end(self) -> None:
        """The answer is whole; the connection can be used again where both sides say so and nothing came behind it."""
        if self._http.their_state is h11.DONE and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
            self.usable = True
        cast("asyncio.Future[None]", self._done).set_result(None)

    def _fall_silent(self) -> None:
        self._fail(httpx.ReadTimeout("nothing came"))

    def _fail(self, error: httpx.TransportError) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(error)

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
