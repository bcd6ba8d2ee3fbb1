"""YAML text → nodes with positions. Every scalar keeps its source text; nothing becomes a number, date or boolean.

The only reader of portals' files and policies. It takes the parser's events, so that a bomb is refused before anything
of it is built, resolves aliases and merge keys, and finds duplicate keys. What comes out knows nothing of the parser.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sipsync.config.reader.mask import SECTIONS, shown_key, shown_value
from sipsync.config.reader.source import HIDDEN, Piece
from sipsync.config.reader.syntax import Refused, events
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Span

if TYPE_CHECKING:
    from sipsync.config.reader.source import Source
    from sipsync.config.reader.syntax import Event

MAX_DEPTH = 64
MAX_ALIASES = 256
MAX_NODES = 200_000
"""With aliases and merge keys written out."""
MAX_FINDINGS = 1_000
"""Of a file; the rest of them is not looked at."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Placed:
    """What stands somewhere in a file."""

    source: Source
    start: int
    end: int
    plain: bool
    """Without quotes or brackets."""

    @property
    def at(self) -> Span:
        """Its place."""
        return self.source.span(self.start, self.end)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scalar(_Placed):
    """A text as it stands in the file."""

    text: str
    size: int = 1

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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mapping(_Placed):
    """Keys and values in their order, merge keys resolved."""

    entries: dict[str, Entry]
    written: tuple[Entry, ...] = ()
    """The pairs that stand in the file: with merge keys, without what they bring."""
    size: int = 1
    """How many nodes it is, aliases and merge keys written out."""

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def section(self, key: str) -> Mapping:
        """The mapping under a key; an empty one where none is there."""
        node = self.get(key)
        return node if isinstance(node, Mapping) else Mapping(self.source, self.start, self.end, self.plain, {})

    def text(self, key: str) -> str:
        """The text under a key; "" where none is there."""
        node = self.get(key)
        return node.text if isinstance(node, Scalar) else ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sequence(_Placed):
    """A list; an item that is an alias is the node that it stands for."""

    items: tuple[Node, ...]
    size: int


Node: TypeAlias = Scalar | Mapping | Sequence
Entry: TypeAlias = tuple[Scalar, Node]


def read(source: Source) -> tuple[list[Node], list[Diagnostic]]:
    """The documents of a file (empty ones left out), and what is wrong with it as YAML."""
    composer = _Composer(source)
    found: list[Diagnostic] = []
    try:
        roots = composer.documents()
    except Refused as refused:
        roots = []
        found = [Diagnostic(refused.code, refused.summary, hint=refused.hint, at=source.span(refused.at))]
    else:
        shown = {scalar.start: text for root in roots for scalar, text in _shown(root, source)}
        shown |= {again: shown[first] for again, first in composer.duplicates.items() if first in shown}
        shown |= dict.fromkeys(composer.merges, "<<")
        source.pieces = [
            Piece(scalar.start, scalar.end, None if (text := shown.get(scalar.start, HIDDEN)) == scalar_text else text)
            for scalar in composer.scalars
            if (scalar_text := source.text[scalar.start : scalar.end])
        ]
        source.parsed = True
    for code, summary, hint, start, end in composer.found[:MAX_FINDINGS]:
        found.append(Diagnostic(code, summary, hint=hint, at=source.span(start, end)))
    return roots, found


