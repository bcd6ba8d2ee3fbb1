"""The fixtures of the portal's tests: a scripted server, a clock, and portals open to the server."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sipsync.model.lines import Access
from sipsync.model.operator import Operator
from sipsync.model.policy import Limits
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal.client import RestPortal, connect
from sipsync.portal.throttle import Throttle
from support.clock import Clock
from support.scripted import REF, WEBHOOK, Open, Server, credential


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
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def opened(server: Server, clock: Clock) -> Open:
    """Opens a portal at the scripted server."""

    @asynccontextmanager
    async def open_(
        access: Access = WEBHOOK,
        secrets: Mapping[SecretRef, Secret] | None = None,
        operator: Operator | None = None,
        *,
        limits: Limits = Limits(),
        seconds: float = math.inf,
        **more: Any,
    ) -> AsyncIterator[RestPortal]:
        known = {REF: Secret(server.webhook)} if secrets is None else secrets
        throttle = Throttle("acme", limits, clock, seconds=seconds)
        async with connect(credential(access, known, operator, **more), throttle) as portal:
            yield portal

    return open_


@pytest.fixture
async def portal(opened: Open) -> AsyncIterator[RestPortal]:
    async with opened() as found:
        yield found
