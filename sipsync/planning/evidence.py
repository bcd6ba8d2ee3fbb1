"""Keyed fingerprints of what a plan saw and means to leave, and what they say of a line later.

A fingerprint is an HMAC over the line, the field and the value, so that equal values on two lines look different and
nothing can be guessed without the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Literal, TypeAlias

from sipsync.model.document import Seal, canonical, digest_of
from sipsync.model.fields import CurrentType, FieldName
from sipsync.model.lines import ASKED_FOR, REGISTERED, Address, CurrentLine, DesiredPortal
from sipsync.model.plan import LineEvidence
from sipsync.model.policy import Limits
from sipsync.model.problems import Span
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning.inputs import Delete, LineChange

LineState: TypeAlias = Literal["before", "after", "temporary", "stale"]
"""As the plan saw it; as the plan leaves it; at the plan's own temporary title; anything else."""


def evidence_of(change: LineChange, temporary: str | None, seal: Seal) -> LineEvidence:
    """What the plan saw of the line, and what it means to leave."""
    subject = _subject(change.address, change.config_id)
    before = _fingerprints(change.current.values, change.type, subject, seal) if change.current else {}
    after: dict[str, str] = {}
    if not isinstance(change, Delete):
        after = before | _fingerprints(change.values, change.type, subject, seal)
    if change.current and before.items() <= after.items():
        # Nothing but the registration is renewed, so only its status can tell whether that was done.
        before["registration"] = _fingerprint(subject, "registration", str(change.current.status_code), seal)
    return LineEvidence(config_id=change.config_id, before=before, after=after, temporary=temporary)


def _subject(address: Address, config_id: int | None) -> str:
    """What tells the line from all others, on other portals as well."""
    return address if config_id is None else f"{address.portal}:{config_id}"


def _fingerprints(
    values: Mapping[FieldName, str | Secret], type: CurrentType, subject: str, seal: Seal
) -> dict[str, str]:
    """These values and the line's type, each as a keyed fingerprint."""
    marks: dict[str, str] = {name: _fingerprint(subject, name, value, seal) for name, value in values.items()}
    return {**marks, "type": _fingerprint(subject, "type", type, seal)}


def state_of(evidence: LineEvidence, line: CurrentLine | None, address: Address, seal: Seal) -> LineState:
    """Which of the four states a planned line is in. `line` is what the portal returns now, None for no such line."""
    subject = _subject(address, evidence.config_id)
    current = _fingerprints(line.values, line.type, subject, seal) if line is not None else {}
    if evidence.config_id is None and line is not None:
        # An add: what the plan does not name is the server's choice.
        current = {name: mark for name, mark in current.items() if name in evidence.after}
    before = {name: mark for name, mark in evidence.before.items() if name != "registration"}
    if current == before:
        return "after" if line is not None and _registered_since(evidence, line, subject, seal) else "before"
    # A field that the portal returns neither then nor now can't be told.
    if current == {name: mark for name, mark in evidence.after.items() if name in before or name in current}:
        return "after"
    if line is not None and evidence.temporary is not None and line.title == evidence.temporary:
        rest, rest_before = ({**marks, "title": ""} for marks in (current, before))
        return "temporary" if rest == rest_before else "stale"
    return "stale"


def moves(evidence: LineEvidence, line: CurrentLine, before: Mapping[str, object], address: Address, seal: Seal) -> str:
    """Which fields of a stale line moved, from what to what; `before` has what is known of their former values."""
    subject = _subject(address, evidence.config_id)
    marks = _fingerprints(line.values, line.type, subject, seal)
    moved = [name for name in line.values if marks[name] not in (evidence.before.get(name), evidence.after.get(name))]
    moved = moved or [name for name in line.values if marks[name] != evidence.before.get(name)]
    return ", ".join(_move(name, before.get(name), line.values[name]) for name in moved) or "type"


def _move(name: FieldName, before: object, now: str | Secret) -> str:
    if isinstance(now, Secret):
        return name
    return f'{name} "{before}" -> "{now}"' if isinstance(before, str) else f'{name} -> "{now}"'


def _registered_since(evidence: LineEvidence, line: CurrentLine, subject: str, seal: Seal) -> bool:
    """Whether a line that was only to be registered again was: its status is another one, and no failure."""
    planned = evidence.before.get("registration")
    status = _fingerprint(subject, "registration", str(line.status_code), seal)
    return planned is not None and status != planned and line.status_code in (ASKED_FOR, REGISTERED)


def is_planned(evidence: LineEvidence, address: Address, field: FieldName, value: str | Secret, seal: Seal) -> bool:
    """Whether this is the value that the plan means to leave."""
    return _fingerprint(_subject(address, evidence.config_id), field, value, seal) == evidence.after.get(field)


def _fingerprint(
    subject: str, field: FieldName | Literal["type", "registration"], value: str | Secret, seal: Seal
) -> str:
    text = reveal(value) if isinstance(value, Secret) else value
    return seal(canonical([subject, field, text]))


def desired_digest(portal: DesiredPortal) -> str:
    """SHA-256 of what the file gives, with references in the place of secrets.

    A key that is not given is no part of it, so that a new key leaves the plans of before as they are; neither are
    places in files, nor the order of keys.
    """
    return digest_of(
        {
            "name": portal.name,
            # Where an embedded portal is kept differs from machine to machine.
            "access": "sandbox" if portal.access.embedded else _given(portal.access),
            # Safety limits are judged again when a plan is applied.
            "policy": _given(replace(portal.policy, delete=False, unmanaged="report", max_changes=None, protected=())),
            # What was planned does not depend on how fast it may be sent.
            "limits": _given(Limits(cloud_lines=portal.limits.cloud_lines)),
            "lines": {line.address.key: _given(line) for line in portal.lines},
            "removed": {line.address.key: _given(line) for line in portal.removed},
        }
    )


def _given(value: object) -> object:
    """A frozen value as plain data: references as text, dates as ISO, and of a section what is not its default."""
    if isinstance(value, Mapping):
        return {name: _given(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_given(item) for item in value]
    if isinstance(value, SecretRef) or not is_dataclass(value):
        return str(value)
    rows = ((row, getattr(value, row.name)) for row in fields(value) if row.compare)
    return {row.name: _given(item) for row, item in rows if item != row.default and not isinstance(item, Span)}
