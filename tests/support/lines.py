"""Builds desired and current portals that agree; a test changes what it is about."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sipsync.model.fields import FieldName
from sipsync.model.lines import (
    Address,
    CurrentLine,
    DesiredLine,
    DesiredPortal,
    Limits,
    RemovedLine,
    Snapshot,
    WebhookAccess,
)
from sipsync.model.options import Selection
from sipsync.model.plan import PortalPlan
from sipsync.model.policy import Policy
from sipsync.model.problems import Span
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning.inputs import PlanInput
from sipsync.planning.plan import build

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
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
    values: dict[str, str | Secret] = {
        "title": title,
        "server": given.pop("server", "sip.example"),
        "login": given.pop("login", f"u{config_id}"),
    }
    if (password := given.pop("password", "pw")) is not None:
        values["password"] = Secret(password)
    assert not given
    line_id = f"reg{reg_id}" if kind == "cloud" else f"sip{config_id}"
    return CurrentLine(config_id, kind, values, reg_id, line_id, status, message)  # type: ignore[arg-type]


def desired(key: str, config_id: int | None = None, *, portal: str = "acme", **values: Any) -> DesiredLine:
    """A line of the file; a password is given as the name of its reference."""
    kind = values.pop("type", None)
    if "password" in values:
        values["password"] = SecretRef("env", values["password"])
    return DesiredLine(Address(portal, key), Span(f"{portal}.yaml", 9), values, config_id, kind)


def view(
    lines: list[DesiredLine],
    lines_now: list[CurrentLine],
    /,
    *,
    name: str = "acme",
    owner: str = "webhook",
    policy: Policy = Policy(),
    removed: tuple[tuple[str, int, str], ...] = (),
    names: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    default_line: str | None = None,
    limits: Limits = Limits(),
    known_refs: Mapping[int, Mapping[FieldName, str]] | None = None,
    **selection: Any,
) -> PlanInput:
    """One owner's view of a portal. `names` are the titles that the credential does not see."""
    portal = DesiredPortal(
        name,
        Span(f"{name}.yaml", 1),
        ACCESS,
        tuple(lines),
        tuple(RemovedLine(Address(name, key), Span(f"{name}.yaml", 20), cid, title) for key, cid, title in removed),
        policy,
        limits,
    )
    listed = {line.line_id: line.title for line in lines_now} | dict(names or {})
    return PlanInput(
        portal,
        Snapshot(tuple(lines_now), listed, default_line),
        {SecretRef("env", ref): Secret(value) for ref, value in (secrets or {}).items()},
        seal,
        "acme.bitrix24.example",
        owner,
        Selection(**selection),
        known_refs,
    )


def plan(*views: PlanInput, **options: Any) -> PortalPlan:
    """The first view's part of the plan."""
    return build(views, NOW, **options)[0]


def codes(part: PortalPlan, severity: str | None = None) -> list[str]:
    """The findings' codes, in order."""
    return [str(found.code) for found in part.diagnostics if severity in (None, found.severity)]


def params(part: PortalPlan) -> list[dict[str, Any]]:
    """The parameters of the calls, in order."""
    return [dict(call.params) for call in part.calls]
