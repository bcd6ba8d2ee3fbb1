"""`vault:MOUNT/PATH#KEY`: a key of a secret in HashiCorp Vault or OpenBao, KV version 2.

Where the Vault is and who asks is the operator's: VAULT_ADDR, and a token (VAULT_TOKEN), an AppRole (VAULT_ROLE_ID,
VAULT_SECRET_ID), a JWT (VAULT_JWT or VAULT_JWT_FILE, with VAULT_ROLE) or what `vault login` left. VAULT_AUTH_PATH names
the mount of the AppRole or JWT method where it is not the usual one. One login in a run, and one read of each path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sipsync.model.globs import fits
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, SecretError
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.scheme import Answer, each, grouped, malformed, missing_extra, problem, spread, text_of

_SECONDS: Final = 15
_LOGIN: Final = ""
"""In the place of a path: what is asked for is the login."""


async def resolve(refs: Sequence[SecretRef], operator: Operator) -> Mapping[SecretRef, Answer]:
    """The keys' values."""
    return await asyncio.to_thread(_resolve, refs, operator)


def _resolve(refs: Sequence[SecretRef], operator: Operator) -> Mapping[SecretRef, Answer]:
    answers: dict[SecretRef, Answer] = {}
    admitted: dict[str, list[SecretRef]] = {}
    for path, group in grouped(refs, lambda ref: ref.source).items():
        try:
            _admit(group[0], path, operator)
            admitted[path] = group
        except SecretError as error:
            answers |= spread(group, error)
    if admitted:
        answers |= _read_all(admitted, operator.environ)
    return answers


def _admit(ref: SecretRef, path: str, operator: Operator) -> None:
    """Refuse what is no path of a secret, or not one that the operator lets files read."""
    segments = path.split("/")
    if len(segments) < 2 or {"", ".", ".."} & set(segments):
        raise malformed(ref)
    if not any(fits(path, glob) for glob in operator.vault_paths):
        summary = Message("the Vault path {path} is not one that files may read", path=path)
        hint = Message("The operator names those: SIPSYNC_VAULT_PATHS, with globs such as kv/sip/*.")
        raise problem(ref, Code.SECRET_FORBIDDEN, summary, hint)


def _read_all(paths: Mapping[str, list[SecretRef]], environ: Mapping[str, str]) -> dict[SecretRef, Answer]:
    refs = [ref for group in paths.values() for ref in group]
    try:
        client = _client(refs[0], environ)
        with closing(client.adapter):
            _log_in(refs[0], client, environ)
            return {ref: answer for path in paths for ref, answer in _read(client, path, paths[path]).items()}
    except SecretError as error:
        return spread(refs, error)


def _client(ref: SecretRef, environ: Mapping[str, str]) -> Any:
    """A client of the operator's Vault, not logged in yet."""
    try:
        import hvac
    except ImportError:
        raise missing_extra(ref) from None
    address = environ.get("VAULT_ADDR")
    if not address:
        hint = Message("Set it to the address of your Vault: https://…:8200.")
        raise problem(ref, Code.SECRET_SOURCE, Message("VAULT_ADDR is not set"), hint)
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
    mount = environ.get("VAULT_AUTH_PATH")
    if token := environ.get("VAULT_TOKEN", "").strip():
        client.token = token
    elif role_id := environ.get("VAULT_ROLE_ID"):
        secret_id = environ.get("VAULT_SECRET_ID") or None
        _ask(ref, _LOGIN, lambda: client.auth.approle.login(role_id, secret_id, mount_point=mount or "approle"))
    elif jwt := _jwt(ref, environ):
        role = environ.get("VAULT_ROLE", "")
        _ask(ref, _LOGIN, lambda: client.auth.jwt.jwt_login(role, jwt, path=mount or "jwt"))
    elif token := _text(Path(environ.get("HOME", ""), ".vault-token")):
        client.token = token
    else:
        hint = Message("Set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_JWT and VAULT_ROLE.")
        raise problem(ref, Code.SECRET_SOURCE, Message("there is nothing to log in to Vault with"), hint)


