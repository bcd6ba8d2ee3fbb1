"""Portals and lines: as desired (what the YAML says), as current (what the portal returns), and the calls between.

These are frozen values without behaviour that could fail. Texts are kept exactly as written or received.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from sipsync.model.fields import FIELDS, CurrentType, FieldName, LineType
from sipsync.model.operator import Operator
from sipsync.model.policy import Limits, Policy, TargetPolicy
from sipsync.model.problems import Diagnostic, Span
from sipsync.model.secret import Secret, SecretRef

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

ADDRESS_PART = r"[A-Za-z0-9][A-Za-z0-9_-]*"
"""What the name of a portal, and the key of a line, look like."""
TEMPORARY_TITLE = "~sipsync-"
"""How the title begins that a line carries for a moment while titles are swapped."""


class Address(str):
    """`portal.key`, the name of a line everywhere: in plans, options and reports. A text that knows its two parts."""

    __slots__ = ()

    def __new__(cls, portal: str, key: str | None = None) -> Self:
        """The address of these two parts, or of a whole text."""
        return super().__new__(cls, portal if key is None else f"{portal}.{key}")

    @property
    def portal(self) -> str:
        """The portal's name."""
        return self.partition(".")[0]

    @property
    def key(self) -> str:
        """The line's key within the portal."""
        return self.partition(".")[2]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In documents it is a text."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(cls, handler(str))


# --- desired ---


