"""The format of a portal's file as models that validate it; the JSON Schema for editors comes from them.

They take what `config.yaml` read, in which every scalar is text, and say in one place what each key may hold. What
needs two keys at once, or two lines, is in `config.check`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from sipsync.config.values import (
    Domain,
    Identifier,
    Key,
    Login,
    PathInside,
    PortalName,
    Reference,
    Server,
    Title,
    TokenUrl,
    Version,
)
from sipsync.model.fields import LineType
from sipsync.model.lines import ADDRESS_PART
from sipsync.model.policy import Limits, Policy
from sipsync.model.scalars import Number, Words


class Section(BaseModel):
    """Frozen, strict about keys, and quiet about its input in errors: a value in a wrong place may be a password."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class OAuth(Section):
    """A local application of the portal."""

    domain: Domain = Field(description="The portal's host, as in acme.bitrix24.ru.")
    member_id: Words | None = Field(None, description="The portal's true identity, checked at each renewal.")
    access_token: Reference | None = Field(
        None, description="Reference to a token that another program renews. Leave the other four keys out then."
    )
    client_id: Identifier | None = Field(None, description="The application's client_id, or a reference to it.")
    client_secret: Reference | None = Field(None, description="Reference to the application's client_secret.")
    refresh_token: Reference | None = Field(None, description="Reference to the token that sipsync renews from.")
    token_url: TokenUrl | None = Field(None, description="The token endpoint, where it is not Bitrix24's own.")


class PortalSection(Section):
    """The Bitrix24 account. Exactly one of webhook, oauth and sandbox."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [way]} for way in ("webhook", "oauth", "sandbox")]}
    )
    name: PortalName | None = Field(
        None, description="First part of the addresses of its lines (acme.sales). Default: the file's name."
    )
    webhook: Reference | None = Field(
        None, description="Reference to an inbound webhook's URL, as in env:ACME_WEBHOOK. Never the URL itself."
    )
    oauth: OAuth | None = None
    sandbox: PathInside | None = Field(None, description="File of an embedded emulated portal, relative to this file.")
    limits: Limits = Field(default_factory=Limits)


class Connection(Section):
    """What lines have in common."""

    server: Server | None = Field(None, description="The provider's SIP server, without http://.")
    login: Login | None = Field(None, description="The SIP login; always text, so 0045281811 stays as it is.")
    password: Reference | None = Field(
        None, description="Reference to the password, as in env:SIP_SALES_PASSWORD. Never the password itself."
    )
    type: LineType | None = Field(
        None, description="Checked, as the server can't change it; of a new line: what to make (default cloud)."
    )


class LineSection(Connection):
    """One SIP line. Only the fields that are given are managed; others are left alone."""

    config_id: Number | None = Field(
        None, description="The line's CONFIG_ID. Without it the line is found by its title, and can't be renamed."
    )
    title: Title | None = Field(None, description="The name in Bitrix24, unique on the portal.")


class RemovedSection(Section):
    """A line to delete. It needs `policy.delete: true` as well."""

    config_id: Number = Field(description="The CONFIG_ID of the line to delete.")
    title: Words = Field(description="Its current title; if that is another one, nothing is deleted.")


_KEYS: dict[str, JsonValue] = {"propertyNames": {"pattern": f"^{ADDRESS_PART}$"}}


class PortalFile(Section):
    """A Bitrix24 portal and its SIP lines."""

    model_config = ConfigDict(title="sipsync portal file")
    schema_: str | None = Field(None, alias="$schema", description="Where editors find this schema.")
    sipsync: Version = Field(description="Marks the file, and says which format it has: 1.")
    include: tuple[Words, ...] = Field(
        (), description="Files whose portal, policy and defaults hold unless this file says otherwise."
    )
    portal: PortalSection
    defaults: Connection = Field(
        default_factory=lambda: Connection.model_validate({}), description="Fields of lines that do not give them."
    )
    lines: dict[Key, LineSection] = Field(
        {}, description="The lines, each under a key of your choice.", json_schema_extra=_KEYS
    )
    removed: dict[Key, RemovedSection] = Field(
        {}, description="Lines to delete, each under a key of your choice.", json_schema_extra=_KEYS
    )
    policy: Policy = Field(default_factory=Policy)


class IncludedFile(Section):
    """A file that others include."""

    schema_: str | None = Field(None, alias="$schema")
    sipsync: Version | None = None
    include: tuple[Words, ...] = ()
    portal: Any = None
    defaults: Any = None
    policy: Any = None


@cache
def json_schema(model: type = PortalFile) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a file, by default a portal's, with texts that editors show."""
    schema = TypeAdapter(model).json_schema(by_alias=True, schema_generator=_WithoutNull)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class _WithoutNull(GenerateJsonSchema):
    """A key that may be left out still can't be null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)
