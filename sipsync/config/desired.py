"""A file without errors as the desired portal: defaults under the lines, references rooted, the policy bounded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sipsync.config.reader.yaml import Mapping, Scalar
from sipsync.config.refs import beside, secret_ref
from sipsync.config.schema import LineSection, OAuth, PortalFile
from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.lines import (
    Access,
    Address,
    DesiredLine,
    DesiredPortal,
    OAuthAccess,
    RemovedLine,
    SandboxAccess,
    WebhookAccess,
)
from sipsync.model.operator import Operator
from sipsync.model.problems import Span
from sipsync.model.secret import SecretRef


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all files of a run."""

    operator: Operator
    schemes: Collection[str]
    root: Path
    """Resolved."""


def portal_of(file: PortalFile, root: Mapping, name: str, run: Rules) -> DesiredPortal:
    """The portal that a document describes; `root` has the places of what `file` says."""
    made = _Made(root, name, run.root, run.schemes)
    return DesiredPortal(
        name,
        made.portal_span(),
        made.access(file),
        tuple(made.line(key, line, file) for key, line in file.lines.items()),
        tuple(
            RemovedLine(Address(name, key), made.key_span("removed", key), line.config_id, line.title)
            for key, line in file.removed.items()
        ),
        run.operator.policy.bound(file.policy),
        file.portal.limits,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """Builds the parts of one portal; values come from the model, places from the nodes."""

    root: Mapping
    name: str
    folder: Path
    schemes: Collection[str]

    def portal_span(self) -> Span:
        """Where the file speaks of the portal; its beginning where an include does."""
        key = self.root.entries["portal"][0]
        return key.at if key.source is self.root.source else self.root.source.span(self.root.start)

    def key_span(self, section: str, key: str) -> Span:
        """Where a line's key stands."""
        return self._mapping(section).entries[key][0].at

    def access(self, file: PortalFile) -> Access:
        """The one way to the portal."""
        portal = self._mapping("portal")
        if file.portal.oauth:
            return self._oauth(file.portal.oauth, self._mapping("portal", "oauth"))
        if file.portal.sandbox:
            node = self._scalar(portal, "sandbox")
            return SandboxAccess(str((beside(node) / node.text).resolve()))
        return WebhookAccess(self._ref(portal, "webhook"))

    def _oauth(self, oauth: OAuth, node: Mapping) -> OAuthAccess:
        refs = {
            name: self._ref(node, name)
            for name in ("access_token", "client_secret", "refresh_token")
            if name in node.entries
        }
        literal = oauth.client_id is None or oauth.client_id.partition(":")[0] not in self.schemes
        client_id = oauth.client_id if literal else self._ref(node, "client_id")
        return OAuthAccess(oauth.domain, oauth.member_id, client_id=client_id, token_url=oauth.token_url, **refs)

    def line(self, key: str, line: LineSection, file: PortalFile) -> DesiredLine:
        """One line, with the defaults for what it does not give."""
        values: dict[FieldName, str | SecretRef] = {}
        places: dict[FieldName, Span] = {}
        for name, row in FIELDS.items():
            for section, path in ((line, ("lines", key)), (file.defaults, ("defaults",))):
                value = getattr(section, name, None)
                if value is not None:
                    node = self._scalar(self._mapping(*path), name)
                    values[name] = secret_ref(node, self.folder) if row.secret else value
                    places[name] = node.at
                    break
        return DesiredLine(
            Address(self.name, key),
            self.key_span("lines", key),
            values,
            line.config_id,
            line.type or file.defaults.type,
            places,
        )

    def _ref(self, mapping: Mapping, key: str) -> SecretRef:
        return secret_ref(self._scalar(mapping, key), self.folder)

    def _mapping(self, *path: str) -> Mapping:
        node = self.root
        for step in path:
            child = node.get(step)
            assert isinstance(child, Mapping)  # noqa: S101  # the model has seen it
            node = child
        return node

    def _scalar(self, mapping: Mapping, key: str) -> Scalar:
        node = mapping.get(key)
        assert isinstance(node, Scalar)  # noqa: S101  # the model has seen it
        return node
