"""What a file's way to a portal comes to once its secrets are known: whose lines, where to, with which token and seal.

A seal is a keyed fingerprint. Its key comes from the operator, or is derived (HKDF-SHA256) from what the credential
keeps for long: a webhook's user and secret, an application's secret and domain. An access token that another program
renews changes every hour, and what it sealed lives as long; SIPSYNC_PLAN_KEY makes it live longer.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from sipsync.model.document import Seal
from sipsync.model.lines import DesiredPortal, GivenTokenAccess, OwnTokenAccess, SandboxAccess, WebhookAccess
from sipsync.model.operator import Operator
from sipsync.model.reveal import reveal
from sipsync.model.secret import Resolved, Secret
from sipsync.portal import endpoint
from sipsync.portal.endpoint import Endpoint
from sipsync.portal.tokens import AskAgain, GivenToken, OwnToken
from sipsync.portal.transport import App

_EMBEDDED = Secret("http://127.0.0.1/rest/1/sandbox/")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose lines on which portal: known from the credential, without asking the portal."""

    host: str
    """Lower case, with a port where it is not the default one; for loopback with the path before `/rest/`."""
    owner: str
    """`webhook` (all webhooks of a portal see the same lines), or `app:<client_id>`."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A way to a portal."""

    identity: Identity
    endpoint: Endpoint
    seal: Seal
    """Of all that is planned with this credential."""
    tokens: GivenToken | OwnToken | None = None
    """What an application's requests carry; a webhook has it all in the address."""
    app: Callable[[], App] | None = None
    """Opens the emulated portal that answers in the place of the network."""


def credential_of(
    portal: DesiredPortal,
    secrets: Resolved,
    operator: Operator,
    *,
    ask_again: AskAgain,
    embedded: Callable[[str], tuple[App, Secret]],
) -> Credential:
    """The credential that a file declares, without asking the portal.

    Raises ConfigError for an address that may not be used. `embedded` opens an emulated portal's file, and has the
    random key that is kept in it.
    """
    at = portal.at
    # A reference is not secret; what it stands for is, even if it is only an application's id: so that is no owner.
    match portal.access:
        case WebhookAccess(url):
            to = endpoint.webhook(secrets[url], operator, url.at)
            seal = _seal(operator, "webhook", lambda: reveal(to.credential).encode())
            return Credential(Identity(to.name, "webhook"), to, seal)
        case GivenTokenAccess(domain, reference):
            to = endpoint.application(domain, operator, at)
            seal = _seal(operator, f"application {domain.lower()}", lambda: reveal(secrets[reference]).encode())
            given = GivenToken(reference, secrets[reference], ask_again)
            return Credential(Identity(to.name, f"app:{reference}"), to, seal, given)
        case OwnTokenAccess(domain, client_id, client_secret) as access:
            to = endpoint.application(domain, operator, at)
            seal = _seal(operator, f"application {domain.lower()}", lambda: reveal(secrets[client_secret]).encode())
            own = OwnToken(access, secrets, operator, to.name, endpoint.token(access.token_url, operator, at))
            return Credential(Identity(to.name, f"app:{client_id}"), to, seal, own)
        case SandboxAccess(path):
            to = endpoint.webhook(_EMBEDDED, operator, at)
            seal = _seal(operator, "sandbox", lambda: bytes.fromhex(reveal(embedded(path)[1])))
            return Credential(Identity(f"sandbox:{path}", "webhook"), to, seal, app=lambda: embedded(path)[0])


def plan_key_seal(operator: Operator) -> Seal | None:
    """The seal of the operator's own key, SIPSYNC_PLAN_KEY; None where there is none."""
    key = operator.plan_key
    return (lambda message: hmac.digest(reveal(key).encode(), message, "sha256").hex()) if key else None


def _seal(operator: Operator, purpose: str, secret: Callable[[], bytes]) -> Seal:
    key = cache(lambda: hkdf(secret(), purpose))
    return plan_key_seal(operator) or (lambda message: hmac.digest(key(), message, "sha256").hex())


def hkdf(secret: bytes, purpose: str) -> bytes:
    """32 bytes of key for one purpose (RFC 5869, SHA-256, one block)."""
    extracted = hmac.digest(b"sipsync plan key", secret, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")
