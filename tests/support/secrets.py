"""What came of asking for references, none of which may show the canary."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sipsync.model.problems import Diagnostic
from sipsync.model.reveal import reveal
from sipsync.secrets.resolve import Resolution

CANARY = "c4n4ry-p4ssw0rd"


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
