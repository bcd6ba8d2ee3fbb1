"""Requests to a forge's API. The token travels in a header and is in no address, log or error.

Every failure is a `SipsyncError`; one that may pass by itself is `Unavailable`, and the whole of what was being done
may then be done again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self, TypeAlias

import httpx

from sipsync._version import __version__
from sipsync.forge.target import failed, no_api
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret

_TIMEOUT: Final = httpx.Timeout(connect=10, read=60, write=30, pool=None)
_LONGEST_WAIT: Final = 60.0

Hints: TypeAlias = Mapping[int, tuple[Message, Message]]
"""What a forge's statuses mean and what to do, by status."""


class Unavailable(SipsyncError):
    """It may work in a moment."""

    def __init__(self, summary: Message, wait: float = 0.0) -> None:
        """`wait` is the number of seconds that the forge asks for; 0 where it does not say."""
        hint = Message("Run it again later; the plan itself is not affected.")
        super().__init__(Diagnostic(Code.FORGE, summary, hint=hint))
        self.wait = wait


class Api:
    """A forge's API, asked with a token that stands in `header`, after `prefix`."""

    def __init__(self, base: str, token: Secret, header: str, prefix: str, hints: Hints) -> None:
        self._base = base
        self._hints = hints
        own = {"Accept": "application/json", "User-Agent": f"sipsync/{__version__}", header: prefix + reveal(token)}
        try:
            self._client = httpx.Client(headers=own, timeout=_TIMEOUT)
        except (OSError, ValueError, ImportError):
            summary = Message("the system's certificates or proxy can't be used")
            raise failed(summary, Message("Check SSL_CERT_FILE, HTTPS_PROXY and ALL_PROXY.")) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **params: str | int) -> Any:
        """What is there, as JSON."""
        return self._ask("GET", path, params=params)

    def send(self, method: str, path: str, body: Mapping[str, str]) -> Any:
        """What the forge made of this JSON."""
        return self._ask(method, path, json=body)

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        try:
            answer = self._client.request(method, self._base + path, **content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # By its kind alone: its text may quote headers.
            raise Unavailable(Message("the forge can't be reached ({name})", name=type(error).__name__)) from None
        if not answer.is_success:
            raise self._refusal(answer)
        try:
            return answer.json()
        except ValueError:
            raise no_api(Message("no JSON")) from None

    def _refusal(self, answer: httpx.Response) -> SipsyncError:
        status, headers = answer.status_code, answer.headers
        asked = headers.get("Retry-After", "")
        wait = float(asked) if asked.isascii() and asked.isdigit() else 0.0
        limited = status == 429 or (status == 403 and (asked or headers.get("X-RateLimit-Remaining") == "0"))
        if limited and wait > _LONGEST_WAIT:
            summary = Message("the forge accepts no more requests for {wait:.0f} s", wait=wait)
            return failed(summary, Message("Run it again after that time."))
        if limited:
            return Unavailable(Message("the forge accepts no more requests for now"), wait)
        if status >= 500:
            summary = Message("the forge failed with status {status}", status=status)
            return Unavailable(summary, min(wait, _LONGEST_WAIT))
        if answer.is_redirect:
            summary = Message("the forge says that the project has moved")
            return failed(summary, Message("Check the project's name and the API's address."))
        summary, hint = self._hints.get(
            status,
            (Message("answered with status {status}", status=status), Message("Check the project and the token.")),
        )
        return failed(Message("the forge {summary}", summary=summary), hint)
