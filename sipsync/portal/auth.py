"""How a request shows who it is, and the seal that comes with it.

A webhook shows it by its address, an application by a token, renewed by others or by ourselves. A token is renewed
when the portal says `expired_token`, and never otherwise: the vendor blocks scheduled renewals (documented), and each
renewal voids the token of whoever else uses it.

A seal is a keyed fingerprint. Its key comes from the operator, or is derived (HKDF-SHA256) from what the credential
keeps for long: a webhook's user and secret, an application's secret and domain. An access token that another program
renews changes every hour, and what it sealed lives as long; SIPSYNC_PLAN_KEY makes it live longer.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from sipsync.model.lines import OAuthAccess, SandboxAccess
from sipsync.model.message import Message
from sipsync.model.problems import Code, ConfigError, Diagnostic, SipsyncError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret, SecretRef
from sipsync.portal import endpoint
from sipsync.portal.tokens import token_error

if TYPE_CHECKING:
    from sipsync.model.document import Seal
    from sipsync.model.lines import Access
    from sipsync.model.operator import Operator
    from sipsync.model.secret import Resolved
    from sipsync.portal.embedded import Embedded

ResolveAgain: TypeAlias = Callable[[SecretRef], Awaitable[Secret]]
"""Asks a reference once more, past anything that remembers its value."""


class Credential(Protocol):
    """Shows a portal who asks."""

    async def parameters(self) -> Mapping[str, Secret]:
        """What every request carries besides its own parameters."""
        ...

    async def renew(self, used: Mapping[str, Secret]) -> None:
        """Have other parameters than those `used`, which have expired; raises PortalError where there are none."""
        ...


class Webhook:
    """All of it is in the address."""

    async def parameters(self) -> Mapping[str, Secret]:
        """Nothing."""
        return {}

    async def renew(self, used: Mapping[str, Secret]) -> None:
        """Impossible."""
        raise token_error(
            Message("the portal says that a token expired, but a webhook has none"), Message("Check the webhook's URL.")
        )


class GivenToken:
    """An access token that another program renews; we only look whether it has."""

    def __init__(self, reference: SecretRef, token: Secret, resolve_again: ResolveAgain | None) -> None:
        self._reference, self._token, self._resolve_again = reference, token, resolve_again

    async def parameters(self) -> Mapping[str, Secret]:
        """The token, in the body: an address or a header would show it to more programs on the way (documented)."""
        return {"auth": self._token}

    async def renew(self, used: Mapping[str, Secret]) -> None:
        """Ask the reference once more."""
        expired = used["auth"]
        if self._token != expired:
            return
        fresh = await self._resolve_again(self._reference) if self._resolve_again else expired
        if fresh == expired:
            raise token_error(
                Message("the access token of {reference} has expired", reference=self._reference),
                Message("The program that renews it must do so; sipsync never renews a token that is given to it."),
            )
        self._token = fresh


def seal_for(access: Access, secrets: Resolved, operator: Operator, embedded: Embedded | None = None) -> Seal:
    """The seal of everything that is planned with this credential; needs no network."""
    return plan_key_seal(operator) or _seal(_derived(access, secrets, operator, embedded))


def plan_key_seal(operator: Operator) -> Seal | None:
    """The seal of the operator's own key, SIPSYNC_PLAN_KEY; None where there is none."""
    return _seal(reveal(operator.plan_key).encode()) if operator.plan_key else None


def _seal(key: bytes) -> Seal:
    return lambda message: hmac.digest(key, message, "sha256").hex()


def _derived(access: Access, secrets: Resolved, operator: Operator, embedded: Embedded | None) -> bytes:
    if isinstance(access, SandboxAccess):
        if embedded is None:
            raise SipsyncError(
                Diagnostic(
                    Code.PLAN_SEAL,
                    Message("the key that sealed this is in the emulated portal's file, which is not open"),
                    hint=Message("Check it where the file is, with `sipsync plan` or `sipsync apply`."),
                )
            )
        return hkdf(embedded.key, "sandbox")
    if isinstance(access, OAuthAccess):
        return hkdf(
            reveal(secrets[_lasting(access)]).encode(),
            f"application {access.domain.lower()}",
        )
    return hkdf(reveal(endpoint.webhook(secrets[access.url], operator).credential).encode(), "webhook")


def _lasting(access: OAuthAccess) -> SecretRef:
    lasting = access.client_secret or access.access_token
    if lasting is None:
        raise incomplete(access)
    return lasting


def incomplete(access: OAuthAccess) -> ConfigError:
    """The error for an application without the means to show who it is."""
    return ConfigError(
        Diagnostic(
            Code.MISSING_KEY,
            Message(
                "portal.oauth of {domain} has neither an access token nor all that is needed to renew one",
                domain=access.domain,
            ),
            hint=Message("Give access_token, or client_id, client_secret and refresh_token."),
        )
    )


def hkdf(secret: bytes, purpose: str) -> bytes:
    """32 bytes of key for one purpose (RFC 5869, SHA-256, one block)."""
    extracted = hmac.digest(b"sipsync plan key", secret, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")
