"""What can go wrong, where, and what to do about it; and the exit codes.

A finding is a value (`Diagnostic`); "can't go on" is a `SipsyncError` that carries findings. Subclasses differ by who
has to act next. Exactly one place prints them and picks an exit code: the command line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace
from enum import IntEnum, StrEnum
from typing import ClassVar, Literal, Self

from sipsync.model.message import Message


class Exit(IntEnum):
    """Exit codes. They do not depend on the output format."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    FINDINGS = 3
    PARTIAL = 4
    STALE = 5
    GUARD = 6
    UNHEALTHY = 7
    USAGE = 64
    INTERRUPTED = 130


_WORST_FIRST = (
    Exit.USAGE,
    Exit.INTERRUPTED,
    Exit.UNHEALTHY,
    Exit.PARTIAL,
    Exit.STALE,
    Exit.GUARD,
    Exit.ERROR,
    Exit.FINDINGS,
    Exit.CHANGES,
    Exit.OK,
)


def worst(exits: Iterable[Exit]) -> Exit:
    """The one exit code that stands for several."""
    seen = set(exits)
    return next((exit_ for exit_ in _WORST_FIRST if exit_ in seen), Exit.OK)


class Code(StrEnum):
    """The stable name of each finding. `sipsync explain CODE` tells more about it."""

    # files
    FILE_NOT_FOUND = "file-not-found"
    FILE_UNREADABLE = "file-unreadable"
    FILE_NAME = "file-name"
    NO_PORTALS = "no-portals"
    NO_MARKER = "no-marker"
    ENCODING = "encoding"
    SYNTAX = "syntax"
    TOO_LARGE = "too-large"
    DUPLICATE_KEY = "duplicate-key"
    UNKNOWN_KEY = "unknown-key"
    MISSING_KEY = "missing-key"
    WRONG_TYPE = "wrong-type"
    BAD_VALUE = "bad-value"
    TOO_LONG = "too-long"
    WHITE_SPACE = "white-space"
    LITERAL_SECRET = "literal-secret"
    SHARED_SECRET = "shared-secret"
    TEMPORARY_TITLE = "temporary-title"
    BAD_ADDRESS = "bad-address"
    INCLUDE = "include"
    DUPLICATE_PORTAL = "duplicate-portal"
    DUPLICATE_CONFIG_ID = "duplicate-config-id"
    DUPLICATE_TITLE = "duplicate-title"
    SIMILAR_TITLES = "similar-titles"
    LOOK_ALIKE = "look-alike"
    NO_PASSWORD = "no-password"
    NOT_FORMATTED = "not-formatted"
    # secrets
    SECRET_UNSET = "secret-unset"
    SECRET_SCHEME = "secret-scheme"
    SECRET_EXTRA = "secret-extra"
    SECRET_FORBIDDEN = "secret-forbidden"
    SECRET_SOURCE = "secret-source"
    SECRET_VALUE = "secret-value"
    # the way to a portal
    BAD_URL = "bad-url"
    HOST_FORBIDDEN = "host-forbidden"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NOT_BITRIX24 = "not-bitrix24"
    PORTAL_MOVED = "portal-moved"
    PORTAL_GONE = "portal-gone"
    CREDENTIAL = "credential"
    TOKEN = "token"
    NO_SCOPE = "no-scope"
    NO_RIGHT = "no-right"
    SUBSCRIPTION = "subscription"
    RATE_LIMIT = "rate-limit"
    BLOCKED = "blocked"
    REFUSED = "refused"
    HOST_TWICE = "host-twice"
    # planning
    LINE_NOT_FOUND = "line-not-found"
    LINE_AMBIGUOUS = "line-ambiguous"
    LOOKS_LIKE_RENAME = "looks-like-rename"
    CREATE_OFF = "create-off"
    DELETE_OFF = "delete-off"
    TYPE_DIFFERS = "type-differs"
    REMOVED_DIFFERS = "removed-differs"
    TITLE_HELD = "title-held"
    HALF_SWAP = "half-swap"
    CLOUD_LIMIT = "cloud-limit"
    NOTHING_SELECTED = "nothing-selected"
    PASSWORDS_NOT_COMPARED = "passwords-not-compared"
    NEVER_REGISTERED = "never-registered"
    DEFAULT_LINE = "default-line"
    LOST_FOR_GOOD = "lost-for-good"
    UNMANAGED = "unmanaged"
    PLAN_IS_WRONG = "plan-is-wrong"
    # safety limits
    VANISHED_LINES = "vanished-lines"
    MAX_CHANGES = "max-changes"
    PROTECTED = "protected"
    TARGET_UNKNOWN = "target-unknown"
    IGNORED_FIELD = "ignored-field"
    UNKNOWN_ALLOW = "unknown-allow"
    # saved plans and snapshots
    PLAN_UNREADABLE = "plan-unreadable"
    PLAN_TOO_NEW = "plan-too-new"
    PLAN_TOO_OLD = "plan-too-old"
    PLAN_SEAL = "plan-seal"
    PLAN_KEY = "plan-key"
    PLAN_UNEXPECTED = "plan-unexpected"
    STALE_LINE = "stale-line"
    STALE_FILE = "stale-file"
    STALE_SECRET = "stale-secret"
    SNAPSHOT = "snapshot"
    SNAPSHOT_UNVERIFIED = "snapshot-unverified"
    # applying
    DECLINED = "declined"
    NO_TERMINAL = "no-terminal"
    LOCKED = "locked"
    WRITE_FAILED = "write-failed"
    UNCONFIRMED = "unconfirmed"
    NOT_CARRIED_OUT = "not-carried-out"
    NOT_ATTEMPTED = "not-attempted"
    TEMPORARY_LEFT = "temporary-left"
    UNHEALTHY = "unhealthy"
    INTERRUPTED = "interrupted"
    # output and the rest
    UNWRITABLE = "unwritable"
    STATE_UNSAFE = "state-unsafe"
    FORGE = "forge"
    USAGE = "usage"
    EXTRA_MISSING = "extra-missing"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text file. Lines and columns count from 1; `excerpt` is the line, with secrets masked."""

    file: str
    line: int
    column: int = 1
    end_column: int = 0
    """One past the last column, on the same line; 0 where only the beginning is known."""
    excerpt: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Severity = Literal["error", "warning"]
_NO_HINT = Message()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: what, where, and what to do."""

    code: Code
    summary: Message
    _: KW_ONLY
    hint: Message = _NO_HINT
    at: Span | None = None
    address: str | None = None
    """The line's address `portal.key`, or the portal's name."""
    severity: Severity = "error"

    @property
    def portal(self) -> str:
        """The portal that it is about, "" for none."""
        return (self.address or "").partition(".")[0]

    def about(self, address: str | None, at: Span | None) -> Diagnostic:
        """The same, with an address and a place where it has none."""
        return replace(self, address=self.address or address, at=self.at or at)

    def __str__(self) -> str:
        place = f"{self.at}: " if self.at else f"{self.address}: " if self.address else ""
        return f"{place}{self.summary}"


