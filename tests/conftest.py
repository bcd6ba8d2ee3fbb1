"""What every test shares."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """sipsync runs on asyncio alone."""
    return "asyncio"
