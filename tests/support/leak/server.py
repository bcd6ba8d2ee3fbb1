"""A server that quotes back whatever it is sent, in every way in which answers go wrong.

The first part of a path says how: `/html/rest/1/SECRET/batch` is answered with a web page that holds the whole request.
`/good/NAME/…` is passed on to the emulated portal NAME; `/renews` gives tokens.
"""

from __future__ import annotations

import json
import re
import signal
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import httpx


@dataclass(frozen=True)
class Request:
    """One request, as it was sent."""

    verb: str
    path: str
    head: bytes
    body: bytes

    @property
    def kind(self) -> str:
        """How it is to be answered."""
        return self.path.split("/")[1]

    @property
    def echo(self) -> str:
        """All of it, and the same decoded."""
        text = (self.head + self.body).decode(errors="replace")
        return f"{text} {unquote_plus(text)}"


def answer(status: int = 200, body: object = "", kind: str = "application/json", **headers: str) -> bytes:
    """A whole answer; what is no text becomes JSON."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def page(request: Request) -> str:
    """A web page that shows the request."""
    return f"<html><title>{request.path}</title><pre>{request.echo}</pre></html>"


def refusal(status: int, error: str) -> Callable[[Request], bytes]:
    """A refusal by this code, which quotes the request wherever it may."""
    return lambda request: answer(
        status, {"error": error, "error_description": request.echo, "errors": [request.echo], "message": request.echo}
    )


WRONG: Mapping[str, Callable[[Request], bytes]] = {
    "unauthorized": refusal(401, "INVALID_CREDENTIALS"),
    "forbidden": refusal(403, "insufficient_scope"),
    "denied": refusal(403, "ACCESS_DENIED"),
    "invalid": refusal(422, "invalid_request"),
    "gone": refusal(404, "ERROR_METHOD_NOT_FOUND"),
    "expired": refusal(401, "expired_token"),
    "grant": refusal(400, "invalid_grant"),
    "odd-code": lambda request: answer(400, {"error": request.echo}),
    "path-code": lambda request: answer(404, {"error": f"no route for {request.path}"}),
    "own-code": lambda request: answer(400, {"error": re.split("[/=]", request.path.rstrip("/"))[-2]}),
    "number-code": lambda request: answer(400, {"error": 7, "error_description": request.echo}),
    "html401": lambda request: answer(401, page(request), "text/html"),
    "html": lambda request: answer(200, page(request), "text/html"),
    "moved": lambda request: answer(302, "", Location=f"https://evil.example{request.path}"),
    "moved-on": lambda request: answer(301, page(request), Location=f"https://acme.bitrix24.ru/x{request.path}"),
    "moved-odd": lambda request: answer(307, "", Location=f"//{request.path}@\x7f"),
}
"""Answers that no repetition mends."""
BROKEN: Mapping[str, Callable[[Request], bytes]] = {
    "down": lambda request: answer(503, page(request), "text/html"),
    "failing": lambda request: answer(500, {"error": "INTERNAL_SERVER_ERROR", "error_description": request.echo}),
    "cut": lambda request: answer(200, request.echo)[:-20],
    "odd-status": lambda request: f"HTTP/1.1 {request.path}\r\n\r\n".encode(),
    "odd-header": lambda request: b"HTTP/1.1 200 OK\r\nX-\x00" + request.path.encode() + b": \x01\r\n\r\n",
    "no-json": lambda request: answer(200, '{"result": ' + request.echo),
    "other-json": lambda request: answer(200, [request.echo]),
    "brotli": lambda request: answer(200, request.echo, Content_Encoding="br"),
    "no-gzip": lambda request: answer(200, request.echo, Content_Encoding="gzip"),
    "reason": lambda request: f"HTTP/1.1 400 {request.path}\r\nX-Echo: {request.path}\r\n\r\n".encode(),
    "odd-result": lambda request: answer(200, {"result": request.echo}),
    "odd-rows": lambda request: answer(200, {"result": {"result": {"c0": [{request.path: 1}], "c1": request.echo}}}),
    "reset": lambda _: b"",
}
"""Answers after which it is tried again."""


@dataclass
class Hostile:
    """The server: where it is, what it was asked, and the emulated portal behind it."""

    url: str = ""
    sandbox: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    """Set when something waits for an answer that never comes."""
    over: threading.Event = field(default_factory=threading.Event)
    forge: Callable[[Request], bytes] = lambda _: answer(404)
    on_request: Callable[[Request], object] = lambda _: None

    def interrupt_twice(self, process: subprocess.Popen[bytes]) -> None:
        """Send it Ctrl-C, and another after it took the first."""
        self.interrupt(process)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)

    @property
    def kinds(self) -> set[str]:
        """How it answered so far."""
        return {request.kind for request in self.seen}

    def interrupt(self, process: subprocess.Popen[bytes]) -> None:
        """Send a process Ctrl-C once it waits for us."""
        assert self.asked.wait(30)
        process.send_signal(signal.SIGINT)

    def answer(self, request: Request) -> bytes:
        """What this request gets."""
        self.seen.append(request)
        self.on_request(request)
        kind, rest = request.kind, request.path[1:].partition("/")[2]
        if kind == "silent":
            self.asked.set()
            self.over.wait(30)
            return b""
        if kind == "good":
            return self._passed_on(request, rest)
        if kind == "renews":
            return answer(200, {**self.tokens, "expires_in": 3600, "member_id": "m"})
        if kind == "forge":
            return self.forge(request)
        return {**WRONG, **BROKEN}[kind](request)

    def _passed_on(self, request: Request, rest: str) -> bytes:
        name, _, method = re.sub(r"/rest/1/[\w-]+/|/rest/", "/", rest).partition("/")
        body: dict[str, Any] = {**json.loads(request.body or b"{}"), "auth": None}
        url = f"{self.sandbox}/{name}/rest/1/sandbox/{method}"
        with suppress(httpx.TransportError):
            passed = httpx.post(
                url, json={key: value for key, value in body.items() if value is not None}, trust_env=False
            )
            return answer(passed.status_code, passed.text)
        return b""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 1.0  # seconds to send a request in; the hello of TLS never ends for us

    def handle(self) -> None:
        with suppress(OSError):
            line = head = self.rfile.readline()
            if not (asked := re.match(r"([A-Z]+) (/\S*) HTTP", line.decode(errors="replace"))):
                return
            while (header := self.rfile.readline()) not in (b"\r\n", b""):
                head += header
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = self.rfile.read(int(length[1])) if length else b""
            self.wfile.write(self.server.hostile.answer(Request(asked[1], asked[2], head, body)))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    hostile: Hostile


@contextmanager
def serve() -> Iterator[Hostile]:
    """The server, for the length of a `with`."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.hostile = Hostile(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.hostile
        finally:
            server.hostile.over.set()
            server.shutdown()
            thread.join()
