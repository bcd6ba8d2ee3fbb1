"""Declarative, git-reviewed SIP lines for Bitrix24.

`load` reads files, `plan` compares them with the portals, `apply` carries a plan out; each function that asks a portal
has an asynchronous twin (`aplan`). Importing this package is cheap: each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipsync._version import __version__ as __version__

if TYPE_CHECKING:
    from sipsync.api import (
        aapply,
        adoctor,
        aplan,
        apply,
        aread,
        asnapshot,
        astatus,
        averify,
        check,
        doctor,
        load,
        open_hosts,
        plan,
        read,
        read_plan,
        read_state,
        select,
        snapshot,
        status,
        verify,
        write_plan,
        write_state,
    )
    from sipsync.fleet.status import Reading
    from sipsync.model.events import Event, LineDone, LineStarted, OnEvent, PortalDone, PortalStarted, Stopping, Waiting
    from sipsync.model.findings import Findings
    from sipsync.model.lines import Fleet
    from sipsync.model.message import Message
    from sipsync.model.operator import Operator
    from sipsync.model.options import ApplyOptions, PlanOptions, Selection
    from sipsync.model.outcome import LineOutcome, Outcome
    from sipsync.model.plan import Plan, ResourceChange, Summary
    from sipsync.model.policy import OperatorPolicy
    from sipsync.model.problems import (
        Code,
        ConfigError,
        Diagnostic,
        Exit,
        PortalError,
        SecretError,
        SipsyncError,
        Span,
        StalePlan,
        UsageError,
    )
    from sipsync.model.snapshot import SavedState
    from sipsync.model.status import Diagnosis, Status
    from sipsync.report import Style, render

_HOMES = {
    "ApplyOptions": "sipsync.model.options",
    "Code": "sipsync.model.problems",
    "ConfigError": "sipsync.model.problems",
    "Diagnosis": "sipsync.model.status",
    "Diagnostic": "sipsync.model.problems",
    "Event": "sipsync.model.events",
    "Exit": "sipsync.model.problems",
    "Findings": "sipsync.model.findings",
    "Fleet": "sipsync.model.lines",
    "LineDone": "sipsync.model.events",
    "LineOutcome": "sipsync.model.outcome",
    "LineStarted": "sipsync.model.events",
    "Message": "sipsync.model.message",
    "OnEvent": "sipsync.model.events",
    "Operator": "sipsync.model.operator",
    "OperatorPolicy": "sipsync.model.policy",
    "Outcome": "sipsync.model.outcome",
    "Plan": "sipsync.model.plan",
    "PlanOptions": "sipsync.model.options",
    "PortalDone": "sipsync.model.events",
    "PortalError": "sipsync.model.problems",
    "PortalStarted": "sipsync.model.events",
    "Reading": "sipsync.fleet.status",
    "ResourceChange": "sipsync.model.plan",
    "SavedState": "sipsync.model.snapshot",
    "SecretError": "sipsync.model.problems",
    "Selection": "sipsync.model.options",
    "SipsyncError": "sipsync.model.problems",
    "Span": "sipsync.model.problems",
    "StalePlan": "sipsync.model.problems",
    "Status": "sipsync.model.status",
    "Stopping": "sipsync.model.events",
    "Style": "sipsync.report",
    "Summary": "sipsync.model.plan",
    "UsageError": "sipsync.model.problems",
    "Waiting": "sipsync.model.events",
    "aapply": "sipsync.api",
    "adoctor": "sipsync.api",
    "aplan": "sipsync.api",
    "apply": "sipsync.api",
    "aread": "sipsync.api",
    "asnapshot": "sipsync.api",
    "astatus": "sipsync.api",
    "averify": "sipsync.api",
    "check": "sipsync.api",
    "doctor": "sipsync.api",
    "load": "sipsync.api",
    "open_hosts": "sipsync.api",
    "plan": "sipsync.api",
    "read": "sipsync.api",
    "read_plan": "sipsync.api",
    "read_state": "sipsync.api",
    "select": "sipsync.api",
    "render": "sipsync.report",
    "snapshot": "sipsync.api",
    "status": "sipsync.api",
    "verify": "sipsync.api",
    "write_plan": "sipsync.api",
    "write_state": "sipsync.api",
}

__all__ = [
    "ApplyOptions",
    "Code",
    "ConfigError",
    "Diagnosis",
    "Diagnostic",
    "Event",
    "Exit",
    "Findings",
    "Fleet",
    "LineDone",
    "LineOutcome",
    "LineStarted",
    "Message",
    "OnEvent",
    "Operator",
    "OperatorPolicy",
    "Outcome",
    "Plan",
    "PlanOptions",
    "PortalDone",
    "PortalError",
    "PortalStarted",
    "Reading",
    "ResourceChange",
    "SavedState",
    "SecretError",
    "Selection",
    "SipsyncError",
    "Span",
    "StalePlan",
    "Status",
    "Stopping",
    "Style",
    "Summary",
    "UsageError",
    "Waiting",
    "__version__",
    "aapply",
    "adoctor",
    "aplan",
    "apply",
    "aread",
    "asnapshot",
    "astatus",
    "averify",
    "check",
    "doctor",
    "load",
    "open_hosts",
    "plan",
    "read",
    "read_plan",
    "read_state",
    "render",
    "select",
    "snapshot",
    "status",
    "verify",
    "write_plan",
    "write_state",
]


def __getattr__(name: str) -> object:
    """The public name, imported on its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, whether they are loaded or not."""
    return __all__
