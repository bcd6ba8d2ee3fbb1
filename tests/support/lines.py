"""Builds desired and current portals that agree; a test changes what it is about."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, cast

from sipsync.model.fields import FIELDS, FieldName, LineType
from sipsync.model.lines import (
    Address,
    CurrentLine,
    DesiredLine,
    DesiredPortal,
    RemovedLine,
    Snapshot,
    WebhookAccess,
)
from sipsync.model.options import Selection
from sipsync.model.outcome import PortalOutcome
from sipsync.model.plan import PortalPlan
from sipsync.model.policy import Limits, Policy
from sipsync.model.problems import Span
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning.inputs import PlanInput
from sipsync.planning.plan import build
from support.clock import NOW

ACCESS = WebhookAccess(SecretRef("env", "HOOK"))


def seal(data: bytes) -> str:
    """A seal with a key of its own."""
    return hmac.new(b"test", data, hashlib.sha256).hexdigest()


def current(config_id: int, title: str = "", **given: Any) -> CurrentLine:
    """A registered cloud line."""
    kind = given.pop("type", "cloud")
    reg_id = given.pop("reg_id", 1000 + config_id if kind == "cloud" else None)
    status = given.pop("status_code", 200)
    message = given.pop("status_message", "")
    values: dict[FieldName, str | Secret] = {
        "title": title,
        "server": given.pop("server", "sip.example"),
        "login": given.pop("login", f"u{config_id}"),
    }
    if (password := given.pop("password", "pw")) is not None:
        values["password"] = Secret(password)
    assert not given
    line_id = f"reg{reg_id}" if kind == "cloud" else f"sip{config_id}"
    return CurrentLine(config_id, kind, values, reg_id, line_id, status, message)


def desired(
    key: str, config_id: int | None = None, /, *, portal: str = "acme", type: str | None = None, **values: str
) -> DesiredLine:
    """A line of the file; a password is given as the name of its reference."""
    assert values.keys() <= FIELDS.keys()
    wanted: dict[FieldName, str | SecretRef] = {
        name: SecretRef("env", values[name]) if FIELDS[name].secret else values[name]
        for name in FIELDS
        if name in values
    }
    kind = cast("LineType | None", type)
    return DesiredLine(Address(portal, key), Span(f"{portal}.yaml", 9), wanted, config_id, kind)


def file(
    *lines: DesiredLine,
    name: str = "acme",
    removed: Mapping[str, tuple[int, str]] = {},
    policy: Policy = Policy(create=True, delete=True),
    limits: Limits = Limits(),
) -> DesiredPortal:
    """A portal's file; adds and deletes are on. `removed` are config_id and title of a key."""
    gone = [RemovedLine(Address(name, key), Span(f"{name}.yaml", 20), *line) for key, line in removed.items()]
    return DesiredPortal(name, Span(f"{name}.yaml", 1), ACCESS, lines, tuple(gone), policy, limits)


def known(secrets: Mapping[str, str]) -> dict[SecretRef, Secret]:
    """These secrets, by the name of their reference."""
    return {SecretRef("env", name): Secret(value) for name, value in secrets.items()}


def view(
    lines: list[DesiredLine],
    lines_now: list[CurrentLine],
    /,
    *,
    name: str = "acme",
    owner: str = "webhook",
    policy: Policy = Policy(),
    removed: Mapping[str, tuple[int, str]] = {},
    names: Mapping[str, str] = {},
    secrets: Mapping[str, str] = {},
    default_line: str | None = None,
    limits: Limits = Limits(),
    known_refs: Mapping[int, Mapping[FieldName, str]] | None = None,
    **selection: Any,
) -> PlanInput:
    """One owner's view of a portal. `names` are the titles that the credential does not see."""
    return PlanInput(
        file(*lines, name=name, removed=removed, policy=policy, limits=limits),
        Snapshot(tuple(lines_now), {line.line_id: line.title for line in lines_now} | dict(names), default_line),
        known(secrets),
        seal,
        "acme.bitrix24.example",
        owner,
        Selection(**selection),
        known_refs,
    )


def plan(*views: PlanInput, **options: Any) -> PortalPlan:
    """The first view's part of the plan."""
    return build(views, NOW, **options)[0]


def codes(part: PortalPlan | PortalOutcome, severity: str | None = None) -> list[str]:
    """The findings' codes, in order."""
    return [str(found.code) for found in part.diagnostics if severity in (None, found.severity)]


def params(part: PortalPlan) -> list[dict[str, Any]]:
    """The parameters of the calls, in order."""
    return [dict(call.params) for call in part.calls]
