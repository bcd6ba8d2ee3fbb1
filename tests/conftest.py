"""What every test shares: an event loop, and an emulated portal over real HTTP."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from hypothesis import settings

from support.box import Box

# The gate judges a change by the same examples each time; everywhere else new ones are looked for.
settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("gate")


def pytest_configure() -> None:
    """A shell starts background jobs with Ctrl-C ignored, which every process of a test would inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    """sipsync runs on asyncio alone."""
    return "asyncio"


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """A sandbox that listens on loopback, with two applications and no rate limit."""
    from sipsync.disk.clock import SystemClock
    from sipsync.sandbox import Options
    from sipsync.sandbox.server import create_app
    from sipsync.sandbox.serving import configured

    server = uvicorn.Server(configured(create_app(Options(apps=("appa", "appb"), secret="sandbox"), SystemClock())))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def box(sandbox_url: str, tmp_path: Path) -> Box:
    """A portal of its own for this test."""
    return Box(sandbox_url, tmp_path)
