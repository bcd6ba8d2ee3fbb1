"""The emulated portals as a web application, and how it is served on this machine.

Any portal name may stand before `/rest/`; `/_sandbox/…` is for whoever runs the tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sipsync.model.clock import Clock
from sipsync.model.hosts import HOST, is_loopback
from sipsync.model.problems import SipsyncError
from sipsync.rules.errors import Refusal, refusal
from sipsync.rules.limits import LeakyBucket
from sipsync.sandbox import Options, rest, seeds
from sipsync.sandbox.apps import Apps
from sipsync.sandbox.faults import Fault, due, parse
from sipsync.sandbox.parsing import parameters
from sipsync.sandbox.portal import Portal, Stats
from sipsync.sandbox.store import Store

CUT = "sipsync.cut"
"""Where the scope of a request has the function that breaks its connection, if whoever serves can do that."""
_ORIGIN = re.compile(rf"https?://(?P<host>{HOST})(?::\d{{1,5}})?")
_BEARER = re.compile(r"Bearer\s+(.*)", re.IGNORECASE)


@dataclass(slots=True)
class Sandbox:
    """The portals that one application serves."""

    options: Options
    store: Store
    apps: Apps
    clock: Clock
    log: TextIO | None
    _faults: dict[str, list[Fault]] = field(default_factory=dict)
    _buckets: dict[tuple[str, str], LeakyBucket] = field(default_factory=dict)

    def faults(self, portal: str) -> list[Fault]:
        """The faults of a portal."""
        if portal not in self._faults:
            self._faults[portal] = parse(list(self.options.faults))
        return self._faults[portal]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is under some portal's `/rest/`."""
        name, found, path = scope["path"].partition("/rest/")
        if scope["type"] != "http" or not found:
            await Response("There is no portal here: its methods are under /rest/.", 404)(scope, receive, send)
            return
        request = Request(scope, receive)
        started = self.clock.monotonic()
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        portal = name.strip("/")
        headers = request.headers
        bearer = _BEARER.match(headers.get("authorization", ""))
        asked = rest.Request(
            portal,
            path,
            parameters(
                scope["query_string"].decode("latin-1"),
                headers.get("content-type", ""),
                body if request.method == "POST" else b"",  # of no other method is it read (server source, run)
            ),
            bearer[1] if bearer else None,
        )
        stats = self.store.portal(portal).stats
        stats.requests += 1
        if self._is_full(portal, scope):
            full = refusal("QUERY_LIMIT_EXCEEDED")
            answer = rest.Answer(full.status, rest.encoded(full.body), error=full.code)
        else:
            answer = rest.respond(self.store, self.apps, self.faults(portal), asked, self.clock)
        if answer.delay or self.options.latency:
            await self.clock.sleep(answer.delay + self.options.latency)
        if answer.status and answer.cut != "reset-after":
            stats.statuses[str(answer.status)] += 1
        if self.log is not None:
            self._note(asked, answer, self.clock.monotonic() - started)
        await _send(answer, scope, receive, send)

    def _is_full(self, portal: str, scope: Scope) -> bool:
        """Whether the bucket refuses the request; otherwise it is counted."""
        if self.options.bucket is None:
            return False
        source = (portal, scope["client"][0] if scope.get("client") else "")
        bucket, now = self._buckets.get(source) or LeakyBucket(*self.options.bucket), self.clock.monotonic()
        if bucket.wait(now) > 0:
            return True
        self._buckets[source] = bucket.take(now)
        return False

    def _note(self, asked: rest.Request, answer: rest.Answer, seconds: float) -> None:
        line = {
            "time": self.clock.now().isoformat(timespec="milliseconds"),
            "portal": asked.portal,
            "app": answer.app,
            "method": asked.method[0],
            "commands": answer.commands,
            "status": answer.status,
            "error": answer.error,
            "cut": answer.cut,
            "seconds": round(seconds, 6),
        }
        print(json.dumps(line, ensure_ascii=False), file=self.log, flush=True)

    # --- control ---

    def load_seed(self, name: str, seed: Mapping[str, Any]) -> Portal:
        """Put what a seed describes in the place of all that a portal holds."""
        portal = seeds.load_seed(name, seed)
        with self.store.writing():
            self.store.replace(portal)
        self._faults[name] = []
        self._buckets = {source: bucket for source, bucket in self._buckets.items() if source[0] != name}
        return portal

    async def control(self, request: Request) -> Response:
        """`/_sandbox/…`."""
        name = request.query_params.get("portal")
        what = request.path_params["what"]
        try:
            body = json.loads(await request.body() or b"null")
            return JSONResponse(self._controlled(request.method, what, name, body, request.query_params.get("app")))
        except SipsyncError as error:
            return JSONResponse({"error": str(error)}, 400)
        except ValueError:
            return JSONResponse({"error": "the body is no JSON"}, 400)
        except LookupError:
            return JSONResponse({"error": f"there is no {request.method} /_sandbox/{what}"}, 404)

    def _controlled(self, verb: str, what: str, portal: str | None, body: Any, app: str | None) -> object:
        if self.store.refresh():
            self.apps.reload()
        name = portal or ""
        match verb, what:
            case "POST", "seed":
                return {"lines": len(self.load_seed(name, body).state.rows)}
            case "POST", "reset":
                return {"lines": len(self.load_seed(name, {}).state.rows)}
            case "POST", "faults":
                self._faults[name] = parse(body)
                return {"faults": len(self._faults[name])}
            case "POST", "expire":
                with self.store.writing():
                    self.apps.expire(app)
                return {}
            case "GET", "dump":
                return seeds.dump(self.store.portal(name))
            case "GET", "stats":
                found = [self.store.portal(name).stats] if portal is not None else self.store.stats.values()
                return sum(found, Stats()).shown()
        raise LookupError(what)

    async def token(self, request: Request) -> Response:
        """The token endpoint."""
        given = parameters(request.url.query, request.headers.get("content-type", ""), await request.body())
        base = str(request.base_url).rstrip("/")
        answer: Mapping[str, Any] | Refusal | None = None
        for action in due(self.faults(""), "oauth.token"):
            if action.kind == "status":
                return Response(action.body, action.value, media_type="text/html")
            if action.kind == "error":
                answer = refusal(action.value)
                break
        if answer is None:
            with self.store.writing():
                self.apps.reload()
                answer = self.apps.exchange(given, base)
        return JSONResponse(answer.body, answer.status) if isinstance(answer, Refusal) else JSONResponse(answer)


