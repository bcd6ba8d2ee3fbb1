"""The sandbox in this process, and the real client's way to it: no socket, a clock that only tests move."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import httpx

from sipsync.model.lines import DesiredPortal, GivenTokenAccess, SandboxAccess
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal.client import RestPortal, connect
from sipsync.portal.throttle import Throttle
from sipsync.rules.state import PortalState
from sipsync.sandbox import Options, faults
from sipsync.sandbox.portal import Portal, Registration
from sipsync.sandbox.server import create_app
from support.clock import Clock
from support.scripted import commands_of, credential

TOKEN = SecretRef("env", "TOKEN")
OF_APPLICATION = GivenTokenAccess("http://127.0.0.1", TOKEN)
Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request."""

    time: float
    commands: list[tuple[str, dict[str, Any]]]

    def __contains__(self, method: str) -> bool:
        return any(name == f"voximplant.{method}" for name, _ in self.commands)


@dataclass
class Emulated:
    """One emulated portal and all that it was asked."""

    state: PortalState
    clock: Clock = field(default_factory=Clock)
    passwords: bool = True
    """Whether it returns passwords."""
    seconds: float = math.inf
    """How long whoever is connected may send."""
    before: Callable[[Asked], None] = lambda _asked: None
    """What happens just before a request is answered."""
    instead: Callable[[Asked, bytes], bytes] = lambda _asked, body: body
    """What is answered in the place of an answer."""
    crowded_until: float = 0.0
    """Until then another client of this address uses up all requests that the portal allows."""
    asked: list[Asked] = field(default_factory=list)

    @cached_property
    def portal(self) -> Portal:
        """What the sandbox holds."""
        return Portal("", self.state)

    @cached_property
    def _sandbox(self) -> Any:
        apps = sorted({row.app for row in self.state.rows.values() if row.app})
        options = Options(apps=tuple(apps), secret="sandbox", bucket=(50, 2.0) if self.crowded_until else None)
        app = create_app(options, self.clock)
        with app.state.sandbox.store.writing():
            app.state.sandbox.store.replace(self.portal)
        return app

    async def app(self, scope: Message, receive: Any, send: Any) -> None:
        """Note what is asked, and answer it."""
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message["body"]
        asked = Asked(self.clock.time, commands_of(scope["path"].rsplit("/", 1)[-1], json.loads(body)))
        self.asked.append(asked)
        self.before(asked)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._sandbox)) as other:
            while self.clock.time < self.crowded_until:
                if (await other.get("http://127.0.0.1/rest/1/sandbox/server.time")).is_error:
                    break

        async def once() -> Any:
            return {"type": "http.request", "body": body}

        async def passed(answer: Message) -> None:
            if "headers" in answer:
                answer["headers"] = [(name, value) for name, value in answer["headers"] if name != b"content-length"]
            if not self.passwords and "body" in answer:
                answer["body"] = re.sub(rb',"PASSWORD":"[^"]*"', b"", answer["body"])
            if answer.get("body"):
                answer["body"] = self.instead(asked, answer["body"])
            await send(answer)

        await self._sandbox(scope, once, passed)

    def goes_wrong(self, do: object, *places: int, method: str = "sip.update") -> None:
        """From now on this happens to a method's calls at these places; without places, to all of them."""
        matches = [{"method": f"voximplant.{method}", "nth": place} for place in places]
        orders = [{"match": match, "do": do} for match in matches or [{"method": f"voximplant.{method}"}]]
        self.faults.extend(faults.parse(orders))

    @property
    def faults(self) -> list[faults.Fault]:
        """What still is to go wrong."""
        found: list[faults.Fault] = self._sandbox.state.sandbox.faults("")
        return found

    def says(self, config_id: int, code: int, updated: str = "2026-01-01 00:00:00", message: str = "") -> None:
        """From now on the telephony provider says this of a line's registration."""
        self.portal.registrations[self.state.rows[config_id].reg_id or 0] = Registration(code, message, updated)

    @property
    def writes(self) -> int:
        """Requests that may have changed something."""
        return sum(any(f"sip.{verb}" in asked for verb in ("add", "update", "delete")) for asked in self.asked)

    @property
    def registrations(self) -> int:
        """How often lines were registered anew, or for the first time."""
        return self.portal.stats.registrations

    @asynccontextmanager
    async def connected(self, file: DesiredPortal, app: str | None = None) -> AsyncIterator[RestPortal]:
        """The real client, as an owner."""
        access = SandboxAccess("box") if app is None else OF_APPLICATION
        secrets: dict[SecretRef, Secret] = {}
        if app is not None:
            secrets[TOKEN] = Secret(self._sandbox.state.sandbox.apps.shown("")[app]["access_token"])
        asked = replace(credential(access, secrets), app=lambda: self.app)
        async with connect(asked, Throttle(file.name, file.limits, self.clock, seconds=self.seconds)) as portal:
            yield portal
