"""A file without errors as the desired portal: defaults under the lines, places from its nodes, the policy bounded."""

from __future__ import annotations

from typing import Any

from sipsync.config.reader.nodes import Mapping, Node
from sipsync.config.refs import RunContext
from sipsync.config.schema import Connection, PortalFile, PortalSection
from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.lines import (
    Access,
    Address,
    DesiredLine,
    DesiredPortal,
    GivenTokenAccess,
    OwnTokenAccess,
    RemovedLine,
    SandboxAccess,
    WebhookAccess,
)
from sipsync.model.problems import Span


def portal_of(file: PortalFile, root: Mapping, name: str, run: RunContext) -> DesiredPortal:
    """The portal that a document describes; `root` has the places of what `file` says."""
    portal, _ = root.entries["portal"]
    return DesiredPortal(
        name,
        # Where an include speaks of the portal, the file's beginning.
        portal.place if portal.source is root.source else root.source.place(root.start),
        _access(file.portal),
        _lines(file, root, name),
        tuple(
            RemovedLine(
                Address(name, key.text), key.place, file.removed[key.text].config_id, file.removed[key.text].title
            )
            for key, _ in root.section("removed").entries.values()
        ),
        run.operator.policy.bound(file.policy),
        run.operator.policy.limits or file.portal.limits,
    )


def _access(portal: PortalSection) -> Access:
    if portal.oauth:
        given = {name: value for name, value in portal.oauth if value is not None}
        return (GivenTokenAccess if portal.oauth.access_token else OwnTokenAccess)(**given)
    if portal.sandbox:
        return SandboxAccess(portal.sandbox)
    assert portal.webhook  # noqa: S101  # `config.check` has seen one of the three
    return WebhookAccess(portal.webhook)


def _lines(file: PortalFile, root: Mapping, name: str) -> tuple[DesiredLine, ...]:
    """The lines, each with the defaults for what it does not give."""
    defaults, places = _given(file.defaults), _places(root.section("defaults"))
    lines = []
    for key, node in root.section("lines").entries.values():
        given = defaults | _given(file.lines[key.text])
        values = {field: given[field] for field in FIELDS if field in given}
        address, config_id, kind = Address(name, key.text), given.get("config_id"), given.get("type")
        lines.append(DesiredLine(address, key.place, values, config_id, kind, places | _places(node)))
    return tuple(lines)


def _given(section: Connection) -> dict[str, Any]:
    """What a section says, by key."""
    return {name: value for name, value in vars(section).items() if value is not None}


def _places(mapping: Node) -> dict[FieldName, Span]:
    entries = mapping.entries if isinstance(mapping, Mapping) else {}
    return {field: entries[field][1].place for field in FIELDS if field in entries}
