"""Asking for references, and a canary that must not be seen in any finding or log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from sipsync.model.operator import Operator
from sipsync.model.problems import Span
from sipsync.model.secret import SecretRef
from sipsync.secrets.resolve import resolve
from support.secrets import CANARY, Answers, Ask


@pytest.fixture
def canary() -> str:
    """What stands for a secret in these tests."""
    return CANARY


@pytest.fixture(autouse=True)
def _no_secret_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield
    assert CANARY not in caplog.text


@pytest.fixture
def ask() -> Ask:
    """Resolve references, written as text, each on a line of its own."""

    async def asked(operator: Operator, *texts: str) -> Answers:
        refs = []
        for number, text in enumerate(texts, 1):
            scheme, _, rest = text.partition(":")
            refs.append(SecretRef(scheme, rest, at=Span("portals/acme.yaml", number)))
        return Answers(await resolve(refs, operator))

    return asked
