"""Serving the sandbox with uvicorn, on this machine only, until a signal ends it."""

from __future__ import annotations

import json
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from sipsync.model.clock import Clock
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError
from sipsync.sandbox import Options
from sipsync.sandbox.server import CUT, Sandbox, create_app

_HOST = "127.0.0.1"


def serve(options: Options, announce: Callable[[str], None], clock: Clock) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets one JSON line once it listens."""
    app = create_app(options, clock)
    sandbox: Sandbox = app.state.sandbox
    listening = listen(options.port)
    url = f"http://{_HOST}:{listening.getsockname()[1]}"
    webhook = f"{url}/rest/{'/'.join(sandbox.apps.webhook)}/"
    started = {"url": url, "webhook": webhook, "apps": sandbox.apps.shown(url)}
    try:
        Server(configured(app), lambda: announce(json.dumps(started))).run(sockets=[listening])
    finally:
        sandbox.store.close()
        if sandbox.log is not None:
            sandbox.log.close()


def configured(app: Starlette) -> uvicorn.Config:
    """How uvicorn has to serve the application so that faults can break connections."""
    return uvicorn.Config(
        app,
        host=_HOST,
        port=0,
        http=_Breakable,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )


def listen(port: int) -> socket.socket:
    """A socket of this machine only; port 0 takes any that is free."""
    # With the protocol named, asyncio sets TCP_NODELAY; without it each answer takes 40 ms longer (measured).
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
    except OSError as error:
        listening.close()
        hint = Message("Choose another --port, or 0 for any that is free.")
        summary = Message("can't listen on {HOST}:{port}: {strerror}", HOST=_HOST, port=port, strerror=error.strerror)
        raise SipsyncError(Diagnostic(Code.USAGE, summary, hint=hint)) from None
    return listening


class Server(uvicorn.Server):
    """Says when it listens, and takes a signal for a wish to end, not for a failure."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets=sockets)
        self._listening()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on a signal, without raising it once more afterwards as uvicorn does."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self.handle_exit) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)


class _Breakable(H11Protocol):
    """Lets the application break its connection, for faults."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        inner = self.app

        def cut() -> None:
            found = transport.get_extra_info("socket")
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope[CUT] = cut
            await inner(scope, receive, send)

        self.app = app
