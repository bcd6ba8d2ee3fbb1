"""One Bitrix24 portal over REST: who it is, a connection to it, and its lines.

`identify` and `seal_for` tell from the credential alone; `connect` opens nothing until the first request.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from sipsync.model.lines import OAuthAccess, SandboxAccess, Snapshot, WebhookAccess
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal import endpoint, rows
from sipsync.portal.auth import GivenToken, Webhook, incomplete, seal_for
from sipsync.portal.embedded import Embedded
from sipsync.portal.envelope import Command, Result
from sipsync.portal.protocol import Identity
from sipsync.portal.renewal import DEFAULT_TOKEN_URL, OwnToken, ask_token
from sipsync.portal.session import Session
from sipsync.portal.throttle import Throttle
from sipsync.portal.tokens import store_for
from sipsync.portal.transport import Transport
from sipsync.portal.writes import PAGE, Sender, reading
from sipsync.rules.batching import BATCH_SIZE

if TYPE_CHECKING:
    from sipsync.model.clock import Clock
    from sipsync.model.document import Seal
    from sipsync.model.lines import Access, Call, CurrentLine, Limits, Registration
    from sipsync.model.operator import Operator
    from sipsync.model.secret import Resolved
    from sipsync.portal.auth import Credential, ResolveAgain
    from sipsync.portal.endpoint import Endpoint
    from sipsync.portal.protocol import Sent

__all__ = ["RestPortal", "connect", "identify", "seal_for"]

READINGS: Final = 3
"""How often a list is read that changes while it is read, before we give up."""

_EMBEDDED = Secret("http://127.0.0.1/rest/1/sandbox/")


def identify(access: Access, secrets: Resolved, operator: Operator) -> Identity:
    """Whose lines on which portal, without asking it; raises ConfigError for an address that may not be used."""
    if isinstance(access, SandboxAccess):
        return Identity(f"sandbox:{access.path}", "webhook")
    if isinstance(access, WebhookAccess):
        return Identity(endpoint.webhook(secrets[access.url], operator, access.url.at).name, "webhook")
    if access.access_token is None:
        endpoint.token(access.token_url or DEFAULT_TOKEN_URL, operator)
    # A reference is not secret; what it stands for is, even if it is only an application's id.
    return Identity(
        endpoint.application(access.domain, operator).name, f"app:{access.client_id or access.access_token}"
    )


@asynccontextmanager
async def connect(
    name: str,
    access: Access,
    secrets: Resolved,
    operator: Operator,
    *,
    limits: Limits,
    throttle: Throttle | None = None,
    clock: Clock,
    deadline: float | None = None,
    embedded: Embedded | None = None,
    resolve_again: ResolveAgain | None = None,
) -> AsyncIterator[RestPortal]:
    """A portal to read and write, until the block ends.

    Portals of one host share a `throttle`; one that is alone keeps to its own `limits`. `deadline` is a time of
    `clock.monotonic()` after which nothing is sent. `resolve_again` asks the reference of an access token once more
    when the portal says that it has expired.
    """
    async with Transport(embedded.app if embedded else None) as transport:
        session = Session(
            transport,
            _endpoint(access, secrets, operator),
            _credential(name, access, secrets, operator, transport, resolve_again),
            operator,
            throttle=throttle or Throttle(limits, clock),
            clock=clock,
            deadline=deadline,
        )
        yield RestPortal(session, identify(access, secrets, operator), seal_for(access, secrets, operator, embedded))


def _endpoint(access: Access, secrets: Resolved, operator: Operator) -> Endpoint:
    if isinstance(access, OAuthAccess):
        return endpoint.application(access.domain, operator)
    if isinstance(access, WebhookAccess):
        return endpoint.webhook(secrets[access.url], operator, access.url.at)
    return endpoint.webhook(_EMBEDDED, operator)


def _credential(
    name: str,
    access: Access,
    secrets: Resolved,
    operator: Operator,
    transport: Transport,
    resolve_again: ResolveAgain | None,
) -> Credential:
    if not isinstance(access, OAuthAccess):
        return Webhook()
    if access.access_token:
        return GivenToken(access.access_token, secrets[access.access_token], resolve_again)
    if not (access.client_id and access.client_secret and access.refresh_token):
        raise incomplete(access)
    client_id = secrets[access.client_id] if isinstance(access.client_id, SecretRef) else Secret(access.client_id)
    target = endpoint.token(access.token_url or DEFAULT_TOKEN_URL, operator)
    return OwnToken(
        name,
        (client_id, secrets[access.client_secret]),
        secrets[access.refresh_token],
        store_for(operator, _store_name(access.domain, client_id, secrets[access.client_secret])),
        partial(ask_token, transport, target),
        access.member_id,
    )


def _store_name(domain: str, client_id: Secret, client_secret: Secret) -> str:
    """A file name that is the same for the same application on the same portal, and tells nothing about it."""
    application = f"{domain.lower()} {reveal(client_id)}"
    return hmac.digest(reveal(client_secret).encode(), application.encode(), "sha256").hex()


class RestPortal:
    """A portal over REST: its lines, their registrations, and the way to change them."""

    def __init__(self, session: Session, identity: Identity, seal: Seal) -> None:
        self.identity = identity
        self.seal = seal
        self._session = session
        self._sender = Sender(session)

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, those for tokens included."""
        return self._session.requests

    async def snapshot(self, *, outgoing: bool = False) -> Snapshot:
        """All lines that the credential sees and the names of the whole portal, in as few requests as can be.

        The server has no snapshot: a list that changes while it is read in pages is read again.
        """
        for _ in range(READINGS):
            first, names, *default = await self._session.read_all(
                [_page(0), Command("voximplant.line.get"), *([Command("voximplant.line.outgoing.get")] * outgoing)]
            )
            lines = await self._all_pages(first)
            if lines is not None:
                return Snapshot(
                    lines=tuple(lines),
                    names=rows.names(names.value, self._host),
                    default_line=rows.default_line(default[0].value) if default else None,
                )
        raise rows.odd(self._host, f"lists of lines that contradict each other, {READINGS} times")

    async def _all_pages(self, first: Result) -> list[CurrentLine] | None:
        """The lines of all pages, by config_id; None where the pages do not fit together."""
        pages = [first]
        starts = range(PAGE, first.total or 0, PAGE)
        for place in range(0, len(starts), BATCH_SIZE):
            pages += await self._session.read_all([_page(start) for start in starts[place : place + BATCH_SIZE]])
        lines = {line.config_id: line for page in pages for line in self._lines(page)}
        counts = {page.total for page in pages} if first.total is not None else {0}
        return [lines[key] for key in sorted(lines)] if counts == {len(lines)} else None

    def _lines(self, page: Result) -> list[CurrentLine]:
        if not isinstance(page.value, list):
            raise rows.odd(self._host, "a list of lines that is not a list")
        return [rows.current_line(row, self._host) for row in page.value]

    async def lines(self, config_ids: Sequence[int]) -> Mapping[int, CurrentLine]:
        """These lines as they are now; a line that is gone is missing."""
        commands = reading(config_ids)
        if len(commands) == 1:
            pages = [await self._session.read(commands[0])]
        else:
            pages = []
            for place in range(0, len(commands), BATCH_SIZE):
                pages += await self._session.read_all(commands[place : place + BATCH_SIZE])
        return {line.config_id: line for page in pages for line in self._lines(page)}

    async def statuses(self, reg_ids: Sequence[int]) -> Mapping[int, Registration]:
        """The registrations, asked live, up to 50 in a request; one that the portal can't tell is missing.

        Asking writes the stored status and may notify portal users (server source). Any trouble with the telephony
        operator is told as an unknown registration, so a missing one proves nothing (server source).
        """
        commands = [Command("voximplant.sip.status", {"REG_ID": reg_id}) for reg_id in sorted(set(reg_ids))]
        told: dict[int, Registration] = {}
        for place in range(0, len(commands), BATCH_SIZE):
            answers = await self._session.batch(commands[place : place + BATCH_SIZE], halt=False, writes=False)
            found = [rows.registration(answer.value, self._host) for answer in answers if isinstance(answer, Result)]
            told |= {registration.reg_id: registration for registration in found}
        return told

    async def send(self, calls: Sequence[Call], read_back: Sequence[int] = ()) -> Sent:
        """Send calls in this order, in as few requests as the API allows; says what became of each."""
        return await self._sender.send(calls, read_back)

    # --- what doctor asks ---

    async def scope(self) -> frozenset[str]:
        """What the credential may use."""
        value = (await self._session.read(Command("scope"))).value
        return frozenset(map(str, value)) if isinstance(value, list) else frozenset()

    async def profile(self) -> Mapping[str, object]:
        """Whom the credential acts for."""
        return await self._map("profile")

    async def server_time(self) -> datetime:
        """The portal's time of day."""
        value = (await self._session.read(Command("server.time"))).value
        try:
            told = datetime.fromisoformat(rows.text(value))
        except ValueError:
            raise rows.odd(self._host, "a time that is none") from None
        return told if told.tzinfo else told.replace(tzinfo=UTC)

    async def connector_status(self) -> Mapping[str, object]:
        """What is paid for: FREE_MINUTES, PAID."""
        return await self._map("voximplant.sip.connector.status")

    async def _map(self, method: str) -> Mapping[str, object]:
        value = (await self._session.read(Command(method))).value
        return value if isinstance(value, dict) else {}

    @property
    def _host(self) -> str:
        return self._session.host


def _page(start: int) -> Command:
    # Without both SORT and ORDER there is no order, and pages would overlap (server source).
    return Command("voximplant.sip.get", {"SORT": "CONFIG_ID", "ORDER": "ASC", "start": start})
