"""One HTTP request to a portal and its answer; the client meets httpx here and in `wire`, and nowhere else.

What httpx sees is an address that may be shown: the real one, which holds the credential, is put in below it, so that
no log line, exception or representation of httpx or httpcore can quote it. Every failure leaves here as one of two
errors: `Unreached` (nothing was sent) or `Unanswered` (sent, and it is not known what became of it).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
import urllib.request
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from importlib.util import find_spec
from typing import Any, Final, Self, TypeAlias

import httpx

from sipsync._version import __version__
from sipsync.model.clock import Clock
from sipsync.model.hosts import is_loopback
from sipsync.model.message import Message
from sipsync.model.problems import PortalError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.portal import errors
from sipsync.portal.endpoint import Target
from sipsync.portal.wire import IDLE_SECONDS, Wire

_Event: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[
    [_Event, Callable[[], Awaitable[_Event]], Callable[[_Event], Awaitable[None]]], Awaitable[None]
]
"""An ASGI application."""

MAX_BODY: Final = 16 * 1024 * 1024
TOTAL_SECONDS: Final = 90.0
"""The longest that one request may take: the server cuts itself off at 60 (documented)."""

CONNECT_SECONDS: Final = 5.0
_TIMEOUT = httpx.Timeout(connect=CONNECT_SECONDS, read=60, write=15, pool=None)
_LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=2, keepalive_expiry=IDLE_SECONDS)
_HEADERS = {
    "User-Agent": f"sipsync/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",  # the one encoding that is unpacked here, within bounds
}
_ROUTES = "sipsync.routes"
_TARGET = "sipsync.target"
_LOCATION = "sipsync.location"

if find_spec("sniffio") is None:  # httpx and httpcore try to import it again and again, along the whole path
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # it is known not to be there


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever it says."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    location: Secret
    """Where a redirect points to; it may quote the credential."""
    sent_at: float
    """The clock's time when it was asked for."""


class Transport:
    """The ways to the hosts of one portal, or to an application in process."""

    def __init__(self, clock: Clock, app: App | None = None) -> None:
        """`app` answers in the place of the network."""
        self._clock = clock
        self.requests = 0
        self.received = 0
        self._app = httpx.ASGITransport(app=app) if app else None
        self._routes: dict[tuple[str, bytes], httpx.AsyncBaseTransport] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for route in self._routes.values():
            await route.aclose()

    async def send(
        self,
        target: Target,
        body: bytes | None,
        *,
        seconds: float = TOTAL_SECONDS,
        connect: float = CONNECT_SECONDS,
    ) -> Response:
        """The answer to a POST of this JSON, or to a GET without one; raises `Unreached` or `Unanswered`.

        The whole may take so many `seconds`, and to `connect` fewer.
        """
        self.requests += 1
        sent_at = self._clock.monotonic()
        request = _client().build_request(
            "GET" if body is None else "POST",
            target.shown,
            content=body,
            timeout=httpx.Timeout(connect=connect, read=_TIMEOUT.read, write=_TIMEOUT.write, pool=None),
            headers={} if body is None else {"Content-Type": "application/json"},
            extensions={_ROUTES: self._route, _TARGET: target.url},
        )
        try:
            # httpx bounds each read, not the whole: a server that drips bytes would hold us for ever.
            async with asyncio.timeout(seconds):
                return await self._exchange(request, target.host, sent_at)
        except TimeoutError:
            raise errors.no_answer_within(target.host, seconds) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise _translate(error, target.host) from None

    async def _exchange(self, request: httpx.Request, host: str, sent_at: float) -> Response:
        answer = await _client().send(request, stream=True)
        try:
            body = await _read(answer, host)
        finally:
            await answer.aclose()
        self.received += len(body)
        content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Response(answer.status_code, content_type, body, Secret(answer.extensions[_LOCATION]), sent_at)

    def _route(self, url: httpx.URL) -> httpx.AsyncBaseTransport:
        if self._app:
            return self._app
        origin = (url.scheme, url.netloc)
        if origin not in self._routes:
            self._routes[origin] = _network(url.scheme, url.host, self._clock)
        return self._routes[origin]


