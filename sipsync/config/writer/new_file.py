"""A new file for a portal that exists.

Titles on a portal are anybody's text. What the format can't express is left out, with a comment that says why, so that
the next plan is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sipsync.config.writer.lines import EntryWriter
from sipsync.config.writer.scalars import scalar
from sipsync.model.lines import Snapshot

MODELINE = "# yaml-language-server: $schema=.sipsync/schema.json"


def portal_text(
    portal_name: str, access_lines: Sequence[str], snapshot: Snapshot, *, passwords: Mapping[int, str] | None = None
) -> str:
    """A file for the portal: all lines with their `config_id`s, and no password but references by `passwords`.

    `access_lines` say how to reach the portal, as they stand under `portal:`, without indentation.
    """
    head = [
        MODELINE,
        "sipsync: 1",
        "portal:",
        f"  name: {scalar(portal_name)}",
        *(f"  {line}" for line in access_lines),
    ]
    writer = EntryWriter(passwords or {})
    body = [f"  {text}" for line in snapshot.lines for text in writer.entry(line)]
    return "\n".join([*head, "", "lines:" if writer.keys else "lines: {}", *body, ""])
