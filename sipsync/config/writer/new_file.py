"""A new file for a portal that exists.

Titles on a portal are anybody's text. What the format can't express is left out, with a comment that says why, so that
the next plan is empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sipsync.config.writer.keys import new_keys
from sipsync.config.writer.lines import EntryWriter, unsaid
from sipsync.config.writer.scalars import scalar
from sipsync.model.lines import CurrentLine, Snapshot


def portal_text(
    portal_name: str,
    access_lines: Sequence[str],
    snapshot: Snapshot,
    *,
    passwords: Mapping[int, str] | None = None,
    schema: str = ".sipsync/schema.json",
    keys: Mapping[int, str] | None = None,
) -> str:
    """A file for the portal: all lines with their `config_id`s, and no password but references by `passwords`.

    `keys` say what lines are called, by config_id; without it, after those. `schema` is where editors find the file's
    schema, relative to the file. `access_lines` say how to reach the portal, as they stand under `portal:`, without
    indentation.
    """
    head = [
        f"# yaml-language-server: $schema={schema}",
        "sipsync: 1",
        "portal:",
        f"  name: {scalar(portal_name)}",
        *(f"  {line}" for line in access_lines),
    ]
    server, kind = _common(snapshot.lines)
    defaults = [*([f"  server: {scalar(server)}"] if server else []), *([f"  type: {kind}"] if kind else [])]
    if keys is None:
        keys = new_keys(snapshot.lines, (), by_title=False)
    writer = EntryWriter(portal_name, passwords or {}, kind, server, keys)
    body = [f"  {text}" for line in snapshot.lines for text in writer.entry(line)]
    head_of_lines = "lines:" if any(line.config_id in keys for line in snapshot.lines) else "lines: {}"
    sections = [*(["defaults:", *defaults] if defaults else []), head_of_lines, *body]
    return "\n".join([*head, "", *sections, ""])


def _common(lines: Sequence[CurrentLine]) -> tuple[str, str]:
    """The server and the type that most lines share; "" where none is, or some line may not get it."""
    servers = Counter(str(line.values.get("server", "")) for line in lines)
    types = Counter(line.type for line in lines)
    [(server, shared)] = servers.most_common(1) or [("", 0)]
    if shared < 2 or shared * 2 <= len(lines) or any(not text or unsaid("server", text) for text in servers):
        server = ""
    return server, "office" if types["office"] > 1 and types["office"] * 2 > len(lines) else ""
