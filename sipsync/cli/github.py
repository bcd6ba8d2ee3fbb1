"""`plan --github`: the step's summary and outputs of a GitHub job, through the files that the runner names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sipsync.cli.output import write_file
from sipsync.model.problems import Exit, worst

if TYPE_CHECKING:
    from sipsync.cli.session import Session
    from sipsync.model.plan import Plan

_SUMMARY_BUDGET = 1024 * 1024
"""Bytes; a longer summary is not cut by GitHub but refused (documented)."""


def tell_github(session: Session, plan: Plan, saved: Path | None) -> Exit:
    """Write summary and outputs where the environment asks for them."""
    from sipsync.report import Style, render

    outputs = {
        "changes": str(plan.has_changes).lower(),
        "to_add": plan.summary.add,
        "to_change": plan.summary.change,
        "to_destroy": plan.summary.destroy,
        "digest": plan.digest,
        "plan_path": saved.resolve() if saved else "",
    }
    texts = {
        "GITHUB_STEP_SUMMARY": render(plan, "markdown", Style(lang=session.lang, budget=_SUMMARY_BUDGET)),
        "GITHUB_OUTPUT": "".join(f"{name}={value}\n" for name, value in outputs.items()),
    }
    return worst(
        write_file(session, Path(session.environ[name]), text, append=True)
        for name, text in texts.items()
        if session.environ.get(name)
    )
