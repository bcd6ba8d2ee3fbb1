"""An emulated portal in this process, as the client sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application."""


class Embedded(Protocol):
    """What the sandbox gives for a file: an application, and the random key kept in that file."""

    @property
    def app(self) -> App:
        """Answers requests as a portal does."""
        ...

    @property
    def key(self) -> bytes:
        """Seals plans."""
        ...
