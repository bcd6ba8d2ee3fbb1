"""Tracebacks with what the variables held, as trackers of errors show them: no secret is in there."""

from __future__ import annotations

import asyncio
import copy
import hmac
import inspect
import io
import json
import pickle
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h11
import httpx
import pytest
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

import sipsync
from sipsync.disk import files, git
from sipsync.fleet.host import prepare
from sipsync.fleet.work import plan_host
from sipsync.forge import comment
from sipsync.forge.target import target_from_environ
from sipsync.model.lines import Address, Call, OwnTokenAccess
from sipsync.model.operator import Operator
from sipsync.model.options import PlanOptions, Selection
from sipsync.model.policy import Limits
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning import evidence, proof
from sipsync.portal import endpoint, envelope, rows, tokens
from sipsync.portal.client import connect
from sipsync.portal.throttle import Throttle
from sipsync.portal.wire import Wire
from sipsync.rules import lines
from sipsync.secrets import resolve, store
from support.clock import Clock
from support.leak.scan import Canary, canary, search
from support.scripted import Lines, Server, error, http, portal_handler
from support.scripted import credential as credential_for


class Seam(Exception):
    """Something broke there."""


def boom(*_args: object, **_more: object) -> Any:
    raise Seam


@pytest.fixture
def marked() -> dict[str, Canary]:
    """The secrets of a run: new ones for each test."""
    plain = {"webhook", "token", "client", "refresh", "renewed", "id", "forge", "key"}
    return {name: canary(name, plain=name in plain) for name in (*plain, "password", "stored", "other")}


@pytest.fixture
async def server(marked: dict[str, Canary]) -> AsyncIterator[Server]:
    """A portal with lines, and the endpoint of its tokens."""
    scripted = Server()
    portal = Lines(3)
    for line in portal.rows.values():
        line["PASSWORD"] = marked["stored"].value
    methods = portal_handler(portal)
    renewed = {"access_token": marked["renewed"].value, "refresh_token": marked["refresh"].value}

    def answer(seen: Any) -> Any:
        if seen.path.startswith("/oauth/"):
            return http(body=json.dumps(renewed).encode())
        if seen.json.get("auth") == marked["token"].value:
            return error("expired_token", 401)
        return methods(seen)

    scripted.handler = answer
    listening = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.port = listening.sockets[0].getsockname()[1]
    yield scripted
    listening.close()


@pytest.fixture
def run(tmp_path: Path, server: Server, marked: dict[str, Canary]) -> Operator:
    """Who runs sipsync, with a portal's file."""
    text = "sipsync: 1\nportal: {webhook: 'env:HOOK'}\nlines:\n  a: {config_id: 1, title: New, password: 'env:PW'}\n"
    (tmp_path / "acme.yaml").write_text(text, encoding="utf-8")
    environ = {
        "HOOK": f"{server.origin}/rest/1/{marked['webhook'].value}/",
        "PW": marked["password"].value,
        "OTHER": marked["other"].value,
        "PATH": "/bin",
        "SIPSYNC_PLAN_KEY": marked["key"].value,
        "SIPSYNC_STATE_DIR": str(tmp_path / "state"),
    }
    return Operator.from_environ(environ, str(tmp_path))


Way = Callable[[Operator, Server, dict[str, Canary]], Awaitable[object]]


async def reads(operator: Operator, server: Server, marked: dict[str, Canary]) -> None:
    (job,), _ = await prepare(sipsync.load([operator.root], operator).portals, operator, Selection(), Clock())
    async with connect(job.credentials["acme"], Throttle("acme", Limits(), Clock())) as portal:
        await portal.snapshot(outgoing=True)
        await portal.lines([1, 2])


async def writes(operator: Operator, server: Server, marked: dict[str, Canary]) -> None:
    (job,), _ = await prepare(sipsync.load([operator.root], operator).portals, operator, Selection(), Clock())
    call = Call(
        "acme:1", Address("acme", "a"), "update", {"password": Secret(marked["password"].value)}, 1, "cloud", ()
    )
    async with connect(job.credentials["acme"], Throttle("acme", Limits(), Clock())) as portal:
        await portal.send([call], [1])
        await portal.send([call, replace(call, id="acme:2")])


async def renews(operator: Operator, server: Server, marked: dict[str, Canary]) -> None:
    secret, refresh, client_id = (SecretRef("env", name) for name in ("CLIENT_SECRET", "REFRESH", "ID"))
    known = {secret: marked["client"], refresh: marked["refresh"], client_id: marked["id"]}
    access = OwnTokenAccess(server.origin, client_id, secret, refresh, token_url=f"{server.origin}/oauth/token/")
    secrets = {ref: Secret(one.value) for ref, one in known.items()}
    async with connect(credential_for(access, secrets, operator), Throttle("acme", Limits(), Clock())) as portal:
        await portal.scope()


async def plans(operator: Operator, server: Server, marked: dict[str, Canary]) -> None:
    (job,), _ = await prepare(sipsync.load([operator.root], operator).portals, operator, Selection(), Clock())
    await plan_host(job, PlanOptions(), Clock(), lambda _event: None)