def _jwt(ref: SecretRef, environ: Mapping[str, str]) -> str:
    path = environ.get("VAULT_JWT_FILE")
    if not path:
        return environ.get("VAULT_JWT", "").strip()
    if jwt := _text(Path(path)):
        return jwt
    summary = Message("{path} (from VAULT_JWT_FILE) holds no token", path=path)
    raise problem(ref, Code.SECRET_SOURCE, summary, Message("Name the file that holds it."))


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
        data = dict(answer["data"]["data"])
    except SecretError as error:
        return spread(refs, error)
    except (TypeError, KeyError, ValueError):
        summary = Message("Vault's answer for {path} is not a secret of KV version 2", path=path)
        hint = Message("Check the mount's type: `vault secrets list -detailed`.")
        return spread(refs, problem(refs[0], Code.SECRET_SOURCE, summary, hint))
    return each(refs, lambda ref: _value(ref, data))


def _value(ref: SecretRef, data: Mapping[str, object]) -> Secret:
    path, key = ref.source, ref.key
    if not key:
        raise malformed(ref)
    if key not in data:
        summary = Message('{path} in Vault has no key "{key}"', path=path, key=key)
        raise problem(ref, Code.SECRET_UNSET, summary, Message("Look at it: `vault kv get {path}`.", path=path))
    return text_of(ref, data[key], Message('the key "{key}" of {path} in Vault', key=key, path=path))


def _ask(ref: SecretRef, path: str, request: Callable[[], Any]) -> Any:
    """Vault's answer; raises SecretError by the error's kind, as its text may quote what was sent."""
    try:
        return request()
    except Exception as error:  # hvac's, requests', or a KeyError where the answer is not Vault's
        raise problem(ref, Code.SECRET_SOURCE, *_reason(error, path)) from None


def _reason(error: Exception, path: str) -> tuple[Message, Message]:
    """What went wrong, and what to do: one row for each kind of error, so this function is long."""
    from hvac import exceptions as vault
    from requests import exceptions as network

    kind = type(error).__name__
    what = path or Message("the login")
    address = Message("Check VAULT_ADDR and the network.")
    match error:
        case vault.VaultDown():
            hint = Message("Unseal it (`vault operator unseal`), then run again.")
            return Message("Vault is sealed or down for maintenance"), hint
        case vault.VaultNotInitialized():
            return Message("Vault is not initialized"), Message("Ask its operator; is VAULT_ADDR the right one?")
        case vault.RateLimitExceeded():
            return Message("Vault refuses more requests for now"), Message("Run again later.")
        case vault.Forbidden() | vault.Unauthorized() if path != _LOGIN:
            return Message("Vault denies reading {path}", path=path), Message(
                "The token may have expired, or its policy lacks `read` on this path (with /data/ after the mount)."
            )
        case vault.InvalidPath() if path != _LOGIN:
            hint = Message("Look for it: `vault kv get {path}`; only KV version 2 is read.", path=path)
            return Message("Vault has nothing at {path}", path=path), hint
        case vault.Forbidden() | vault.Unauthorized() | vault.InvalidRequest() | vault.InvalidPath():
            return Message("Vault refuses {what}", what=what), Message(
                "Check what it logs in with, the role, and where the method is mounted (VAULT_AUTH_PATH)."
            )
        case vault.VaultError():
            hint = Message("Run again later, or ask its operator.")
            return Message("Vault failed at {what} ({kind})", what=what, kind=kind), hint
        case network.SSLError():
            return Message("Vault's certificate is not trusted"), Message(
                "Name the file of trusted ones: VAULT_CACERT."
            )
        case network.Timeout():
            return Message("Vault did not answer within {seconds} seconds", seconds=_SECONDS), address
        case network.ConnectionError():
            return Message("Vault can't be reached"), address
        case network.RequestException():
            hint = Message("Check VAULT_ADDR and the token's spelling.")
            return Message("Vault can't be asked ({kind})", kind=kind), hint
    return Message("what answers is not Vault"), Message("Check VAULT_ADDR.")
