"""One line of a portal as an entry of `lines:`, with comments for what the format can't express."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from pydantic import ValidationError

from sipsync.config.schema import LineSection
from sipsync.config.writer.scalars import quoted, scalar
from sipsync.model.fields import FIELDS, SECRET, SHOWN, FieldName
from sipsync.model.lines import CurrentLine, Snapshot
from sipsync.model.message import Message

NOT_MANAGED = "# not managed; without the first # it is"
"""What stands behind a secret's reference that is a comment; it is untrue once that is none."""


@dataclass(slots=True)
class EntryWriter:
    """Writes entries; it remembers titles, as a file can't hold one twice."""

    portal: str
    """Its name, which is part of the names that secrets get."""
    passwords: Mapping[int, str]
    """config_id → reference."""
    type: str = ""
    """The file's default type, if it has one."""
    server: str = ""
    """The server of a file that has it as its default, and no line whose server is not managed."""
    keys: Mapping[int, str] = field(default_factory=dict)
    """config_id → key."""
    titles: set[str] = field(default_factory=set)

    def entry(self, line: CurrentLine) -> Iterator[str]:
        """The lines of text of an entry, the key first, without the indentation of `lines:`."""
        if line.type == "other":
            yield Message(
                "# line {config_id} is not managed here: it is neither a cloud nor an office line",
                config_id=line.config_id,
            )
            return
        yield f"{self.keys[line.config_id]}:"
        yield f"  config_id: {line.config_id}"
        if line.type != (self.type or "cloud"):
            yield f"  type: {line.type}"
        for name in SHOWN:
            text = str(line.values.get(name, ""))
            if name != "server" or text != self.server or not text:
                yield from self._field(name, text)
        for name in SECRET:
            if name == "password" and line.config_id in self.passwords:
                yield f"  {name}: {scalar(self.passwords[line.config_id])}"
            else:
                variable = secret_name(self.portal, line.config_id, name)
                yield f"  # {name}: env:{variable}  {NOT_MANAGED}"

    def _field(self, name: FieldName, text: str) -> Iterator[str]:
        reason = unsaid(name, text) if text else Message("empty on the portal")
        if name == "title" and not reason:
            reason = Message("another line of this file has the same title") if text in self.titles else None
            self.titles.add(text)
        if reason and text:
            reason = Message("{reason}: {text}", reason=reason, text=quoted(text))
        if reason:
            yield Message("  # {field} is not managed here: {reason}", field=name, reason=reason)
        else:
            yield f"  {name}: {scalar(text)}"


def secret_name(portal: str, config_id: int, field: FieldName) -> str:
    """What a line's secret is called where it is kept, as in SIP_ACME_69_PASSWORD."""
    return f"SIP_{portal}_{config_id}_{FIELDS[field].wire}".upper().replace("-", "_")


def default_names(portal: str, snapshot: Snapshot) -> dict[int, str]:
    """What the passwords of a portal's lines are called, by config_id; a line that no file can have has none."""
    lines = (line for line in snapshot.lines if line.type != "other")
    return {line.config_id: secret_name(portal, line.config_id, "password") for line in lines}


def unsaid(field: FieldName, text: str) -> Message | None:
    """Why the format can't express a value, if so."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        return Message("characters that are no Unicode text")
    try:
        LineSection.model_validate({field: text})
    except ValidationError as error:
        context = error.errors(include_input=False, include_url=False)[0]["ctx"]
        too_long = Message("longer than {most} characters", most=FIELDS[field].max_length)
        return cast(Message, context.get("summary", too_long))
    return None