async def api(operator: Operator, server: Server, marked: dict[str, Canary]) -> None:
    await sipsync.aplan(sipsync.load([operator.root], operator))


async def starts(operator: Operator, server: Server, marked: dict[str, Canary]) -> None:
    Operator.from_environ({**operator.environ, "SIPSYNC_PLAN_KEY": marked["key"].value[:20]})


async def comments(operator: Operator, server: Server, marked: dict[str, Canary]) -> None:
    environ = {"CI_PROJECT_ID": "7", "CI_API_V4_URL": server.origin, "CI_JOB_TOKEN": marked["forge"].value}
    comment.post(target_from_environ(environ, "gitlab", 7), "text", "<!-- mark -->", sleep=lambda _seconds: None)


async def keeps(operator: Operator, server: Server, marked: dict[str, Canary]) -> None:
    store.store_env({"A": Secret(marked["password"].value)}, Path(operator.root, "env"))


NO_JSON = SimpleNamespace(dumps=boom, loads=json.loads)
SEAMS: list[tuple[Way, object, str, object]] = [
    (reads, envelope, "quote", boom),
    (reads, envelope, "json", NO_JSON),
    (reads, envelope, "whole", boom),
    (reads, rows, "whole", boom),
    (reads, rows, "text", boom),
    (reads, rows, "CurrentLine", boom),
    (reads, Wire, "handle_async_request", boom),
    (reads, h11.Connection, "send", boom),
    (reads, Wire, "_connect", boom),
    (writes, envelope, "quote", boom),
    (writes, envelope, "json", NO_JSON),
    (writes, h11.Connection, "send", boom),
    (writes, rows, "text", boom),
    (renews, tokens, "urlencode", boom),
    (renews, tokens, "Tokens", boom),
    (renews, files, "_put", boom),
    (renews, h11.Connection, "send", boom),
    (plans, evidence, "canonical", boom),
    (plans, proof, "update", boom),
    (plans, lines, "stored", boom),
    (plans, hmac, "digest", boom),
    (plans, rows, "text", boom),
    (api, endpoint, "_origin", boom),
    (api, resolve, "BLANKS", 1),
    (api, git, "_program", boom),
    (starts, Operator, "__init__", boom),
    (comments, httpx.Client, "request", boom),
    (comments, h11.Connection, "send", boom),
    (keeps, store, "shlex", SimpleNamespace(quote=boom)),
]


def shown(error: BaseException) -> Iterator[str]:
    """The exception as those show it who show what variables held."""
    yield "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    console = Console(file=io.StringIO(), width=100_000)
    more: dict[str, Any] = {"locals_max_length": None, "locals_max_string": None, "max_frames": 1000}
    console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True, **more))
    yield console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("way", "place", "name", "broken"), [pytest.param(*seam, id=f"{seam[0].__name__}-{seam[2]}") for seam in SEAMS]
)
async def test_whatever_breaks_the_traceback_holds_no_secret(
    run: Operator,
    server: Server,
    marked: dict[str, Canary],
    monkeypatch: pytest.MonkeyPatch,
    way: Way,
    place: object,
    name: str,
    broken: object,
) -> None:
    if place is git:
        (Path(run.root) / ".git").mkdir()
        run.environ["SIPSYNC_TARGET_BRANCH"] = "main"  # type: ignore[index]
    monkeypatch.setattr(place, name, broken)
    try:
        await way(run, server, marked)
    except Exception as error:
        monkeypatch.undo()
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next  # what these tests hold themselves
        texts = list(shown(error.with_traceback(trace)))
    else:
        pytest.fail("nothing broke")
    hidden = [one for label, one in marked.items() if label != "id" or way is not renews]
    assert [hit for text in texts for hit in search(hidden, f"{way.__name__} {name}", text.encode())] == []


def test_a_secret_gives_nothing_to_whoever_looks_into_it() -> None:
    one = canary("one")
    secret = Secret(one.value)
    told = [repr(inspect.getmembers(secret)), repr(inspect.getmembers_static(secret)), repr(dir(secret))]
    told += [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", pretty_repr(secret)]
    told += [repr([secret, {"a": secret}]), repr(secret.__getstate__())]
    looks: list[Any] = [vars, json.dumps, pickle.dumps, copy.copy, copy.deepcopy, hash, len, list, bytes]
    for look in looks:
        with pytest.raises(TypeError) as caught:
            look(secret)
        told.append(str(caught.value))
    with pytest.raises(TypeError):
        format(secret, ">40")
    names = [name for name in dir(Secret) if not name.startswith("__") or "value" in name]
    assert names == []
    console = Console(file=io.StringIO(), width=10_000)
    __import__("rich").inspect(secret, all=True, console=console)
    told.append(console.file.getvalue())  # type: ignore[attr-defined]
    assert search([one], "a look", "\n".join(told).encode()) == []
    assert (reveal(secret), secret == Secret(one.value), bool(secret)) == (one.value, True, True)
