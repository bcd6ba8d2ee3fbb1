"""A sandbox in this process for tests: no socket, a clock that only tests move."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from starlette.applications import Starlette

from sipsync.sandbox import Options
from sipsync.sandbox.server import Sandbox, create_app
from support.clock import Clock

LINE = {"type": "cloud", "title": "Sales", "server": "sip.example", "login": "u", "password": "p", "config_id": 69}


@dataclass
class Stage:
    """A sandbox and its client."""

    options: Options
    clock: Clock = field(default_factory=lambda: Clock(1000.0))

    def __post_init__(self) -> None:
        options = replace(self.options, secret="sandbox")
        self.app: Starlette = create_app(options, self.clock)
        self.sandbox: Sandbox = self.app.state.sandbox
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost")

    async def call(self, method: str, /, **params: Any) -> httpx.Response:
        """A webhook's call."""
        return await self.http.post(f"/rest/1/sandbox/{method}", json=params)

    async def result(self, method: str, /, **params: Any) -> Any:
        """The result of a webhook's call; of an error its code."""
        document = (await self.call(method, **params)).json()
        return document["result"] if "result" in document else document["error"]

    async def batch(self, **commands: str) -> Any:
        """The five maps of a batch."""
        return await self.result("batch", cmd=commands)

    async def seed(self, *lines: dict[str, Any], **more: Any) -> None:
        """Lay lines."""
        answer = await self.http.post("/_sandbox/seed", json={"lines": list(lines), **more})
        assert answer.status_code == 200, answer.text

    async def faults(self, *orders: dict[str, Any]) -> httpx.Response:
        """Order failures."""
        return await self.http.post("/_sandbox/faults", json=list(orders))

    async def control(self, what: str, portal: str = "") -> Any:
        """What a control route shows."""
        return (await self.http.get(f"/_sandbox/{what}", params={"portal": portal})).json()
