"""A stage for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sipsync.sandbox import Options
from support.sandbox import LINE, Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """One cloud line, one application, no rate limit."""
    stage = Stage(Options(seed={"lines": [LINE]}, apps=("appa",)))
    yield stage
    stage.sandbox.store.close()
