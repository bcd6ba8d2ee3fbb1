"""What the operator allows: who runs sipsync says it by options and environment, who edits the YAML can't.

Every door between a file and the operator's machine (hosts that may receive a credential, secrets that may be read,
commands that may run) is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from sipsync.model.environ import in_ci, is_on
from sipsync.model.frames import forgetful
from sipsync.model.hosts import PORT, is_loopback, is_vendors
from sipsync.model.message import Message
from sipsync.model.policy import NO_BOUNDS, OperatorPolicy
from sipsync.model.problems import Code, Diagnostic, Span, UsageError
from sipsync.model.secret import Secret

OWN_SECRETS: Final = frozenset(
    {"SIPSYNC_PLAN_KEY", "SIPSYNC_SNAPSHOT_KEY", "SIPSYNC_FORGE_TOKEN"}
    | {"GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN"}
)
"""Variables that are sipsync's own, the forge's tokens among them: no reference reaches them, and no other program is
given them."""

_KEY_LENGTH: Final = 32
_KEY_LETTERS: Final = 8
"""Different characters: of 32 random hexadecimal digits there are more, but once in ten million."""


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
    """Seals plans where jobs have different credentials; None: a key of credential and state folder."""
    snapshot_key: Secret | None = None
    """Seals snapshots, and nothing else: jobs that review pull requests may have it."""
    sandbox_secrets: bool = False
    """Whether real secrets are read for an embedded emulated portal, whose file its author can read."""

    @property
    def ci(self) -> bool:
        """Whether this is an unattended job."""
        return in_ci(self.environ)

    def trusts(self, host: str) -> bool:
        """Whether a host (in lower case, with its port where that is not the default one) may get a credential."""
        return is_loopback(re.sub(f":{PORT}$", "", host)) or is_vendors(host) or host in map(str.lower, self.hosts)

    def environ_for_others(self) -> dict[str, str]:
        """The environment as other programs are given it.

        It is passed on whole, as password managers need it (sessions, sockets, proxies), but for sipsync's own secrets.
        """
        return {name: value for name, value in self.environ.items() if not is_own_secret(name)}

    @classmethod
    @forgetful
    def from_environ(cls, environ: Mapping[str, str], root: str = ".") -> Self:
        """The operator as `SIPSYNC_*` variables describe them; options override this at the command line.

        Raises UsageError for a key that can be guessed.
        """
        separator = ";" if environ.get("OS") == "Windows_NT" else ":"  # there a colon follows the drive

        def listed(name: str) -> tuple[str, ...]:
            return tuple(environ.get(name, "").replace(",", " ").split())

        return cls(
            environ=environ,
            hosts=listed("SIPSYNC_HOSTS"),
            env=listed("SIPSYNC_ENV") or ("*",),
            secret_roots=tuple(filter(None, environ.get("SIPSYNC_SECRET_ROOTS", "").split(separator))),
            vault_paths=listed("SIPSYNC_VAULT_PATHS") or ("*",),
            root=root,
            state_dir=environ.get("SIPSYNC_STATE_DIR", ""),
            token_store=environ.get("SIPSYNC_TOKEN_STORE", ""),
            plan_key=_key(environ, "SIPSYNC_PLAN_KEY"),
            snapshot_key=_key(environ, "SIPSYNC_SNAPSHOT_KEY"),
            sandbox_secrets=is_on(environ, "SIPSYNC_SANDBOX_SECRETS"),
        )


def is_own_secret(name: str) -> bool:
    """Whether a variable holds one of sipsync's own secrets. Windows knows each in any case of letters."""
    return name.upper() in OWN_SECRETS


def _key(environ: Mapping[str, str], name: str) -> Secret | None:
    """A random key; guesses at a short one, or at one that was thought up, cost nothing."""
    key = environ.get(name, "")
    if not key:
        return None
    repeats = key in (key + key)[1:-1]
    if len(key) < _KEY_LENGTH or len(set(key)) < _KEY_LETTERS or repeats:
        summary = Message("{name} can be guessed: it has to be {least} random characters", name=name, least=_KEY_LENGTH)
        hint = Message("Print one with `sipsync secret plan-key`, and set it in all jobs that share it.")
        raise UsageError(Diagnostic(Code.PLAN_KEY, summary, hint=hint))
    return Secret(key)


def host_forbidden(host: str, at: Span | None) -> Diagnostic:
    """What to say of a host that the operator does not trust."""
    summary = Message(
        "{host} may not receive a credential: it is neither a portal of Bitrix24's cloud nor allowed by the operator",
        host=host,
    )
    hint = Message("If it is your own portal, whoever runs sipsync allows it: SIPSYNC_HOSTS={host}.", host=host)
    return Diagnostic(Code.HOST_FORBIDDEN, summary, hint=hint, at=at)