@cache
def _client() -> httpx.AsyncClient:
    """The one client of all portals: it has no connections, those are each portal's own."""
    client = httpx.AsyncClient(
        transport=_HiddenTarget(),
        headers=_HEADERS,
        follow_redirects=False,  # httpx would turn the POST into a GET
        trust_env=False,
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


class _HiddenTarget(httpx.AsyncBaseTransport):
    """Sends each request to its real address by the way that its portal has."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        route: httpx.AsyncBaseTransport = request.extensions[_ROUTES](request.url)
        real = httpx.Request(
            request.method,
            reveal(request.extensions[_TARGET]),
            headers=request.headers,
            stream=request.stream,
            extensions={"timeout": request.extensions["timeout"]},
        )
        answer = await route.handle_async_request(real)
        answer.extensions.pop("reason_phrase", None)  # the server's words, which httpx would log
        # httpx would prepare the next request, with the whole address in what may be shown.
        answer.extensions[_LOCATION] = answer.headers.pop("Location", "")
        return answer


def _network(scheme: str, host: str, clock: Clock) -> httpx.AsyncBaseTransport:
    """The way to a host over the network, through the proxy that the system names."""
    try:
        if proxy := proxy_for(scheme, host):
            return httpx.AsyncHTTPTransport(verify=_trust(), limits=_LIMITS, proxy=proxy)
        return Wire(_trust() if scheme == "https" else None, MAX_BODY, clock)
    except OSError:
        summary = Message("the file of trusted certificates can't be read")
        raise errors.unreached(host, summary, Message("Check SSL_CERT_FILE.")) from None
    except (ValueError, ImportError, httpx.InvalidURL):
        summary = Message("the system's proxy can't be used")
        raise errors.unreached(host, summary, Message("Check HTTPS_PROXY and ALL_PROXY.")) from None


@cache
def _trust() -> ssl.SSLContext:
    """What certificates are checked with; one for all clients, as it takes long to build."""
    return httpx.create_ssl_context()


def proxy_for(scheme: str, host: str) -> str | None:
    """The proxy that the system names for a host; never one for loopback.

    httpx reads no environment once it is given a transport, and its own reading would send loopback to the proxy.
    """
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


async def _read(answer: httpx.Response, host: str) -> bytes:
    """The whole body, unpacked, within bounds."""
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise errors.unusable(host, Message("its encoding was not asked for"))
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body, received = bytearray(), 0
    async for chunk in answer.aiter_raw():
        received += len(chunk)
        try:
            body += unpack.decompress(chunk, MAX_BODY + 1 - len(body)) if unpack else chunk
        except zlib.error:
            raise errors.unusable(host, Message("it can't be unpacked")) from None
        if len(body) > MAX_BODY:
            raise errors.unusable(host, Message("it is larger than {size} MiB", size=MAX_BODY // 1024**2))
    if received < int(answer.headers.get("Content-Length", 0)) or (unpack and received and not unpack.eof):
        raise errors.unusable(host, Message("it was cut off"))
    return bytes(body)


def _translate(error: Exception, host: str) -> PortalError:
    """Our error for one of httpx; its own text may quote what the server sent, so only its kind is used."""
    if isinstance(error, httpx.ConnectTimeout):
        return errors.no_connection_within(host, CONNECT_SECONDS)
    if isinstance(error, httpx.TimeoutException):
        return errors.no_answer_within(host, _TIMEOUT.read or TOTAL_SECONDS)
    if isinstance(error, httpx.ProxyError):
        summary = Message("the proxy refuses it")
        return errors.unreached(host, summary, Message("Check HTTPS_PROXY and NO_PROXY."), temporary=True)
    if isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return errors.no_connection(host, error)
    return errors.cut_off(host)


class _EventNameOnly(logging.Filter):
    """Keeps what httpcore logs of an event to its name.

    The rest quotes the server's headers: the Location of a renamed portal holds the whole address with its secret.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = str(record.msg).partition(" ")[0]
        return True


logging.getLogger("httpcore.http11").addFilter(_EventNameOnly())
