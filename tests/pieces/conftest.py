"""The stage of the CI pieces' stories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import pieces


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[pieces.Portal]:
    """An emulated portal with two lines."""
    with pieces.served(tmp_path) as portal:
        yield portal


@pytest.fixture
def forge() -> Iterator[pieces.Forge]:
    """A forge with one open request, number 7."""
    with pieces.forge() as forge:
        yield forge


@pytest.fixture
def repository(tmp_path: Path) -> pieces.Repository:
    """A repository whose file says what the portal holds."""
    return pieces.repository(tmp_path)


@pytest.fixture
def secrets(portal: pieces.Portal) -> dict[str, str]:
    """The secrets that jobs on the main branch are given."""
    return {"ACME_WEBHOOK": portal.webhook, "SIP_SALES_PASSWORD": pieces.PASSWORD}
