"""Tokens of applications: given ones, that another program renews, and our own.

A token is renewed when the portal says `expired_token`, and never otherwise: the vendor blocks scheduled renewals
(documented). Each renewal voids the refresh token it used, so it happens under a lock that all processes share, what it
gave is kept before it is used, and a renewal that has been sent is never abandoned.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlencode

from sipsync.disk import files
from sipsync.disk.system_lock import take
from sipsync.model.clock import Clock
from sipsync.model.frames import forgetful
from sipsync.model.lines import OwnTokenAccess
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Resolved, Secret, SecretRef
from sipsync.portal import envelope
from sipsync.portal.endpoint import Target
from sipsync.portal.errors import Unanswered
from sipsync.portal.transport import Response, Transport
from sipsync.rules import errors

AskAgain: TypeAlias = Callable[[SecretRef], Awaitable[Secret]]
"""Asks a reference once more, past anything that remembers its value."""

LOCK_SECONDS: Final = 120.0
"""Longer than any renewal of another process can take."""
_POLL_SECONDS: Final = 0.05


class GivenToken:
    """An access token that another program renews; we only look whether it has."""

    def __init__(self, reference: SecretRef, token: Secret, ask_again: AskAgain) -> None:
        self._reference, self._token, self._ask_again = reference, token, ask_again

    async def token(self, _transport: Transport, expired: Secret | None) -> Secret:
        """The token, or where it is the one that has expired, what the reference gives now."""
        if self._token == expired:
            self._token = await self._ask_again(self._reference)
            if self._token == expired:
                raise _error(
                    Message("the access token of {reference} has expired", reference=self._reference),
                    Message("The program that renews it must do so; sipsync never renews a token that is given to it."),
                )
        return self._token


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one renewal gave."""

    access: Secret
    refresh: Secret
    origin: str
    """A keyed digest of the refresh token in the file: a new one there makes these void."""
    member_id: str = ""


class TokenStore:
    """One application's tokens on one portal: a private file that all runs of this operator share."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / f"{name}.json"

    @asynccontextmanager
    async def lock(self, clock: Clock) -> AsyncIterator[None]:
        """Hold a lock of the operating system while tokens are renewed. Raises TimeoutError."""
        files.private_folder(self._file.parent)
        deadline = clock.monotonic() + LOCK_SECONDS
        while (let_go := take(self._file.with_suffix(".lock"))) is None:
            if clock.monotonic() >= deadline:
                raise TimeoutError
            await clock.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            let_go()

    def get(self, origin: str) -> Tokens | None:
        """The tokens kept last; none where the file can't be read as such, or has them from another refresh token."""
        kept = _texts(files.read_private(self._file) or b"")
        return _tokens(kept, origin) if hmac.compare_digest(kept.get("origin", "").encode(), origin.encode()) else None

    def put(self, tokens: Tokens) -> None:
        """Keep these before they are used: whole or not at all, and on the disk before this returns."""
        kept = {
            "access_token": reveal(tokens.access),
            "refresh_token": reveal(tokens.refresh),
            "origin": tokens.origin,
            "member_id": tokens.member_id,
        }
        files.write_private(self._file, json.dumps(kept).encode())


