"""Declarative, git-reviewed SIP lines for Bitrix24.

`load` reads files, `plan` compares them with the portals, `apply` carries a plan out; `aplan` and `aapply` are
their asynchronous twins. Importing this package is cheap: each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipsync._version import __version__ as __version__

if TYPE_CHECKING:
    from sipsync.api import aapply, aplan, apply, load, plan
    from sipsync.model.lines import Fleet
    from sipsync.model.operator import Operator
    from sipsync.model.options import ApplyOptions, PlanOptions, Selection
    from sipsync.model.outcome import Outcome
    from sipsync.model.plan import Plan
    from sipsync.model.problems import Diagnostic, Exit, SipsyncError

_HOMES = {
    "ApplyOptions": "sipsync.model.options",
    "Diagnostic": "sipsync.model.problems",
    "Exit": "sipsync.model.problems",
    "Fleet": "sipsync.model.lines",
    "Operator": "sipsync.model.operator",
    "Outcome": "sipsync.model.outcome",
    "Plan": "sipsync.model.plan",
    "PlanOptions": "sipsync.model.options",
    "Selection": "sipsync.model.options",
    "SipsyncError": "sipsync.model.problems",
    "aapply": "sipsync.api",
    "aplan": "sipsync.api",
    "apply": "sipsync.api",
    "load": "sipsync.api",
    "plan": "sipsync.api",
}

__all__ = [
    "ApplyOptions",
    "Diagnostic",
    "Exit",
    "Fleet",
    "Operator",
    "Outcome",
    "Plan",
    "PlanOptions",
    "Selection",
    "SipsyncError",
    "aapply",
    "aplan",
    "apply",
    "load",
    "plan",
]


def __getattr__(name: str) -> object:
    """The public name, imported on its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
