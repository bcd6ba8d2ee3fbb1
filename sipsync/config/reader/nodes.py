"""What a file says, as nodes that know where they stand. Nothing of a parser is left in them.

A node keeps its file and two offsets; line, column and excerpt are worked out when somebody asks for them. The classes
are plain ones: a file has a hundred thousand nodes, and a frozen dataclass takes five times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from sipsync.config.reader.source import Source
from sipsync.model.message import Message
from sipsync.model.problems import Code, Span

MAX_DEPTH = 64
MAX_NODES = 200_000
"""With aliases and merge keys written out."""
MAX_FINDINGS = 1_000
"""Of a file; the rest of them is not looked at."""


class _Placed:
    """What stands somewhere in a file."""

    __slots__ = ("end", "plain", "source", "start")

    source: Source
    start: int
    end: int
    plain: bool
    """Without quotes or brackets."""

    @property
    def at(self) -> Span:
        """Its place."""
        return self.source.span(self.start, self.end)

    @property
    def place(self) -> Span:
        """Its place, worked out only if somebody asks for it."""
        return self.source.place(self.start, self.end)


class Scalar(_Placed):
    """A text as it stands in the file."""

    __slots__ = ("text",)

    size = 1

    def __init__(self, source: Source, start: int, end: int, plain: bool, text: str) -> None:
        self.source, self.start, self.end, self.plain, self.text = source, start, end, plain, text

    @property
    def absent(self) -> bool:
        """Whether there is no value at all, as after `key:`."""
        return self.plain and not self.text

    def at_character(self, index: int) -> Span:
        """The place of one character; that of the whole text where it is written in another way."""
        start = self.start + index + (not self.plain)
        if self.source.text[start : start + 1] != self.text[index]:
            return self.at
        return self.source.span(start, start + 1)


class Mapping(_Placed):
    """Keys and values in their order, merge keys resolved.

    `written` are the pairs that stand in the file: with merge keys, without what they bring. `size` counts its nodes,
    aliases and merge keys written out.
    """

    __slots__ = ("entries", "size", "written")

    def __init__(
        self,
        source: Source,
        start: int,
        end: int,
        plain: bool,
        entries: dict[str, Entry],
        written: tuple[Entry, ...] = (),
        size: int = 1,
    ) -> None:
        self.source, self.start, self.end, self.plain = source, start, end, plain
        self.entries, self.written, self.size = entries, written, size

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def section(self, key: str) -> Mapping:
        """The mapping under a key; an empty one where none is there."""
        node = self.get(key)
        return node if isinstance(node, Mapping) else self.saying({})

    def text(self, key: str) -> str:
        """The text under a key; "" where none is there."""
        node = self.get(key)
        return node.text if isinstance(node, Scalar) else ""

    def saying(self, entries: dict[str, Entry]) -> Mapping:
        """A mapping that says this, and stands where this one does."""
        return Mapping(self.source, self.start, self.end, self.plain, entries, self.written, self.size)


class Sequence(_Placed):
    """A list; an item that is an alias is the node that it stands for."""

    __slots__ = ("items", "size")

    def __init__(
        self, source: Source, start: int, end: int, plain: bool, items: tuple[Node, ...], size: int = 1
    ) -> None:
        self.source, self.start, self.end, self.plain = source, start, end, plain
        self.items, self.size = items, size


Node: TypeAlias = Scalar | Mapping | Sequence
Entry: TypeAlias = tuple[Scalar, Node]


class Problem(NamedTuple):
    """What is wrong with a file as YAML, and where."""

    code: Code
    summary: Message
    hint: Message
    start: int
    end: int | None = None


@dataclass(slots=True, eq=False)
class Tree:
    """What a file says, as far as it can be read."""

    roots: list[Node]
    """Its documents; empty ones are left out."""
    scalars: list[Scalar]
    """All of them, in the file's order."""
    problems: list[Problem] = field(default_factory=list)
    readable: bool = True
    strays: list[Node] = field(default_factory=list)
    """Keys that are no text, and their values: they are in no mapping."""
