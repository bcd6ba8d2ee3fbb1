"""The document itself as JSON, for programs. Unseen characters are JSON escapes, so that a terminal may show it."""

from __future__ import annotations

import json

from sipsync.model.document import Report
from sipsync.report import Style
from sipsync.report.escape import RUNNER_COMMAND


def render(document: Report, style: Style) -> str:
    """The document as indented JSON."""
    return dumped(document.to_dict(), indent=2) + "\n"


def dumped(value: object, indent: int | None = None) -> str:
    """JSON that means the same to every parser and does nothing to a terminal or a job's log."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if "##" in text:
        text = RUNNER_COMMAND.sub(r"\\u0023", text)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1] for character in text
    )
