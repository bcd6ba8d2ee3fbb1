"""One REST request on an emulated portal, from its method's name to the answer; everything but HTTP itself.

The order is the server's: an unknown method is told before the credential is looked at, then come scope, right and
the method. What a fault does to a command inside a batch happens when the batch comes to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from sipsync.model.clock import Clock
from sipsync.rules.errors import Refusal, refusal
from sipsync.rules.outgoing import Memory
from sipsync.rules.php import Array, Crash, text
from sipsync.sandbox import methods
from sipsync.sandbox.apps import Apps
from sipsync.sandbox.batch import run_batch
from sipsync.sandbox.faults import Fault, FaultAction, due
from sipsync.sandbox.methods import BATCH, Caller, Result, envelope
from sipsync.sandbox.portal import Portal
from sipsync.sandbox.seeds import mutate
from sipsync.sandbox.store import Store

_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"


@dataclass(slots=True)
class Answer:
    """What goes back; `cut` says how the connection breaks, if it does."""

    status: int = 0
    body: bytes = b""
    content_type: str = _JSON
    error: str = ""
    app: str | None = None
    commands: list[str] = field(default_factory=list)
    cut: str = ""
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked; `path` is what follows `/rest/`."""

    portal: str
    path: str
    params: Array
    bearer: str | None = None

    @property
    def _segments(self) -> list[str]:
        return self.path.strip("/").split("/")

    @property
    def webhook(self) -> tuple[str, str] | None:
        """User and secret of a webhook's address."""
        return (self._segments[0], self._segments[1]) if len(self._segments) == 3 else None

    @property
    def method(self) -> tuple[str, str]:
        """The method in small letters, and the format of the answer."""
        name = self._segments[-1].lower() if len(self._segments) in (1, 3) else ""
        stem, _, suffix = name.rpartition(".")
        return (stem, suffix) if stem and suffix in ("json", "xml") else (name, "json")


class _Broken(Exception):
    """A fault ends the request amid a batch."""

    def __init__(self, action: FaultAction) -> None:
        self.action = action


def respond(store: Store, apps: Apps, faults: list[Fault], request: Request, clock: Clock) -> Answer:
    """The answer to a request, carried out in one transaction."""
    if store.refresh():
        apps.reload()
    method, kind = request.method
    answer = Answer()
    with nullcontext() if method in methods.READING and not faults else store.writing():
        run = _Run(store.portal(request.portal), apps, faults, request, answer, clock)
        try:
            document, answer.status = run.document(method)
        except Crash:
            answer.status, answer.content_type = 500, _HTML
        except _Broken as broken:
            action = broken.action
            answer.status, answer.body, answer.content_type = action.value or 0, action.body.encode(), _HTML
            answer.cut = answer.cut if action.kind == "status" else action.kind
        else:
            answer.error = str(document.get("error", ""))
            answer.body = encoded(document)
            if kind == "xml":
                answer.body, answer.content_type = _xml({"response": document}).encode(), "text/xml; charset=utf-8"
    return answer


def encoded(document: Mapping[str, Any]) -> bytes:
    """A document as JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class _Run:
    """One request under way."""

    portal: Portal
    apps: Apps
    faults: list[Fault]
    request: Request
    answer: Answer
    clock: Clock
    memory: Memory | None = None

    def document(self, method: str) -> tuple[dict[str, Any], int]:
        """The answer's document, and its status."""
        started = self.clock.now()
        found = self._call(method, self.request.params)
        return envelope(found, started, self.clock.now()), found.status if isinstance(found, Refusal) else 200

    def _call(
        self, method: str, params: Array, *, inside: bool = False, provider_answers: bool = True
    ) -> Result | Refusal:
        """One method: the request's own, or `inside` a batch that of a command."""
        actions = due(self.faults, method)
        if (failure := self._obey(actions)) is not None:
            return failure
        if not methods.known(method) or (not inside and params.get("token") is not None):
            return refusal("ERROR_METHOD_NOT_FOUND")
        if not inside:
            owner = self._owner()
            if isinstance(owner, Refusal):
                return owner
            self.answer.app, self.memory = owner, Memory() if method == BATCH else None
        if methods.needs_scope(method, self.portal.access.scope):
            return refusal("insufficient_scope")
        self.portal.stats.calls[method] += 1
        answers = provider_answers and all(action.kind != "registration-fails" for action in actions)
        if method == BATCH:
            return Result(run_batch(params, lambda name, given: self._command(name, given, provider_answers=answers)))
        now = self.clock.now()
        caller = Caller(self.portal, self.answer.app, self.apps.client_ids, now, answers, self.memory)
        return methods.run(caller, method, params)

    def _command(self, method: str, params: Array, *, provider_answers: bool) -> Mapping[str, Any]:
        """The envelope of one command of a batch."""
        started = self.clock.now()
        self.answer.commands.append(method)
        found = self._call(method, params, inside=True, provider_answers=provider_answers)
        return envelope(found, started, self.clock.now())

    def _owner(self) -> str | Refusal | None:
        """The application that calls, None for a webhook."""
        params = self.request.params
        if isinstance(params.get("state"), dict):
            raise Crash("an array where a text belongs")
        webhook = self.request.webhook
        if webhook is None and "aplogin" in params and "ap" in params:
            webhook = (text(params["aplogin"]), text(params["ap"]))
        if webhook is not None:
            return None if webhook == self.apps.webhook else refusal("INVALID_CREDENTIALS")
        token: Any = self.request.bearer
        if token is None:
            given = [params[name] for name in ("auth", "access_token") if name in params]
            token = next((value for value in given if not isinstance(value, dict)), None)
        return self.apps.named(str(token)) if token else refusal("NO_AUTH_FOUND")

    def _obey(self, actions: list[FaultAction]) -> Refusal | None:
        """Do what faults order before a call; the error that they order, if they do. Raises `_Broken`."""
        for action in actions:
            if action.kind in ("status", "reset-before"):
                raise _Broken(action)
            if action.kind == "error":
                return refusal(action.value)
            if action.kind == "mutate":
                mutate(self.portal, action.value, self.clock.now())
            elif action.kind == "delay":
                self.answer.delay += action.value
            elif action.kind in ("reset-after", "truncate"):
                self.answer.cut = action.kind
        return None


def _xml(value: object) -> str:
    """A document as the server writes XML: rows of a list are items."""
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(item)}</{name}>" for name, item in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_xml(item)}</item>" for item in value)
    return escape(text(value))
