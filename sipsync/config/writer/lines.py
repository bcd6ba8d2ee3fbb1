"""One line of a portal as an entry of `lines:`, with comments for what the format can't express."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from pydantic import ValidationError

from sipsync.config.schema import LineSection
from sipsync.config.writer.scalars import quoted, scalar
from sipsync.model.fields import FIELDS, SECRET, SHOWN, FieldName
from sipsync.model.lines import CurrentLine
from sipsync.model.message import Message


@dataclass(slots=True)
class EntryWriter:
    """Writes entries; it remembers keys and titles, as a file can't hold one twice."""

    passwords: Mapping[int, str]
    """config_id → reference."""
    keys: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)
    typed: bool = False
    """Whether the file has a default type, so that each entry must say its own."""

    def entry(self, line: CurrentLine) -> Iterator[str]:
        """The lines of text of an entry, the key first, without the indentation of `lines:`."""
        if line.type == "other":
            yield Message(
                "# line {config_id} is not managed here: it is neither a cloud nor an office line",
                config_id=line.config_id,
            )
            return
        yield f"{self._key(line.config_id)}:"
        yield f"  config_id: {line.config_id}"
        if self.typed or line.type == "office":
            yield f"  type: {line.type}"
        for name in SHOWN:
            yield from self._field(name, str(line.values.get(name, "")))
        for name in SECRET:
            if name == "password" and line.config_id in self.passwords:
                yield f"  {name}: {scalar(self.passwords[line.config_id])}"
            else:
                variable = f"SIP_{line.config_id}_{FIELDS[name].wire}"
                yield f"  # {name}: env:{variable}  (not managed; without the # it is)"

    def _key(self, config_id: int) -> str:
        key, turn = f"line-{config_id}", 1
        while key in self.keys:
            turn += 1
            key = f"line-{config_id}-{turn}"
        self.keys.add(key)
        return key

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