@dataclass(frozen=True, slots=True)
class _Access:
    """A way to a portal as the file declares it: with references, never with secrets."""

    embedded: ClassVar[bool] = False

    def given(self) -> dict[str, str | SecretRef]:
        """What the file says of it, by key."""
        values = {row.name: getattr(self, row.name) for row in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def references(self) -> tuple[SecretRef, ...]:
        """The secrets that it takes."""
        return tuple(value for value in self.given().values() if isinstance(value, SecretRef))


@dataclass(frozen=True, slots=True)
class WebhookAccess(_Access):
    """An incoming webhook; its URL is a secret."""

    url: SecretRef


@dataclass(frozen=True, slots=True)
class GivenTokenAccess(_Access):
    """A local application whose token another program renews."""

    domain: str
    """A host, or a base address such as `http://127.0.0.1:8080/acme` for loopback only."""
    access_token: SecretRef


@dataclass(frozen=True, slots=True)
class OwnTokenAccess(_Access):
    """A local application whose tokens sipsync renews."""

    domain: str
    """As of a given token."""
    client_id: SecretRef | str
    client_secret: SecretRef
    refresh_token: SecretRef
    member_id: str | None = None
    token_url: str | None = None


@dataclass(frozen=True, slots=True)
class SandboxAccess(_Access):
    """An embedded emulated portal, kept in a file."""

    embedded: ClassVar[bool] = True

    path: str
    """Absolute."""


Access: TypeAlias = WebhookAccess | GivenTokenAccess | OwnTokenAccess | SandboxAccess


@dataclass(frozen=True, slots=True)
class DesiredLine:
    """One line of the file. `values` holds the managed fields only: a field that is not given is left alone."""

    address: Address
    at: Span
    values: Mapping[FieldName, str | SecretRef]
    config_id: int | None = None
    type: LineType | None = None
    """An assertion for a line that exists; for an add, what to make (None: cloud)."""
    places: Mapping[FieldName, Span] = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str | None:
        """The desired title, if it is managed."""
        title = self.values.get("title")
        return title if isinstance(title, str) else None


@dataclass(frozen=True, slots=True)
class RemovedLine:
    """One entry of `removed:`, the only way to a delete."""

    address: Address
    at: Span
    config_id: int
    title: str


@dataclass(frozen=True, slots=True)
class DesiredPortal:
    """One portal as the file wants it, defaults and includes merged."""

    name: str
    at: Span
    access: Access
    lines: tuple[DesiredLine, ...]
    removed: tuple[RemovedLine, ...] = ()
    policy: Policy = Policy()
    limits: Limits = Limits()
    target: TargetPolicy = TargetPolicy()

    @property
    def file(self) -> str:
        """The file that declares the portal, as the user named it."""
        return self.at.file


@dataclass(frozen=True, slots=True)
class Fleet:
    """What one run is about: the portals of its files and what the operator allows."""

    portals: tuple[DesiredPortal, ...]
    operator: Operator
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is wrong with the files; an error where portals are left out for it."""
    broken: tuple[str, ...] = ()
    """The names of portals that are left out, as far as their files tell them."""


# --- current ---

ASKED_FOR = 0
REGISTERED = 200
"""The stored status of a registration that was asked for, and of one that was confirmed (server source)."""


@dataclass(frozen=True, slots=True)
class CurrentLine:
    """One line as the portal returned it.

    `values` has all four fields; "" stands for null. It has no password where the portal returned none at all.
    """

    config_id: int
    type: CurrentType
    values: Mapping[FieldName, str | Secret]
    reg_id: int | None = None
    """The remote registration of a cloud line; 0 = its creation failed; None for an office line."""
    line_id: str = ""
    """The name that `voximplant.line.get` lists it under: `reg<REG_ID>`, or `sip<n>` for an office line."""
    status_code: int | None = None
    """The stored status: 200 registered, 0 asked for and not confirmed, None never set; refreshed by status calls."""
    status_message: str = ""
    incoming_server: str = ""
    incoming_login: str = ""

    @property
    def title(self) -> str:
        """The current title; "" for an unnamed line."""
        title = self.values.get("title", "")
        return title if isinstance(title, str) else ""

    @property
    def registered(self) -> bool:
        """Whether there is a registration that an update would renew."""
        return self.type == "cloud" and bool(self.reg_id)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one reading of a portal told: the lines that this credential sees, and what blocks titles besides."""

    lines: tuple[CurrentLine, ...]
    """Ordered by config_id."""
    names: Mapping[str, str]
    """Line id → title for the whole portal, other owners' lines included; may be a day old (server source)."""
    default_line: str | None = None
    """The default outgoing line's id; "" where there is none; None where it was not asked for."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the telephony operator says of a cloud line's registration."""

    reg_id: int
    result: Literal["success", "error", "in_progress", "wait"]
    status_code: int
    message: str = ""
    last_updated: str = ""
    """`YYYY-MM-DD HH:MM:SS`; the time zone is unknown, so it is compared, never read."""


# --- between ---


Verb: TypeAlias = Literal["update", "add", "delete"]
Action: TypeAlias = Literal["no-op", "create", "update", "delete"]
ACTIONS: Mapping[Verb, Action] = {"add": "create", "update": "update", "delete": "delete"}
"""What plans and reports call a verb of the API."""


@dataclass(frozen=True, slots=True)
class Call:
    """One live REST call. It may hold a secret, so it never leaves the program: `documents.PlannedCall` does."""

    id: str
    """`<portal>:<n>`, unique in the plan."""
    address: Address
    verb: Verb
    values: Mapping[FieldName, str | Secret] = field(default_factory=dict)
    config_id: int | None = None
    """None for an add."""
    type: LineType | None = None
    """As `sip.get` gave it, or what an add makes; None for a delete."""
    after: tuple[str, ...] = ()
    """The ids of the calls that must have succeeded before."""

    @property
    def method(self) -> str:
        """The REST method."""
        return f"voximplant.sip.{self.verb}"

    @property
    def action(self) -> Action:
        """What plans and reports call it."""
        return ACTIONS[self.verb]

    def params(self) -> dict[str, int | str | Secret]:
        """The exact parameters, in a fixed order.

        TYPE is always sent: an absent one is read as "cloud", so an office line would be checked as a cloud line
        (server source).
        """
        params: dict[str, int | str | Secret] = {}
        if self.config_id is not None:
            params["CONFIG_ID"] = self.config_id
        if self.type is not None:
            params["TYPE"] = self.type
        for name, row in FIELDS.items():
            if name in self.values:
                params[row.wire] = self.values[name]
        return params
