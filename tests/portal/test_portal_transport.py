"""Odd servers, and what may not be seen of a request."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import ssl
import sys
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sipsync.model.lines import WebhookAccess
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, PortalError
from sipsync.model.secret import Secret
from sipsync.portal import errors, transport
from sipsync.portal.client import RestPortal
from sipsync.portal.endpoint import Target
from sipsync.portal.errors import Unanswered, Unreached
from sipsync.portal.transport import Transport, proxy_for
from support.clock import Clock
from support.scripted import REF, SECRET, Open, Server, error, http, ok, reset


def target(server: Server) -> Target:
    return Target(f"{server.origin}/rest/-/scope", Secret(f"{server.webhook}scope"), f"127.0.0.1:{server.port}")


async def test_a_request_says_who_we_are_and_takes_only_gzip(server: Server, portal: RestPortal) -> None:
    await portal.scope()
    (seen,) = server.seen
    assert seen.path == f"/rest/1/{SECRET}/scope"
    assert seen.method == "POST"
    assert seen.headers["user-agent"].startswith("sipsync/")
    assert seen.headers["accept-encoding"] == "gzip"
    assert seen.headers["content-type"] == "application/json"


async def test_a_packed_answer_is_unpacked(server: Server, portal: RestPortal) -> None:
    body = gzip.compress(b'{"result": ["telephony"]}')
    server.queue = [http(body=body, Content_Encoding="gzip")]
    assert await portal.scope() == {"telephony"}


async def test_nothing_is_looked_for_on_the_import_path_once_the_first_answer_is_there(
    portal: RestPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for: list[str] = []

    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            looked_for.append(name)

    await portal.scope()
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    await portal.scope()
    assert looked_for == []


async def test_cookies_are_not_sent_back(server: Server, portal: RestPortal) -> None:
    server.handler = lambda _seen: http(body=b'{"result": []}', Set_Cookie="a=b; Path=/")
    await portal.scope()
    await portal.scope()
    assert "cookie" not in server.seen[1].headers


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(body=b"x" * 10, Content_Encoding="br"), "encoding"),
        (http(body=b"not gzip", Content_Encoding="gzip"), "unpacked"),
        (http(body=gzip.compress(b"{}" * 50)[:20], Content_Encoding="gzip"), "cut off"),
        (http(body=gzip.compress(b" " * (17 * 1024**2)), Content_Encoding="gzip"), "larger than 16 MiB"),
        (http(body=b" " * (17 * 1024**2)), "larger than 16 MiB"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "broke"),
        (b"nonsense\r\n\r\n", "broke"),
    ],
)
async def test_a_body_that_is_of_no_use_is_no_answer(server: Server, answer: bytes, reason: str) -> None:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    server.queue = [send]
    async with Transport(Clock()) as sender:
        with pytest.raises(Unanswered, match=reason):
            await sender.send(target(server), b"{}")


async def test_a_body_cut_off_in_process_is_no_answer() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"{}"})

    async with Transport(Clock(), app) as sender:
        with pytest.raises(Unanswered, match="cut off"):
            await sender.send(Target("http://127.0.0.1/x", Secret("http://127.0.0.1/x"), "127.0.0.1"), None)


async def test_a_connection_reset_in_process_is_no_answer() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ConnectionResetError

    async with Transport(Clock(), app) as sender:
        with pytest.raises(Unanswered, match="broke"):
            await sender.send(Target("http://127.0.0.1/x", Secret("http://127.0.0.1/x"), "127.0.0.1"), None)


async def test_a_server_that_drips_bytes_does_not_hold_us(server: Server) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    server.queue = [drip]
    async with Transport(Clock()) as sender:
        with pytest.raises(Unanswered) as caught:
            await sender.send(target(server), b"{}", seconds=0.1)
    assert caught.value.code is Code.TIMEOUT


async def test_a_server_that_is_silent_times_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", httpx.Timeout(0.05))

    async def silence(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)

    server.queue = [silence]
    async with Transport(Clock()) as sender:
        with pytest.raises(Unanswered) as caught:
            await sender.send(target(server), b"{}")
    assert caught.value.code is Code.TIMEOUT


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_refused_connection_is_told_and_nothing_was_sent(opened: Open, clock: Any, host: str) -> None:
    async with opened(secrets={REF: Secret(f"http://{host}:1/rest/1/secret/")}) as portal:
        with pytest.raises(Unreached, match="refuses connections") as caught:
            await portal.scope()
    assert caught.value.code is Code.UNREACHABLE
    assert portal.requests == 4
    assert len(clock.slept) == 3


async def test_an_unknown_host_is_told_at_once(opened: Open) -> None:
    operator = Operator(hosts=("nowhere.invalid",))
    url = Secret("https://nowhere.invalid/rest/1/secret/")
    async with opened(secrets={REF: url}, operator=operator) as portal:
        with pytest.raises(Unreached):
            await portal.scope()


def chained(outer: Exception, cause: BaseException) -> Exception:
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize(
    ("found", "kind", "code", "words"),
    [
        (chained(httpx.ConnectError(""), ssl.SSLCertVerificationError()), Unreached, Code.UNREACHABLE, "not trusted"),
        (chained(httpx.ConnectError(""), ssl.SSLError()), Unreached, Code.UNREACHABLE, "secure connection"),
        (
            chained(httpx.ConnectError(""), socket.gaierror(-2, "")),
            Unreached,
            Code.UNREACHABLE,
            "such",
        ),
        (
            chained(httpx.ConnectError(""), ExceptionGroup("", [ConnectionRefusedError(), OSError()])),
            Unreached,
            Code.UNREACHABLE,
            "refuses connections",
        ),
        (httpx.ConnectError(""), Unreached, Code.UNREACHABLE, "no connection"),
        (httpx.ConnectTimeout(""), Unreached, Code.TIMEOUT, "no connection within 5"),
        (httpx.ProxyError(""), Unreached, Code.UNREACHABLE, "proxy"),
        (httpx.ReadTimeout(""), Unanswered, Code.TIMEOUT, "did not answer"),
        (httpx.ReadError(""), Unanswered, Code.UNREACHABLE, "broke"),
    ],
)
def test_every_failure_has_its_own_words(found: Exception, kind: type, code: Code, words: str) -> None:
    made = transport._translate(found, "acme.bitrix24.ru")
    assert type(made) is kind
    assert made.code is code
    assert words in str(made)
    assert made.diagnostics[0].hint


async def test_a_host_that_speaks_no_tls_is_told() -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x15\x03\x01\x00\x02\x02\x28")  # a TLS alert: handshake failure
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    url = f"https://127.0.0.1:{port}/x"
    async with listening, Transport(Clock()) as sender:
        with pytest.raises(Unreached, match="secure connection"):
            await sender.send(Target(url, Secret(url), f"127.0.0.1:{port}"), None)


def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "own.example")
    assert proxy_for("https", "acme.bitrix24.ru") == "http://proxy.example:3128"
    assert proxy_for("https", "own.example") is None
    assert proxy_for("http", "127.0.0.1") is None
    assert proxy_for("http", "localhost") is None
    monkeypatch.delenv("https_proxy")
    assert proxy_for("https", "acme.bitrix24.ru") is None


async def test_a_request_goes_through_the_system_s_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", server.origin)
    monkeypatch.delenv("no_proxy", raising=False)
    server.handler = lambda _seen: http(403)
    async with Transport(Clock()) as sender:
        with pytest.raises(Unreached, match="proxy refuses"):
            await sender.send(Target("https://a.example/x", Secret("https://a.example/secret"), "a.example"), None)
    assert [(seen.method, seen.path) for seen in server.seen] == [("CONNECT", "a.example:443")]


@pytest.mark.parametrize(("name", "value"), [("https_proxy", "odd://x"), ("SSL_CERT_FILE", "/no/such/file")])
async def test_a_proxy_or_certificate_file_that_can_t_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    transport._trust.cache_clear()
    try:
        async with Transport(Clock()) as sender:
            with pytest.raises(Unreached, match=r"can't be (used|read)"):
                await sender.send(Target("https://a.example/x", Secret("https://a.example/s"), "a.example"), None)
    finally:
        transport._trust.cache_clear()


# --- nothing secret is to be seen ---


async def test_no_log_error_or_representation_shows_the_secret(
    server: Server, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    location = f"https://new.example/rest/1/{SECRET}/scope"
    server.queue = [
        ok([]),
        error("INVALID_CREDENTIALS", 401),
        http(302, b"", Location=location),
        http(302, b"", Location=f"{server.origin}/login?back={quote(server.webhook, safe='')}"),
        http(200, f"<html>{server.webhook}</html>".encode(), "text/html"),
        reset,
    ]
    texts = []
    async with opened() as portal:
        await portal.scope()
        for _ in range(4):
            with pytest.raises(PortalError) as caught:
                await portal.scope()
            texts += [str(caught.value), repr(caught.value), repr(caught.value.diagnostics)]
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
        await portal.scope()
        texts.append(repr(vars(portal)))
    texts.append(caplog.text)
    assert "HTTP Request: POST" in caplog.text
    assert "/rest/-/scope" in caplog.text
    for text in texts:
        assert SECRET not in text
        assert quote(server.webhook, safe="") not in text


def test_what_httpcore_logs_of_an_answer_is_its_name_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A proxy's requests go through it."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore.http11").debug(f"receive_response_headers.complete [(b'Location', b'{SECRET}')]")
    assert "receive_response_headers.complete" in caplog.text
    assert SECRET not in caplog.text


async def test_the_scan_for_secrets_would_find_one(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(server.webhook)
    assert SECRET in caplog.text


# --- a portal that was renamed ---


async def test_a_renamed_portal_is_followed_with_its_body_and_then_known(server: Server, portal: RestPortal) -> None:
    moved = f"http://localhost:{server.port}/rest/1/{SECRET}/voximplant.sip.get"
    answer = ok([])
    server.queue = [http(302, b"", Location=moved), answer, answer]
    await portal.lines([5])
    await portal.lines([5])
    assert [seen.method for seen in server.seen] == ["POST"] * 3
    assert [seen.json["FILTER"] for seen in server.seen] == [{"CONFIG_ID": [5]}] * 3
    assert [seen.headers["host"].partition(":")[0] for seen in server.seen] == ["127.0.0.1", "localhost", "localhost"]


async def test_a_rename_to_a_host_that_nobody_allowed_names_it(server: Server, portal: RestPortal) -> None:
    server.queue = [http(302, b"", Location=f"https://evil.example/rest/1/{SECRET}/scope")]
    with pytest.raises(PortalError) as caught:
        await portal.scope()
    assert caught.value.code is Code.PORTAL_MOVED
    assert "evil.example" in str(caught.value)
    assert "SIPSYNC_HOSTS=evil.example" in caught.value.diagnostics[0].hint
    assert portal.requests == 1


@pytest.mark.parametrize("location", ["", "/login", "https://localhost/login", "//evil.example/", "javascript:x"])
async def test_another_redirect_is_not_followed(server: Server, portal: RestPortal, location: str) -> None:
    server.queue = [http(302, b"", Location=location)]
    with pytest.raises(PortalError) as caught:
        await portal.scope()
    assert caught.value.code is Code.NOT_BITRIX24
    assert portal.requests == 1


async def test_a_second_redirect_is_an_error(server: Server, portal: RestPortal) -> None:
    there = f"http://localhost:{server.port}/rest/1/{SECRET}/scope"
    server.queue = [http(302, b"", Location=there)] * 2
    with pytest.raises(PortalError, match="again"):
        await portal.scope()


async def test_closing_a_portal_that_was_never_used_is_nothing(opened: Open) -> None:
    async with opened(WebhookAccess(REF)) as portal:
        assert portal.requests == 0
    assert errors.cut_off("x").temporary
