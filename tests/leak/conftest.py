"""A stage of its own for each test, and a server that quotes what it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.leak.server import Hostile, serve
from support.leak.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Folders, secrets and processes of this test."""
    return Stage(tmp_path)


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    """The server of this test."""
    with serve() as server:
        yield server
