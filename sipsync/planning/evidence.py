"""Keyed fingerprints of what a plan saw and means to leave, and what they say of a line later.

A fingerprint is an HMAC over the line, the field and the value, so that equal values on two lines look different and
nothing can be guessed without the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from sipsync.model.documents import LineEvidence, canonical, digest_of
from sipsync.model.fields import FieldName
from sipsync.model.lines import CurrentLine, DesiredPortal
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.planning.view import LineChange, Seal

LineState: TypeAlias = Literal["before", "after", "temporary", "stale"]
"""As the plan saw it; as the plan leaves it; at the plan's own temporary title; anything else."""


def witness(change: LineChange, temporary: str | None, seal: Seal) -> LineEvidence:
    """What the plan saw of the line, and what it means to leave."""
    config_id = change.current.config_id if change.current else None
    subject = str(change.address) if config_id is None else str(config_id)
    before = fingerprints(change.current, subject, seal) if change.current else {}
    after: dict[str, str] = {}
    if change.verb != "delete":
        changed: dict[str, str] = {
            name: _fingerprint(subject, name, value, seal) for name, value in change.wanted.items()
        }
        after = {**before, **changed}
    return LineEvidence(config_id=config_id, before=before, after=after, temporary=temporary)


def fingerprints(line: CurrentLine, subject: str, seal: Seal) -> dict[str, str]:
    """The line's fields and type, each as a keyed fingerprint."""
    prints: dict[str, str] = {name: _fingerprint(subject, name, value, seal) for name, value in line.values.items()}
    return {**prints, "type": _fingerprint(subject, "type", line.type, seal)}


def state_of(evidence: LineEvidence, line: CurrentLine | None, subject: str, seal: Seal) -> LineState:
    """Which of the four states a planned line is in. `line` is what the portal returns now, None for no such line."""
    now = fingerprints(line, subject, seal) if line is not None else {}
    if evidence.config_id is None and line is not None:
        # An add: what the plan does not name is the server's choice.
        now = {name: value for name, value in now.items() if name in evidence.after}
    if now == evidence.before:
        return "before"
    if now == evidence.after:
        return "after"
    if line is not None and evidence.temporary is not None and line.title == evidence.temporary:
        rest = [{name: value for name, value in prints.items() if name != "title"} for prints in (now, evidence.before)]
        if rest[0] == rest[1]:
            return "temporary"
    return "stale"


def _fingerprint(subject: str, field: FieldName | Literal["type"], value: str | Secret, seal: Seal) -> str:
    text = reveal(value) if isinstance(value, Secret) else value
    return seal(canonical([subject, field, text]))


def desired_digest(portal: DesiredPortal) -> str:
    """SHA-256 of what the file wants, with references in the place of secrets and without positions."""
    return digest_of(
        {
            "name": portal.name,
            "access": _described(portal.access),
            "policy": _described(portal.policy),
            "limits": _described(portal.limits),
            "lines": [
                [line.address.key, line.config_id, line.type, {name: str(line.values[name]) for name in line.values}]
                for line in portal.lines
            ],
            "removed": [[line.address.key, line.config_id, line.title] for line in portal.removed],
        }
    )


def _described(value: object) -> object:
    """A frozen value as plain data: references as text, dates as ISO."""
    slots = getattr(type(value), "__dataclass_fields__", None)
    if slots is None or not isinstance(slots, Mapping):
        return [_described(item) for item in value] if isinstance(value, tuple) else value and str(value)
    if "scheme" in slots:
        return str(value)
    return {name: _described(getattr(value, name)) for name in slots}
