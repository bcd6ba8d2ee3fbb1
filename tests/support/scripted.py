"""A scripted HTTP server on loopback, a clock that only moves when somebody sleeps, and a portal's methods for both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from sipsync.disk.clock import SystemClock
from sipsync.model.lines import Access, DesiredPortal, WebhookAccess
from sipsync.model.operator import Operator
from sipsync.model.problems import Span
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal.client import RestPortal
from sipsync.portal.credential import Credential, credential_of

SECRET = "s3cretcanary0123"


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def rest_method(self) -> str:
        return self.path.rsplit("/", 1)[-1]


Raw = Callable[[asyncio.StreamWriter], Awaitable[None]]
Answer = bytes | Raw
Handler = Callable[[Seen], Answer]


def http(status: int = 200, body: bytes = b"{}", content_type: str = "application/json", **headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ok(result: object, **more: object) -> bytes:
    return http(body=json.dumps({"result": result, **more}).encode())


def error(code: str | int, status: int = 400) -> bytes:
    return http(status, json.dumps({"error": code, "error_description": "text of the server"}).encode())


async def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection without an answer."""
    writer.transport.abort()


class Server:
    """Answers as the test says: from the queue, or by the handler when the queue is empty."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.queue: list[Answer] = []
        self.handler: Handler = lambda _seen: ok(1)
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook(self) -> str:
        return f"{self.origin}/rest/1/{SECRET}/"

    @property
    def methods(self) -> list[str]:
        return [seen.rest_method for seen in self.seen]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                seen = await self._request(line, reader)
                self.seen.append(seen)
                answer = self.queue.pop(0) if self.queue else self.handler(seen)
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(writer)
                    break
        except ConnectionError:
            return
        finally:
            writer.close()

    @staticmethod
    async def _request(line: bytes, reader: asyncio.StreamReader) -> Seen:
        method, path, _ = line.decode().split(" ")
        headers = {}
        while (header := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Seen(method, path, headers, body)


REF = SecretRef("env", "WEBHOOK")
WEBHOOK = WebhookAccess(REF)


async def same(_ref: SecretRef) -> Secret:
    """A reference that still gives the token that has expired."""
    return Secret("accesscanary42")


def no_sandbox(path: str) -> Any:
    """An emulated portal without an application."""


def credential(
    access: Access, secrets: Mapping[SecretRef, Secret], operator: Operator | None = None, **more: Any
) -> Credential:
    """The credential of a portal that is declared like this."""
    portal = DesiredPortal("acme", Span("acme.yaml", 2), access, ())
    ways = {"ask_again": same, "embedded": no_sandbox, **more}
    clock = SystemClock()  # as locks are waited for that others hold
    return credential_of(portal, secrets, operator or Operator(), clock, **ways)


Open = Callable[..., AbstractAsyncContextManager[RestPortal]]


def brackets(query: str) -> dict[str, Any]:
    """A query with PHP's brackets as nested maps."""
    params: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        keys = name.replace("]", "").split("[")
        inner = params
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = value
    return params


def commands(seen: Seen) -> list[tuple[str, dict[str, Any]]]:
    """The commands of a request, batch or not."""
    return commands_of(seen.rest_method, seen.json)


def commands_of(method: str, document: Any) -> list[tuple[str, dict[str, Any]]]:
    """The commands of a method's call, batch or not."""
    if method != "batch":
        return [(method, document)]
    parts = [line.partition("?") for line in document["cmd"].values()]
    return [(unquote_plus(name), brackets(query)) for name, _, query in parts]


class Failed(Exception):
    """A command of the scripted portal fails with this code."""


def portal_handler(method: Callable[[str, dict[str, Any]], Any]) -> Handler:
    """A server whose methods are a function; batches behave as the real one's."""

    def answer(seen: Seen) -> bytes:
        if seen.rest_method != "batch":
            try:
                result = method(seen.rest_method, seen.json)
            except Failed as failed:
                return error(failed.args[0])
            return ok(result[0], total=result[1]) if isinstance(result, tuple) else ok(result)
        results, errors, totals = {}, {}, {}
        for key, (name, params) in zip(seen.json["cmd"], commands(seen), strict=True):
            try:
                result = method(name, params)
            except Failed as failed:
                errors[key] = {"error": failed.args[0], "error_description": ""}
                if seen.json["halt"]:
                    break
            else:
                results[key], totals[key] = result if isinstance(result, tuple) else (result, 0)
        return ok({"result": results or [], "result_error": errors or [], "result_total": totals or []})

    return answer


def row(config_id: int, **more: object) -> dict[str, object]:
    """A cloud line as `sip.get` returns it."""
    return {
        "TYPE": "cloud",
        "CONFIG_ID": str(config_id),
        "REG_ID": str(100000 + config_id),
        "SERVER": "sip.example",
        "LOGIN": f"user{config_id}",
        "PASSWORD": f"pass{config_id}",
        "REGISTRATION_STATUS_CODE": "200",
        "REGISTRATION_ERROR_MESSAGE": None,
        "TITLE": f"Line {config_id}",
        **more,
    }


class Lines:
    """The methods of a portal with these lines."""

    def __init__(self, count: int = 0) -> None:
        self.rows = {number: row(number) for number in range(1, count + 1)}
        self.names: object = {f"reg{100000 + number}": f"Line {number}" for number in self.rows} or []
        self.fails: dict[int, str] = {}

    def __call__(self, method: str, params: dict[str, Any]) -> Any:
        name = method.rsplit(".", 1)[-1]
        if method == "voximplant.line.get":
            return self.names
        if method == "voximplant.line.outgoing.get":
            return "LINK_BASE_NUMBER"
        if name == "get":
            found = sorted(self.rows)
            if "FILTER" in params:
                wanted = params["FILTER"]["CONFIG_ID"]
                wanted = wanted.values() if isinstance(wanted, dict) else wanted
                found = [number for number in found if number in set(map(int, wanted))]
            start = int(params["start"])
            return [self.rows[number] for number in found[start : start + 50]], len(found)
        number = int(params["CONFIG_ID"])
        if number in self.fails:
            raise Failed(self.fails[number])
        self.rows[number] |= {key: value for key, value in params.items() if key in ("TITLE", "SERVER", "PASSWORD")}
        return 1
