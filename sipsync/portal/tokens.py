"""Where an application's rotated tokens are kept between runs and shared between processes.

Each renewal voids the refresh token it used, so there is one truth, and it is changed under a lock only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from filelock import AsyncFileLock

from sipsync.disk import files
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret

if TYPE_CHECKING:
    from sipsync.model.operator import Operator

LOCK_SECONDS: Final = 120.0
"""Longer than any renewal of another process can take."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one renewal gave."""

    access: Secret
    refresh: Secret
    origin: str
    """A keyed digest of the refresh token in the file: a new one there makes these void."""
    member_id: str = ""


class TokenStore(Protocol):
    """One application's place on one portal; another kind of store is another class of this shape."""

    def lock(self) -> AbstractAsyncContextManager[object]:
        """Held while tokens are renewed, so that many processes renew once."""
        ...

    def get(self) -> Tokens | None:
        """The tokens kept last."""
        ...

    def put(self, tokens: Tokens) -> None:
        """Keep these for good, before they are used."""
        ...


class FolderStore:
    """Tokens as one private file each, in a folder of the operator's."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / f"{name}.json"

    def lock(self) -> AbstractAsyncContextManager[object]:
        """A lock of the operating system, which a killed process lets go."""
        files.private_folder(self._file.parent)
        return AsyncFileLock(self._file.with_suffix(".lock"), timeout=LOCK_SECONDS, mode=0o600)

    def get(self) -> Tokens | None:
        """The tokens kept last; none where the file can't be read as such."""
        try:
            kept = json.loads(files.read_private(self._file) or b"null")
        except ValueError:
            return None
        if not isinstance(kept, Mapping):
            return None
        fields = [kept.get(name) for name in ("access_token", "refresh_token", "origin", "member_id")]
        texts = [field for field in fields if isinstance(field, str)]
        if len(texts) < len(fields):
            return None
        access, refresh, origin, member_id = texts
        return Tokens(Secret(access), Secret(refresh), origin, member_id)

    def put(self, tokens: Tokens) -> None:
        """Keep these: whole or not at all, and on the disk before this returns."""
        kept = {
            "access_token": reveal(tokens.access),
            "refresh_token": reveal(tokens.refresh),
            "origin": tokens.origin,
            "member_id": tokens.member_id,
        }
        files.write_private(self._file, json.dumps(kept).encode())


def store_for(operator: Operator, name: str) -> TokenStore | None:
    """Where this operator keeps tokens; None in CI without `--token-store`, as a job's disk is thrown away."""
    if ":" in operator.token_store and not Path(operator.token_store).drive:
        scheme = operator.token_store.partition(":")[0]
        raise token_error(
            Message("a token store of the kind {scheme}: is not available", scheme=scheme),
            Message("Give --token-store a folder that only you can read."),
        )
    if operator.token_store:
        return FolderStore(Path(operator.token_store), name)
    return None if operator.ci else FolderStore(files.state_dir(operator) / "tokens", name)


def token_error(summary: Message, hint: Message, error: str = "") -> PortalError:
    """An error about an application's tokens."""
    return PortalError(Diagnostic(Code.TOKEN, summary, hint=hint), error)
