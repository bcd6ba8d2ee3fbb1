"""The stage of the CI pieces' stories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pieces_stage
import pytest


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[pieces_stage.Portal]:
    """An emulated portal with two lines."""
    with pieces_stage.served(tmp_path) as portal:
        yield portal


@pytest.fixture
def forge() -> Iterator[pieces_stage.Forge]:
    """A forge with one open request, number 7."""
    with pieces_stage.forge() as forge:
        yield forge


@pytest.fixture
def repository(tmp_path: Path) -> pieces_stage.Repository:
    """A repository whose file says what the portal holds."""
    return pieces_stage.repository(tmp_path)


@pytest.fixture
def secrets(portal: pieces_stage.Portal) -> dict[str, str]:
    """The secrets that jobs on the main branch are given."""
    return {"ACME_WEBHOOK": portal.webhook, "SIP_SALES_PASSWORD": pieces_stage.PASSWORD}
