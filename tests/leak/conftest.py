"""A stage of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from leak_stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Folders, secrets and processes of this test."""
    return Stage(tmp_path)
