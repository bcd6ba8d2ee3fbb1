"""Asking for references, and a canary that must not be seen in any finding or log."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator

import pytest

from sipsync.model.operator import Operator
from sipsync.model.problems import Diagnostic, Span
from sipsync.model.reveal import reveal
from sipsync.model.secret import SecretRef
from sipsync.secrets.resolve import Resolution, resolve

CANARY = "c4n4ry-p4ssw0rd"


@pytest.fixture
def canary() -> str:
    """What stands for a secret in these tests."""
    return CANARY


@pytest.fixture(autouse=True)
def _no_secret_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield
    assert CANARY not in caplog.text


class Answers:
    """What came of the references of one run, by their text."""

    def __init__(self, resolution: Resolution) -> None:
        assert CANARY not in repr(resolution)
        self._values = {str(ref): reveal(secret) for ref, secret in resolution.values.items()}
        self._failures = {str(ref): found for ref, found in resolution.failures.items()}
        assert not self._values.keys() & self._failures.keys()
        for found in self._failures.values():
            assert found.at is not None
            assert found.hint

    def __getitem__(self, text: str) -> str:
        assert text in self._values, self._failures.get(text)
        return self._values[text]

    def problem(self, text: str) -> Diagnostic:
        assert text not in self._values
        return self._failures[text]


Ask = Callable[..., Awaitable[Answers]]


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
