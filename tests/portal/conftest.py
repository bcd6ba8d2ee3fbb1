"""The fixtures of the portal's tests: a scripted server, a clock, and portals open to the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sipsync.model.lines import Access, Limits, WebhookAccess
from sipsync.model.operator import Operator
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal.client import RestPortal, connect
from support.scripted import REF, FakeClock, Open, Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    scripted = Server()
    listening = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.port = listening.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        listening.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def opened(server: Server, clock: FakeClock) -> Open:
    """Opens a portal at the scripted server."""

    @asynccontextmanager
    async def open_(
        access: Access | None = None,
        secrets: Mapping[SecretRef, Secret] | None = None,
        operator: Operator | None = None,
        **more: Any,
    ) -> AsyncIterator[RestPortal]:
        async with connect(
            "acme",
            access or WebhookAccess(REF),
            {REF: Secret(server.webhook)} if secrets is None else secrets,
            operator or Operator(),
            **{"limits": Limits(), "clock": clock, **more},
        ) as portal:
            yield portal

    return open_


@pytest.fixture
async def portal(opened: Open) -> AsyncIterator[RestPortal]:
    async with opened() as found:
        yield found
