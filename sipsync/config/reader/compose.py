"""ruamel.yaml's events → nodes: everything that YAML can say, and a finding for everything that is wrong with it.

It takes the parser's events, so that a bomb is refused before anything of it is built, resolves aliases and merge keys,
and finds duplicate keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from sipsync.config.reader.nodes import MAX_DEPTH, MAX_NODES, Entry, Mapping, Node, Problem, Scalar, Sequence, Tree
from sipsync.config.reader.source import Source
from sipsync.config.reader.syntax import Event, Refused, events
from sipsync.model.message import Message
from sipsync.model.problems import Code

MAX_ALIASES = 256


def compose(source: Source) -> Tree:
    """What the file says, and what is wrong with it."""
    composer = _Composer(source)
    try:
        composer.compose()
    except Refused as refused:
        problem = Problem(refused.code, refused.summary, refused.hint, refused.at)
        return Tree([], composer.tree.scalars, [problem, *composer.tree.problems], readable=False)
    return composer.tree


class _Composer:
    """Nodes from events; what can be gone past is a problem."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tree = Tree([], [])
        self._anchors: dict[str, Node | None] = {}
        self._aliases = self._nodes = 0
        self._events: Iterator[Event] = iter(())

    def compose(self) -> None:
        """Take in all of the file. Raises Refused where it can't be read."""
        self._events = events(self.source)
        for _ in self._events:  # the beginning of each document
            self._anchors = {}
            root = self._node(next(self._events), 1)
            if not (isinstance(root, Scalar) and root.absent):
                self.tree.roots.append(root)

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
            self._found(Code.WRONG_TYPE, summary, hint, event.start, event.start + 1)
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

    def _found(self, code: Code, summary: Message, hint: Message, start: int, end: int) -> None:
        self.tree.problems.append(Problem(code, summary, hint, start, end))

    def _scalar(self, event: Event) -> Scalar:
        if any("\ud800" <= char <= "\udfff" for char in event.text):
            hint = Message('Write the character itself, or one escape with eight digits for it: "\\U0001F600".')
            self._found(Code.BAD_VALUE, Message("an escape for half a character"), hint, event.start, event.end)
        node = Scalar(self.source, event.start, event.end, event.plain, event.text)
        self.tree.scalars.append(node)
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
            following = next(self._events)
            value = self._node(following, depth + 1)
            if following.kind == "scalar" and following.plain and not following.text:
                value.start = value.end = key.end  # the parsers place what is not there in many ways
            if not isinstance(key, Scalar):
                self.tree.strays += (key, value)
                hint = Message("A key is one word, followed by a colon and a blank.")
                self._found(Code.WRONG_TYPE, Message("a key must be text"), hint, event.start, event.end)
                continue
            written.append((key, value))
            if key.plain and key.text == "<<":
                for name, entry in self._merge(key, value):
                    merged.setdefault(name, entry)
            elif key.text in own:
                first = own[key.text][0].start
                # Not by name: the excerpt shows it, unless it stands below a password.
                summary = Message("this key is there already, in line {line}", line=self.source.line_of(first))
                self._found(Code.DUPLICATE_KEY, summary, Message("Keep one of the two."), key.start, key.end)
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
                self._found(Code.WRONG_TYPE, Message("a merge key takes mappings"), hint, key.start, key.end)

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
