"""The three counts of GitLab's `artifacts:reports:terraform`, and nothing else: guests can read that artefact."""

from __future__ import annotations

from collections import Counter

from sipsync.model.plan import Plan
from sipsync.report import Style
from sipsync.report.formats.json import dumped


def render(document: Plan, style: Style) -> str:
    """The counts, as GitLab's documented jq recipe makes them from a JSON plan."""
    actions = Counter(action for change in document.resource_changes for action in change.change.actions)
    return dumped({name: actions[name] for name in ("create", "update", "delete")}) + "\n"