_PACKAGE = __file__.replace("\\", "/").removesuffix("model/problems.py")


def way_to(error: BaseException) -> list[str]:
    """Where an error came through our code, outermost first: `sipsync/cli/main.py:7 in run`."""
    way, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        file = code.co_filename.replace("\\", "/")
        if file.startswith(_PACKAGE):
            way.append(f"sipsync/{file.removeprefix(_PACKAGE)}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return way


def internal(error: BaseException) -> Diagnostic:
    """A fault of ours. Names and places only: the exception's text may quote anything."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    place = (way_to(error) or ["?"])[-1]
    summary = Message("internal error: {error} at {place}", error=type(error).__name__, place=place)
    hint = Message(
        "This is a mistake in sipsync, please report it with the line above; nothing secret is in it. "
        "`sipsync plan` shows how things stand, --log-level debug the way there."
    )
    return Diagnostic(Code.INTERNAL, summary, hint=hint)


class SipsyncError(Exception):
    """Can't go on. `code` is stable, `diagnostics` say why, `exit` is what the command line ends with."""

    exit: ClassVar[Exit] = Exit.ERROR

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("; ".join(map(str, diagnostics)))
        for hint in dict.fromkeys(found.hint for found in diagnostics if found.hint):
            self.add_note(str(hint))  # a traceback shows it

    def about(self, address: str, at: Span | None) -> Self:
        """The same, each finding with an address and a place where it has none; several portals may share one error."""
        error = type(self).__new__(type(self), *self.args)
        error.__dict__.update(self.__dict__)
        error.diagnostics = tuple(found.about(address, at) for found in self.diagnostics)
        return error

    @property
    def code(self) -> Code:
        """The code of the first finding."""
        return self.diagnostics[0].code if self.diagnostics else Code.INTERNAL


class ConfigError(SipsyncError):
    """The files must be changed."""


class SecretError(SipsyncError):
    """A secret can't be had: the operator must provide it."""


class StalePlan(SipsyncError):
    """The world moved since the plan was made: plan again."""

    exit = Exit.STALE


class UsageError(SipsyncError):
    """The command line must be changed."""

    exit = Exit.USAGE


class PortalError(SipsyncError):
    """A portal did not do what it was asked; `error` is the server's own code, "" where it gave none.

    Decide by `error` and `code` only: the server's texts are localised and its statuses disagree with its documents.
    """

    def __init__(self, diagnostic: Diagnostic, error: str = "") -> None:
        super().__init__(diagnostic)
        self.error = error