class OwnToken:
    """Tokens that we renew."""

    def __init__(
        self, access: OwnTokenAccess, secrets: Resolved, operator: Operator, clock: Clock, host: str, target: Target
    ) -> None:
        """`host` is what errors call the portal, `target` the token endpoint."""
        given_id = access.client_id
        self.client_id = secrets[given_id] if isinstance(given_id, SecretRef) else Secret(given_id)
        self._client_secret, self._first = secrets[access.client_secret], secrets[access.refresh_token]
        self._member_id = access.member_id
        self._operator, self._clock, self._host, self._target = operator, clock, host, target
        self._origin = self._digest("origin", self._first)
        self._access: Secret | None = None
        self._busy = asyncio.Lock()

    async def token(self, transport: Transport, expired: Secret | None) -> Secret:
        """Another token than the one that has expired: had by another request or process meanwhile, or renewed now."""
        if self._access is None or self._access == expired:
            # A renewal that has been sent must end in the store, whatever happens to who asked for it.
            task = asyncio.ensure_future(self._renew(transport, expired))
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait([task])
                _ = task.exception()  # nobody is left to hear of it
                raise
        return self._access

    @forgetful
    async def _renew(self, transport: Transport, expired: Secret | None) -> Secret:
        store = self._store()
        try:
            async with self._busy, store.lock(self._clock):
                tokens = store.get(self._origin)
                if tokens is None or tokens.access == expired:
                    tokens = await self._renewed(transport, tokens.refresh if tokens else self._first)
                    store.put(tokens)
        except TimeoutError:
            summary = Message("{host}: another process keeps the token store locked", host=self._host)
            raise _error(summary, Message("Wait until it ends, then try again.")) from None
        except OSError as error:
            raise _error(
                Message("{host}: the token store can't be used ({error})", host=self._host, error=type(error).__name__),
                Message("Give --token-store a folder that only you can read and write."),
            ) from None
        if self._member_id and tokens.member_id != self._member_id:
            raise _error(
                Message("{host}: the tokens belong to another portal than member_id says", host=self._host),
                Message("The domain may have a new owner: check domain, member_id and the refresh token."),
            )
        self._access = tokens.access
        return tokens.access

    def _store(self) -> TokenStore:
        """Where this operator keeps the tokens; raises PortalError where there is no place for them."""
        place = self._operator.token_store
        if ":" in place and not Path(place).drive:
            summary = Message("a token store of the kind {scheme}: is not available", scheme=place.partition(":")[0])
            raise _error(summary, Message("Give --token-store a folder that only you can read."))
        if not place and self._operator.ci:  # a job's disk is thrown away
            raise _error(
                Message(
                    "{host}: the application's token must be renewed, and this job has no place to keep the new one",
                    host=self._host,
                ),
                Message(
                    "A renewal voids the old refresh token: give --token-store a folder that outlives the "
                    "job, or use a webhook in CI."
                ),
            )
        # The same for the same application on the same portal, and tells nothing about it.
        name = self._digest(self._host, self.client_id)
        return TokenStore(Path(place) if place else files.state_dir(self._operator) / "tokens", name)

    async def _renewed(self, transport: Transport, refresh: Secret) -> Tokens:
        # The query holds secrets, so it stays out of what may be shown.
        query = urlencode(
            {
                "grant_type": "refresh_token",
                "client_id": reveal(self.client_id),
                "client_secret": reveal(self._client_secret),
                "refresh_token": reveal(refresh),
            }
        )
        try:
            response = await transport.send(replace(self._target, url=Secret(f"{self._target.shown}?{query}")), None)
        except Unanswered as lost:
            raise _error(
                Message(
                    "{host}: the token may be renewed, but the answer was lost: {summary}",
                    host=self._host,
                    summary=lost.diagnostics[0].summary,
                ),
                Message(
                    "Try again. If the next run is refused with invalid_grant, authorise the application on the portal "
                    "again and put the new refresh token where the file's reference points."
                ),
            ) from None
        answer = _texts(response.body)
        tokens = None if "error" in answer else _tokens(answer, self._origin)
        if tokens is None:
            raise self._refused(envelope.code(answer.get("error")), response)
        return tokens

    def _refused(self, error: str, response: Response) -> PortalError:
        if error:
            summary = Message("{host}: the token can't be renewed ({error})", host=self._host, error=error)
            return _error(summary, errors.rule(error).advice, error)
        summary = Message(
            "{host}: the token can't be renewed (status {status}, and no token in the answer)",
            host=self._host,
            status=response.status,
        )
        return _error(summary, Message("Check token_url, client_id and client_secret, then try again."))

    def _digest(self, purpose: str, value: Secret) -> str:
        return hmac.digest(reveal(self._client_secret).encode(), f"{purpose} {reveal(value)}".encode(), "sha256").hex()


def _texts(data: bytes) -> dict[str, str]:
    """The texts of a JSON object; nothing where it is none."""
    try:
        document = envelope.document_of(data)
    except (ValueError, RecursionError):
        return {}
    entries = document.items() if isinstance(document, dict) else ()
    return {name: value for name, value in entries if isinstance(value, str)}


def _tokens(texts: dict[str, str], origin: str) -> Tokens | None:
    if not {"access_token", "refresh_token"} <= texts.keys():
        return None
    return Tokens(Secret(texts["access_token"]), Secret(texts["refresh_token"]), origin, texts.get("member_id", ""))


def _error(summary: Message, hint: Message, error: str = "") -> PortalError:
    return PortalError(Diagnostic(Code.TOKEN, summary, hint=hint), error)
