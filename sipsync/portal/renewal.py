"""Tokens of an application that we renew ourselves.

Each renewal voids the refresh token it used, so it happens under a lock that all processes share, its outcome is kept
before it is used, and a renewal that has been sent is never abandoned.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from filelock import Timeout

from sipsync.model.message import Message
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.portal.envelope import code
from sipsync.portal.errors import Unanswered
from sipsync.portal.tokens import Tokens, TokenStore, token_error

if TYPE_CHECKING:
    from sipsync.portal.endpoint import Target
    from sipsync.portal.transport import Response, Transport

DEFAULT_TOKEN_URL: Final = "https://oauth.bitrix.info/oauth/token/"  # noqa: S105  # documented; not a secret

_AGAIN = Message(
    "authorise the application on the portal again and put the new refresh token where the file's reference points"
)
_ADVICE: Mapping[str, Message] = {
    "invalid_grant": Message(
        "the refresh token is used up, expired (180 days) or of another application: {AGAIN}", AGAIN=_AGAIN
    ),
    "invalid_client": Message(
        "client_id and client_secret do not belong together; copy both from the application's page"
    ),
    "wrong_client": Message(
        "client_id and client_secret do not belong together; copy both from the application's page"
    ),
    "invalid_scope": Message("Give the application the scope telephony"),
    "insufficient_scope": Message("Give the application the scope telephony"),
    "PAYMENT_REQUIRED": Message("the portal's subscription has ended; renew it"),
}


class OwnToken:
    """Tokens that we renew, kept in a store that all runs of this operator share."""

    def __init__(
        self,
        name: str,
        client: tuple[Secret, Secret],
        refresh: Secret,
        store: TokenStore | None,
        exchange: Callable[[Mapping[str, Secret]], Awaitable[Response]],
        member_id: str | None = None,
    ) -> None:
        """`exchange` sends one query to the token endpoint."""
        self._name = name
        self._client_id, self._client_secret = client
        self._first = refresh
        self._store = store
        self._exchange = exchange
        self._member_id = member_id
        self._origin = hmac.digest(
            reveal(self._client_secret).encode(), b"origin " + reveal(refresh).encode(), "sha256"
        ).hex()
        self._access: Secret | None = None
        self._busy = asyncio.Lock()

    async def parameters(self) -> Mapping[str, Secret]:
        """The token in the body; a kept one, or the first one."""
        if self._access is None:
            await self.renew({})
        return {"auth": self._access or Secret("")}

    async def renew(self, used: Mapping[str, Secret]) -> None:
        """Another token than the one used: had by another request or process meanwhile, or renewed now."""
        # A renewal that has been sent must end in the store, whatever happens to who asked for it.
        task = asyncio.ensure_future(self._renew(used.get("auth")))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            _ = task.exception()  # nobody is left to hear of it
            raise

    async def _renew(self, expired: Secret | None) -> None:
        if self._store is None:
            raise token_error(
                Message(
                    "{name}: the application's token must be renewed, and this job has no place to keep the new one",
                    name=self._name,
                ),
                Message(
                    "A renewal voids the old refresh token: give --token-store a folder that outlives the "
                    "job, or use a webhook in CI."
                ),
            )
        try:
            async with self._busy, self._store.lock():
                kept = self._current(self._store)
                if kept is None or kept.access == expired:
                    kept = await self._renewed(kept.refresh if kept else self._first)
                    self._store.put(kept)
        except Timeout:
            raise token_error(
                Message("{name}: another process keeps the token store locked", name=self._name),
                Message("Wait until it ends, then try again."),
            ) from None
        except OSError as error:
            raise token_error(
                Message("{name}: the token store can't be used ({name2})", name=self._name, name2=type(error).__name__),
                Message("Give --token-store a folder that only you can read and write."),
            ) from None
        self._check_member(kept)
        self._access = kept.access

    def _current(self, store: TokenStore) -> Tokens | None:
        """What the store has, unless the file gives a new refresh token since."""
        kept = store.get()
        return kept if kept and hmac.compare_digest(kept.origin, self._origin) else None

    async def _renewed(self, refresh: Secret) -> Tokens:
        query = {
            "grant_type": Secret("refresh_token"),
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "refresh_token": refresh,
        }
        try:
            response = await self._exchange(query)
        except Unanswered as lost:
            raise token_error(
                Message(
                    "{name}: the token may be renewed, but the answer was lost: {summary}",
                    name=self._name,
                    summary=lost.diagnostics[0].summary,
                ),
                Message("Try again; if the next run is refused with invalid_grant, {AGAIN}.", AGAIN=_AGAIN),
            ) from None
        try:
            answer = json.loads(response.body)
        except (ValueError, RecursionError):
            answer = None
        fields = answer if isinstance(answer, dict) else {}
        texts = {key: value for key, value in fields.items() if isinstance(value, str)}
        if "error" in texts or not {"access_token", "refresh_token"} <= texts.keys():
            raise self._refused(code(texts.get("error")), response.status)
        return Tokens(
            Secret(texts["access_token"]), Secret(texts["refresh_token"]), self._origin, texts.get("member_id", "")
        )

    def _refused(self, error: str, status: int) -> Exception:
        reason = error or f"status {status}, and no token in the answer"
        return token_error(
            Message("{name}: the token can't be renewed ({reason})", name=self._name, reason=reason),
            _ADVICE.get(error, Message("Check token_url, client_id and client_secret, then try again")),
            error,
        )

    def _check_member(self, tokens: Tokens) -> None:
        if self._member_id and tokens.member_id != self._member_id:
            raise token_error(
                Message("{name}: the tokens belong to another portal than member_id says", name=self._name),
                Message("The domain may have a new owner: check domain, member_id and the refresh token."),
            )


async def ask_token(transport: Transport, target: Target, query: Mapping[str, Secret]) -> Response:
    """The token endpoint's answer; the query holds secrets, so it stays out of what may be shown."""
    text = urlencode({name: reveal(value) for name, value in query.items()})
    return await transport.send(replace(target, url=Secret(f"{reveal(target.url)}?{text}")), None)
