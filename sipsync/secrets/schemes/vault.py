"""Secrets of HashiCorp Vault or OpenBao, KV version 2: `vault:MOUNT/PATH#KEY`.

Where the Vault is and who asks is the operator's: VAULT_ADDR, and a token (VAULT_TOKEN), an AppRole (VAULT_ROLE_ID,
VAULT_SECRET_ID), a JWT (VAULT_JWT or VAULT_JWT_FILE, with VAULT_ROLE) or what `vault login` left. VAULT_AUTH_PATH names
the mount of the AppRole or JWT method where it is not the usual one. One login in a run, and one read of each path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sipsync.model.message import Message
from sipsync.model.problems import Code, SecretError
from sipsync.secrets.scheme import Answer, each, grouped, malformed, missing_extra, problem, spread, text_of

if TYPE_CHECKING:
    from sipsync.model.operator import Operator
    from sipsync.model.secret import Secret, SecretRef

_SECONDS: Final = 15


class VaultScheme:
    """`vault:MOUNT/PATH#KEY`: a key of a secret in Vault."""

    def __init__(self, operator: Operator) -> None:
        self._environ = operator.environ
        self._globs = operator.vault_paths

    async def resolve(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        """The keys' values."""
        return await asyncio.to_thread(self._resolve, refs)

    def _resolve(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        answers: dict[SecretRef, Answer] = {}
        admitted: dict[str, list[SecretRef]] = {}
        for path, group in grouped(refs, _path).items():
            try:
                self._admit(group[0], path)
                admitted[path] = group
            except SecretError as error:
                answers |= spread(group, error)
        if admitted:
            answers |= self._read_all(admitted)
        return answers

    def _admit(self, ref: SecretRef, path: str) -> None:
        """Refuse what is no path of a secret, or not one that the operator lets files read."""
        segments = path.split("/")
        if len(segments) < 2 or {"", ".", ".."} & set(segments):
            raise malformed(ref, "vault:MOUNT/PATH#KEY")
        if not any(fnmatchcase(path, glob) for glob in self._globs):
            raise problem(
                ref,
                Code.SECRET_FORBIDDEN,
                Message("the Vault path {path} is not one that files may read", path=path),
                Message("The operator names those: SIPSYNC_VAULT_PATHS, with globs such as kv/sip/*."),
            )

    def _read_all(self, paths: Mapping[str, list[SecretRef]]) -> dict[SecretRef, Answer]:
        refs = [ref for group in paths.values() for ref in group]
        try:
            client = _client(refs[0], self._environ)
            with closing(client.adapter):
                _log_in(refs[0], client, self._environ)
                answers: dict[SecretRef, Answer] = {}
                for path, group in paths.items():
                    answers |= _read(client, path, group)
                return answers
        except SecretError as error:
            return spread(refs, error)


def _path(ref: SecretRef) -> str:
    return ref.rest.partition("#")[0]


def _client(ref: SecretRef, environ: Mapping[str, str]) -> Any:
    """A client of the operator's Vault, not logged in yet."""
    try:
        import hvac
    except ImportError:
        raise missing_extra(ref, "vault") from None
    address = environ.get("VAULT_ADDR")
    if not address:
        raise problem(
            ref,
            Code.SECRET_SOURCE,
            Message("VAULT_ADDR is not set"),
            Message("Set it to the address of your Vault: https://…:8200."),
        )
    certificate, key = environ.get("VAULT_CLIENT_CERT"), environ.get("VAULT_CLIENT_KEY")
    return hvac.Client(
        url=address,
        token="",  # what hvac itself would find is not the operator's environment
        verify=environ.get("VAULT_CACERT") or environ.get("VAULT_CAPATH") or True,
        cert=(certificate, key) if certificate else None,
        namespace=environ.get("VAULT_NAMESPACE") or None,
        timeout=_SECONDS,
    )


def _log_in(ref: SecretRef, client: Any, environ: Mapping[str, str]) -> None:
    if token := environ.get("VAULT_TOKEN", "").strip():
        client.token = token
    elif role_id := environ.get("VAULT_ROLE_ID"):
        mount = environ.get("VAULT_AUTH_PATH") or "approle"
        secret_id = environ.get("VAULT_SECRET_ID") or None
        _ask(ref, "the login", lambda: client.auth.approle.login(role_id, secret_id, mount_point=mount))
    elif jwt := _jwt(ref, environ):
        mount = environ.get("VAULT_AUTH_PATH") or "jwt"
        role = environ.get("VAULT_ROLE", "")
        _ask(ref, "the login", lambda: client.auth.jwt.jwt_login(role, jwt, path=mount))
    elif token := _text(Path(environ.get("HOME", ""), ".vault-token")):
        client.token = token
    else:
        raise problem(
            ref,
            Code.SECRET_SOURCE,
            Message("there is nothing to log in to Vault with"),
            Message("Set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_JWT and VAULT_ROLE."),
        )


def _jwt(ref: SecretRef, environ: Mapping[str, str]) -> str:
    if path := environ.get("VAULT_JWT_FILE"):
        if jwt := _text(Path(path)):
            return jwt
        raise problem(
            ref,
            Code.SECRET_SOURCE,
            Message("{path} (from VAULT_JWT_FILE) holds no token", path=path),
            Message("Check the path."),
        )
    return environ.get("VAULT_JWT", "").strip()


def _text(path: Path) -> str:
    """The file's text without white space around it; "" where it can't be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _read(client: Any, path: str, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
    """The answers of one secret."""
    mount, _, rest = path.partition("/")
    read = client.secrets.kv.v2.read_secret_version
    try:
        answer = _ask(refs[0], path, lambda: read(rest, mount_point=mount, raise_on_deleted_version=True))
    except SecretError as error:
        return spread(refs, error)
    try:
        data = dict(answer["data"]["data"])
    except (TypeError, KeyError, ValueError):
        other = problem(
            refs[0],
            Code.SECRET_SOURCE,
            Message("Vault's answer for {path} is not a secret of KV version 2", path=path),
            Message("Check the mount's type: `vault secrets list -detailed`."),
        )
        return spread(refs, other)
    return each(refs, lambda ref: _value(ref, path, data))


def _value(ref: SecretRef, path: str, data: Mapping[str, object]) -> Secret:
    key = ref.rest.partition("#")[2]
    if not key:
        raise malformed(ref, "vault:MOUNT/PATH#KEY")
    if key not in data:
        raise problem(
            ref,
            Code.SECRET_UNSET,
            Message('{path} in Vault has no key "{key}"', path=path, key=key),
            Message("Look at it: `vault kv get {path}`.", path=path),
        )
    return text_of(ref, data[key], f'the key "{key}" of {path} in Vault')


def _ask(ref: SecretRef, what: str, request: Callable[[], Any]) -> Any:
    """Vault's answer; raises SecretError by the error's kind, as its text may quote what was sent."""
    try:
        return request()
    except Exception as error:  # hvac's, requests', or a KeyError where the answer is not Vault's
        reason, hint = _reason(error, what)
        raise problem(ref, Code.SECRET_SOURCE, reason, hint) from None


def _reason(error: Exception, what: str) -> tuple[Message, Message]:
    from hvac import exceptions as vault
    from requests import exceptions as network

    match error:
        case vault.VaultDown():
            return Message("Vault is sealed or down for maintenance"), Message(
                "Unseal it (vault operator unseal), then run again."
            )
        case vault.VaultNotInitialized():
            return Message("Vault is not initialized"), Message("Ask its operator; is VAULT_ADDR the right one?")
        case vault.RateLimitExceeded():
            return Message("Vault refuses more requests for now"), Message("Run again later.")
        case vault.Forbidden() | vault.Unauthorized() if what != "the login":
            return (
                Message("Vault denies reading {what}", what=what),
                Message(
                    "The token may have expired, or its policy lacks `read` on this path (with /data/ after the mount)."
                ),
            )
        case vault.InvalidPath() if what != "the login":
            return Message("Vault has nothing at {what}", what=what), Message(
                "Look for it: `vault kv get {what}; only KV version 2 is read`.", what=what
            )
        case vault.Forbidden() | vault.Unauthorized() | vault.InvalidRequest() | vault.InvalidPath():
            return (
                Message("Vault refuses {what}", what=what),
                Message("Check what it logs in with, the role, and where the method is mounted (VAULT_AUTH_PATH)."),
            )
        case vault.VaultError():
            return Message("Vault failed at {what} ({name})", what=what, name=type(error).__name__), Message(
                "Run again later, or ask its operator."
            )
        case network.SSLError():
            return Message("Vault's certificate is not trusted"), Message(
                "Name the file of trusted ones: VAULT_CACERT."
            )
        case network.Timeout():
            return Message("Vault did not answer within {SECONDS} seconds", SECONDS=_SECONDS), Message(
                "Check VAULT_ADDR and the network."
            )
        case network.ConnectionError():
            return Message("Vault can't be reached"), Message("Check VAULT_ADDR and the network.")
        case network.RequestException():
            return Message("Vault can't be asked ({name})", name=type(error).__name__), Message(
                "Check VAULT_ADDR and the token's spelling."
            )
    return Message("what answers is not Vault"), Message("Check VAULT_ADDR.")