class _Composer:
    """Nodes from events; what can be gone past is put into `found`, as places: excerpts need the whole file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.scalars: list[Scalar] = []
        self.found: list[tuple[Code, Message, Message, int, int]] = []
        self.merges: list[int] = []
        """Places of merge keys, which are in no mapping."""
        self.duplicates: dict[int, int] = {}
        """The places of keys that are in no mapping as they are there already, and of the first of each."""
        self._anchors: dict[str, Node | None] = {}
        self._aliases = self._nodes = 0
        self._events: Iterator[Event] = iter(())

    def documents(self) -> list[Node]:
        """The root of each document that is not empty."""
        self._events = events(self.source.text)
        roots = []
        for _ in self._events:  # the beginning of each document
            self._anchors = {}
            root = self._node(next(self._events), 1)
            if not (isinstance(root, Scalar) and root.absent):
                roots.append(root)
        return roots

    def _node(self, event: Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            summary = Message("nested deeper than {most} levels", most=MAX_DEPTH)
            raise Refused(Code.TOO_LARGE, summary, Message("A portal needs 4."), event.start)
        if event.kind == "alias":
            return self._alias(event)
        self._count(1, event)
        if event.tag:
            hint = Message("Write the text without it, in quotes where need be. A secret is written as env:NAME.")
            summary = Message("tags (`!…`) have no meaning here")
            self.found.append((Code.WRONG_TYPE, summary, hint, event.start, event.start + 1))
        if event.anchor:
            self._anchors[event.anchor] = None  # until it is whole: it can't contain itself
        node: Node
        if event.kind == "scalar":
            node = self._scalar(event)
        else:
            node = self._mapping(event, depth) if event.kind == "mapping" else self._sequence(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Event) -> Scalar:
        if any("\ud800" <= char <= "\udfff" for char in event.text):
            hint = Message('Write the character itself, or one escape with eight digits for it: "\\U0001F600".')
            self.found.append((Code.BAD_VALUE, Message("an escape for half a character"), hint, event.start, event.end))
        node = Scalar(self.source, event.start, event.end, event.plain, event.text)
        self.scalars.append(node)
        return node

    def _sequence(self, opening: Event, depth: int) -> Sequence:
        items = []
        while (event := next(self._events)).kind != "end":
            items.append(self._node(event, depth + 1))
        size = 1 + sum(item.size for item in items)
        return Sequence(self.source, opening.start, event.end, opening.plain, tuple(items), size)

    def _mapping(self, opening: Event, depth: int) -> Mapping:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        written: list[Entry] = []
        while (event := next(self._events)).kind != "end":
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                hint = Message("A key is one word, followed by a colon and a blank.")
                self.found.append((Code.WRONG_TYPE, Message("a key must be text"), hint, event.start, event.end))
                continue
            written.append((key, value))
            if key.plain and key.text == "<<":
                self.merges.append(key.start)
                for name, entry in self._merge(key, value):
                    merged.setdefault(name, entry)
            elif key.text in own:
                first = own[key.text][0].start
                self.duplicates[key.start] = first
                # Not by name: the excerpt shows it, unless it stands below a password.
                summary = Message("this key is there already, in line {line}", line=self.source.line_of(first))
                self.found.append((Code.DUPLICATE_KEY, summary, Message("Keep one of the two."), key.start, key.end))
            else:
                own[key.text] = (key, value)
        entries = merged | own if merged else own
        self._count(len(entries) - len(own), opening)
        size = 1 + sum(1 + value.size for _, value in entries.values())
        return Mapping(self.source, opening.start, event.end, opening.plain, entries, tuple(written), size)

    def _merge(self, key: Scalar, value: Node) -> Iterator[tuple[str, Entry]]:
        for mapping in value.items if isinstance(value, Sequence) else (value,):
            if isinstance(mapping, Mapping):
                yield from mapping.entries.items()
            else:
                hint = Message("Write `<<: *name`, where `&name` marks a mapping.")
                self.found.append((Code.WRONG_TYPE, Message("a merge key takes mappings"), hint, key.start, key.end))

    def _alias(self, event: Event) -> Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            hint = Message("Use `defaults:` for what all lines have in common.")
            raise Refused(Code.TOO_LARGE, Message("more than {most} aliases", most=MAX_ALIASES), hint, event.start)
        node = self._anchors.get(event.anchor)
        if node is None:
            summary = Message("an alias to an anchor that is not there")
            if event.anchor in self._anchors:
                summary = Message("an alias inside of what it stands for")
            hint = Message(
                "Put `&name` before the value that `*name` stands for; quote a text that begins with an asterisk."
            )
            raise Refused(Code.SYNTAX, summary, hint, event.start)
        self._count(node.size, event)
        return node

    def _count(self, nodes: int, event: Event) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            summary = Message("more than {most} values, aliases written out", most=MAX_NODES)
            raise Refused(Code.TOO_LARGE, summary, Message("Split the file: one for each portal."), event.start)


def _shown(root: Node, source: Source) -> Iterator[tuple[Scalar, str]]:
    """The scalars of a tree that excerpts may show, with what they show of them."""
    todo: list[tuple[Node, str]] = [(root, "")]
    while todo:
        node, key = todo.pop()
        if isinstance(node, Scalar):
            raw = source.text[node.start : node.end]
            if (text := shown_value(key, raw, one_line="\n" not in raw)) is not None:
                yield node, text
        elif isinstance(node, Sequence):
            todo += [(item, key) for item in node.items if key in SECTIONS]
        elif key in SECTIONS or key in ("", "*"):
            for name, (scalar, value) in node.entries.items():
                yield scalar, shown_key(source.text[scalar.start : scalar.end])
                todo.append((value, "*" if key in ("lines", "removed") else name))
