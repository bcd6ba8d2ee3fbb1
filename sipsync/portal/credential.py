"""What a file's way to a portal comes to once its secrets are known: whose lines, where to, with which token and seal.

A seal is a keyed fingerprint, and whoever knows its key can guess short secrets by it. So nothing that a file's author
can read is a key: it is the operator's SIPSYNC_PLAN_KEY, or is derived (HKDF-SHA256) from a random key of the state
folder and what the credential keeps for long: a webhook's user and secret, an application's secret. In CI, where state
folders come and go, such a credential alone is the key, unless it is read from a file that the author may have written.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sipsync.disk.locks import state_key
from sipsync.model.clock import Clock
from sipsync.model.document import Seal
from sipsync.model.frames import forgetful
from sipsync.model.lines import DesiredPortal, GivenTokenAccess, OwnTokenAccess, SandboxAccess, WebhookAccess
from sipsync.model.operator import Operator
from sipsync.model.reveal import reveal
from sipsync.model.secret import PATH_SCHEMES, Resolved, Secret, SecretRef
from sipsync.portal import endpoint
from sipsync.portal.endpoint import Endpoint
from sipsync.portal.tokens import AskAgain, GivenToken, OwnToken
from sipsync.portal.transport import App

_EMBEDDED = Secret("http://127.0.0.1/rest/1/sandbox/")
_NOTHING = Secret("")


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
    lasting: bool = True
    """Whether another job can have the seal's key, so that a plan is worth saving."""
    tokens: GivenToken | OwnToken | None = None
    """What an application's requests carry; a webhook has it all in the address."""
    account: Secret | None = None
    """The same for one owner however files spell it; None where the host alone tells the owner."""
    app: Callable[[], App] | None = None
    """Opens the emulated portal that answers in the place of the network."""


@forgetful
def credential_of(
    portal: DesiredPortal,
    secrets: Resolved,
    operator: Operator,
    clock: Clock,
    *,
    ask_again: AskAgain,
    embedded: Callable[[str], App],
) -> Credential:
    """The credential that a file declares, without asking the portal.

    Raises ConfigError for an address that may not be used. `embedded` opens an emulated portal's file.
    """
    at = portal.at
    # A reference is not secret; what it stands for is, even if it is only an application's id: so that is no owner.
    match portal.access:
        case WebhookAccess(url):
            to = endpoint.webhook(secrets[url], operator, url.at)
            seal, lasting = _seal(operator, clock, "webhook", url, to.credential)
            return Credential(Identity(to.name, "webhook"), to, seal, lasting)
        case GivenTokenAccess(domain, reference):
            to = endpoint.application(domain, operator, at)
            # The token is another one every hour.
            seal, lasting = _seal(operator, clock, f"application {to.name}", None)
            given = GivenToken(reference, secrets[reference], ask_again)
            return Credential(
                Identity(to.name, f"app:{reference}"), to, seal, lasting, given, _same(secrets[reference])
            )
        case OwnTokenAccess(domain, client_id, client_secret) as access:
            to = endpoint.application(domain, operator, at)
            seal, lasting = _seal(operator, clock, f"application {to.name}", client_secret, secrets[client_secret])
            target = endpoint.token(access.token_url, operator, at)
            own = OwnToken(access, secrets, operator, clock, to.name, target)
            return Credential(Identity(to.name, f"app:{client_id}"), to, seal, lasting, own, _same(own.client_id))
        case SandboxAccess(path):
            to = endpoint.webhook(_EMBEDDED, operator, at)
            seal, _ = _seal(operator, clock, "sandbox", None)
            return Credential(Identity(f"sandbox:{path}", "webhook"), to, seal, app=lambda: embedded(path))


def _same(account: Secret) -> Secret:
    return Secret(reveal(account).casefold())


def seal_by(key: Secret | None) -> Seal | None:
    """The seal of a key of the operator's; None where there is none."""
    return (lambda message: hmac.digest(reveal(key).encode(), message, "sha256").hex()) if key else None


def _seal(
    operator: Operator, clock: Clock, purpose: str, ref: SecretRef | None, secret: Secret = _NOTHING
) -> tuple[Seal, bool]:
    """The seal of a credential that `ref` refers to, None where it keeps nothing for long; and whether it lasts."""
    if seal := seal_by(operator.plan_key):
        return seal, True
    lasting = ref is not None and not _by_author(ref, operator)
    alone = operator.ci and lasting
    key = cache(lambda: hkdf((b"" if alone else state_key(operator, clock)) + reveal(secret).encode(), purpose))
    return lambda message: hmac.digest(key(), message, "sha256").hex(), lasting or not operator.ci


def _by_author(ref: SecretRef, operator: Operator) -> bool:
    """Whether who writes the files may have written what this reads."""
    if ref.scheme in PATH_SCHEMES:
        path = ref.source
    elif ref.scheme == "env" and not operator.environ.get(ref.rest):
        path = operator.environ.get(f"{ref.rest}_FILE", "")
    else:
        return False
    return Path(operator.root, path).resolve().is_relative_to(Path(operator.root).resolve())


def hkdf(secret: bytes, purpose: str) -> bytes:
    """32 bytes of key for one purpose (RFC 5869, SHA-256, one block)."""
    extracted = hmac.digest(b"sipsync plan key", secret, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")
