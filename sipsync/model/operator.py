"""What the operator allows: who runs sipsync says it by options and environment, who edits the YAML can't.

Every door between a file and the operator's machine (hosts that may receive a credential, secrets that may be read,
commands that may run) is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from sipsync.model.policy import NO_BOUNDS, OperatorPolicy
from sipsync.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's limits and places. `environ` is the only environment that any room looks at."""

    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    hosts: tuple[str, ...] = ()
    """Hosts that may receive a credential, besides Bitrix24's own cloud, its token endpoints and loopback."""
    env: tuple[str, ...] = ("*",)
    """Globs of the environment variables that `env:` may read."""
    secret_roots: tuple[str, ...] = ()
    """Folders that `file:` and `sops:` may read; none given: the root of the files."""
    vault_paths: tuple[str, ...] = ("*",)
    """Globs of `MOUNT/PATH` that `vault:` may read."""
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """NAME → argument list, for `exec:`."""
    root: str = "."
    """The folder that files, includes and secrets must not leave."""
    state_dir: str = ""
    """Where locks and tokens are kept; "" for the user's state folder."""
    token_store: str = ""
    """A folder or `vault:…`; "" for the state folder, or nothing at all in CI."""
    policy: OperatorPolicy = NO_BOUNDS
    plan_key: Secret | None = None
    """Seals plans where jobs have different credentials; None derives the key from the credential."""

    @property
    def ci(self) -> bool:
        """Whether this is an unattended job."""
        return self.environ.get("CI", "").lower() not in ("", "0", "false")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], root: str = ".") -> Self:
        """The operator as `SIPSYNC_*` variables describe them; options override this at the command line."""

        def listed(name: str) -> tuple[str, ...]:
            return tuple(environ.get(name, "").replace(",", " ").split())

        key = environ.get("SIPSYNC_PLAN_KEY", "")
        return cls(
            environ=environ,
            hosts=listed("SIPSYNC_HOSTS"),
            env=listed("SIPSYNC_ENV") or ("*",),
            secret_roots=tuple(filter(None, environ.get("SIPSYNC_SECRET_ROOTS", "").split(_path_separator(environ)))),
            vault_paths=listed("SIPSYNC_VAULT_PATHS") or ("*",),
            root=root,
            state_dir=environ.get("SIPSYNC_STATE_DIR", ""),
            token_store=environ.get("SIPSYNC_TOKEN_STORE", ""),
            plan_key=Secret(key) if key else None,
        )


def _path_separator(environ: Mapping[str, str]) -> str:
    """What separates folders in a variable: a semicolon on Windows, where a colon follows the drive."""
    return ";" if environ.get("OS") == "Windows_NT" else ":"
