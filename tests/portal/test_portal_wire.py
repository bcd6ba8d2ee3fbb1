"""Connections: when they are kept, what odd servers do to them, and whom they trust."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sipsync.model.problems import Code
from sipsync.model.secret import Secret
from sipsync.portal import transport, wire
from sipsync.portal.endpoint import Target
from sipsync.portal.errors import Unanswered, Unreached
from sipsync.portal.transport import MAX_BODY, Transport
from support.certificates import Authority, authority, showing
from support.clock import Clock

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Answer = Callable[[asyncio.StreamWriter], Awaitable[bool]]
"""Sends one answer; whether the connection stays."""


@dataclass
class Peer:
    """A server that answers by turns, and how many connections it took."""

    answers: list[bytes | Answer]
    port: int = 0
    scheme: str = "http"
    connections: int = 0
    ended: int = 0
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head)
                answer = self.answers.pop(0) if self.answers else FINE
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                elif not await answer(writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.ended += 1
            writer.close()

    async def ask(self, sender: Transport, host: str = "127.0.0.1") -> bytes:
        """The body of an answer to a GET."""
        url = f"{self.scheme}://{host}:{self.port}/x"
        return (await sender.send(Target(url, Secret(url), f"{host}:{self.port}"), None)).body


@asynccontextmanager
async def peer(
    *answers: bytes | Answer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Peer]:
    made = Peer(list(answers), scheme="https" if tls else "http")
    listening = await asyncio.start_server(made.serve, host, 0, ssl=tls)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait for what another task of this loop does."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


# --- kept or not ---


async def test_requests_share_a_connection() -> None:
    async with peer() as server, Transport(Clock()) as sender:
        assert [await server.ask(sender) for _ in range(3)] == [b"{}"] * 3
        assert server.connections == 1
    await until(lambda: server.ended == 1)


async def test_two_requests_at_once_have_a_connection_each() -> None:
    async with peer() as server, Transport(Clock()) as sender:
        await asyncio.gather(server.ask(sender), server.ask(sender))
        await server.ask(sender)
        assert server.connections == 2


async def test_a_connection_that_stood_idle_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "IDLE_SECONDS", 0.01)
    async with peer() as server, Transport(Clock()) as sender:
        await server.ask(sender)
        await until(lambda: server.ended == 1)
        await server.ask(sender)
        assert server.connections == 2


async def test_a_connection_that_stood_idle_is_not_used_although_nothing_ended_it_meanwhile() -> None:
    clock = Clock()
    async with peer() as server, Transport(clock) as sender:
        for seconds, connections in ((5.0, 1), (5.1, 2), (0.0, 2)):
            await server.ask(sender)
            clock.time += seconds
            await server.ask(sender)
            assert server.connections == connections


async def ends_after(writer: asyncio.StreamWriter) -> bool:
    writer.write(FINE)
    return False


async def speaks_on(writer: asyncio.StreamWriter) -> bool:
    writer.write(FINE)
    await asyncio.sleep(0.01)
    writer.write(FINE)  # to a request that nobody made
    return True


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(ends_after, id="the server ends it"),
        pytest.param(speaks_on, id="something comes unasked"),
        pytest.param(FINE + b"HTTP/1.1 200 OK\r\n", id="something comes behind the answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", id="it says close"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", id="it is of HTTP 1.0"),
    ],
)
async def test_a_connection_is_not_used_again_where(answer: bytes | Answer) -> None:
    async with peer(answer) as server, Transport(Clock()) as sender:
        assert await server.ask(sender) == b"{}"
        await until(lambda: server.ended == 1)
        await asyncio.sleep(0.05)  # the news has to arrive
        assert await server.ask(sender) == b"{}"
        assert server.connections == 2


async def test_another_port_of_a_host_has_connections_of_its_own() -> None:
    async with peer() as one, peer() as other, Transport(Clock()) as sender:
        await one.ask(sender)
        await other.ask(sender)
        assert (one.connections, other.connections) == (1, 1)


# --- odd answers ---


async def dripped(writer: asyncio.StreamWriter) -> bool:
    packed = gzip.compress(b'{"result": 1}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    for byte in head + b"".join(b"1\r\n%c\r\n" % byte for byte in packed) + b"0\r\n\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
    return True


async def closes(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n{}")
    return False


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        pytest.param(dripped, b'{"result": 1}', id="packed, in chunks, byte by byte"),
        pytest.param(closes, b"{}", id="a body that ends with the connection"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + FINE, b"{}", id="information first"),
    ],
)
async def test_an_odd_answer_is_one(answer: bytes | Answer, body: bytes) -> None:
    async with peer(answer) as server, Transport(Clock()) as sender:
        assert await server.ask(sender) == body


async def early(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{")
    return False


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(early, id="ends early"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, id="a head without end"),
        pytest.param(b"\x00\x01rubbish\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="two lengths"),
    ],
)
async def test_another_one_is_none(answer: bytes | Answer) -> None:
    async with peer(answer) as server, Transport(Clock()) as sender:
        with pytest.raises(Unanswered, match="broke"):
            await server.ask(sender)
        assert await server.ask(sender) == b"{}"
        assert server.connections == 2


async def test_a_body_without_end_is_stopped_while_it_arrives() -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> bool:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"100000\r\n" + b" " * 2**20 + b"\r\n")
            await writer.drain()
            sent += 2**20

    async with peer(endless) as server, Transport(Clock()) as sender:
        with pytest.raises(Unanswered, match="larger than 16 MiB"):
            await server.ask(sender)
        await until(lambda: server.ended == 1)
    assert MAX_BODY <= sent < 2 * MAX_BODY


async def test_a_request_that_is_given_up_leaves_no_connection() -> None:
    async with peer(lambda _writer: asyncio.sleep(60, True)) as server, Transport(Clock()) as sender:
        asked = asyncio.create_task(server.ask(sender))
        await until(lambda: len(server.requests) == 1)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert await server.ask(sender) == b"{}"
        assert server.connections == 2


# --- addresses ---


async def named(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def found(_host: str, _port: int) -> list[str]:
        return list(addresses)

    return found


async def test_an_address_that_refuses_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_addresses", await named("127.0.0.2", "127.0.0.1"))
    async with peer() as server, Transport(Clock()) as sender:
        assert await server.ask(sender, "localhost") == b"{}"


async def test_an_address_that_is_silent_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_addresses", await named("127.0.0.2", "127.0.0.1"))
    monkeypatch.setattr(wire, "_FIRST_TRY", 0.05)
    async with peer() as server, Transport(Clock()) as sender:
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.2", server.port))
            full.listen(0)  # takes one that waits, and lets the others knock
            for client in (first, second):
                client.setblocking(False)
                client.connect_ex(("127.0.0.2", server.port))
            assert await server.ask(sender, "localhost") == b"{}"


# --- TLS ---


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    made = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.trusted))
    transport._trust.cache_clear()
    yield made
    transport._trust.cache_clear()


async def test_requests_share_a_handshake(trusted: Authority) -> None:
    async with peer(tls=showing(trusted.signed())) as server, Transport(Clock()) as sender:
        assert [await server.ask(sender) for _ in range(3)] == [b"{}"] * 3
        assert server.connections == 1


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(lambda trusted: trusted.signed("127.0.0.9"), id="of another name"),
        pytest.param(lambda trusted: trusted.signed(days=-1), id="expired"),
        pytest.param(lambda trusted: trusted.signed(own=True), id="signed by itself"),
    ],
)
async def test_nothing_is_sent_to_a_host_whose_certificate_is(
    trusted: Authority, shown: Callable[[Authority], Path]
) -> None:
    async with peer(tls=showing(shown(trusted))) as server, Transport(Clock()) as sender:
        with pytest.raises(Unreached, match="certificate is not trusted") as caught:
            await server.ask(sender)
    assert caught.value.code is Code.UNREACHABLE
    assert server.requests == []