async def _send(answer: rest.Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer, or break the connection as a fault orders."""
    if answer.cut in ("reset-before", "reset-after"):
        await _cut(scope, receive)
        return
    length = len(answer.body)
    body = answer.body[: length // 2] if answer.cut else answer.body
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(length).encode()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": bool(answer.cut) and CUT in scope})
    if answer.cut and CUT in scope:
        await _cut(scope, receive)


async def _cut(scope: Scope, receive: Receive) -> None:
    if CUT not in scope:
        raise ConnectionResetError("a fault of the sandbox breaks the connection")
    scope[CUT]()
    while (await receive())["type"] != "http.disconnect":
        pass


class _FromHere:
    """Answers this machine alone: a web page whose server's name was bound to it has that name as host or origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin", "http://localhost")
        if _is_here(f"http://{headers.get('host', '')}") and _is_here(origin):
            await self._app(scope, receive, send)
        else:
            await Response("The sandbox answers by this machine's own names only.", 403)(scope, receive, send)


def _is_here(origin: str) -> bool:
    match = _ORIGIN.fullmatch(origin)
    return match is not None and is_loopback(match["host"])


def create_app(options: Options, clock: Clock) -> Starlette:
    """The sandbox as an ASGI application; `app.state.sandbox` is the `Sandbox` behind it."""
    store = Store(options.db, keep=options.keep)
    apps = Apps(store, options.apps, clock, options.secret)
    log = options.log.open("a", encoding="utf-8") if options.log is not None else None
    sandbox = Sandbox(options, store, apps, clock, log)
    parse(list(options.faults))
    if options.seed is not None:
        portal = seeds.load_seed("", options.seed)
        with store.writing():
            store.replace(portal)
    app = Starlette(
        routes=[
            Route("/_sandbox/{what}", sandbox.control, methods=["GET", "POST"]),
            Route("/oauth/token/", sandbox.token, methods=["GET", "POST"]),
            Mount("/", sandbox),
        ],
        middleware=[Middleware(_FromHere)],
    )
    app.state.sandbox = sandbox
    return app
