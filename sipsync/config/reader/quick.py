"""libyaml's events → nodes, where it is sure that ruamel.yaml would read the same; else nothing, and ruamel is asked.

libyaml is thirty times as quick. What the two could read differently is left to ruamel, and so is every error: by its
characters (tabs, odd ends of lines, byte-order marks, `...`), or by what an event says (block scalars, tags, anchors,
aliases, merge keys, duplicate keys, directives). `tests/fuzz` holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml import YAMLError

from sipsync.config.reader.nodes import MAX_DEPTH, MAX_NODES, Entry, Mapping, Node, Scalar, Sequence, Tree
from sipsync.config.reader.source import Source

_ODD = re.compile("[\t\x85\u2028\u2029\ufeff]|(?:^|\r)\\.\\.\\.", re.MULTILINE)

# Local names, as they are compared with each event; `Any`, as each event is one.
_SCALAR: Any = yaml.ScalarEvent
_ALIAS: Any = yaml.AliasEvent
_MAPPING: Any = yaml.MappingStartEvent
_MAPPING_END: Any = yaml.MappingEndEvent
_SEQUENCE_END: Any = yaml.SequenceEndEvent
_DOCUMENT: Any = yaml.DocumentStartEvent
_END: Any = yaml.StreamEndEvent
_BLOCK = ("|", ">")


class _Doubt(Exception):
    """Ruamel has to read this."""


def quick_tree(source: Source) -> Tree | None:
    """What the file says; None where ruamel has to read it, also where PyYAML was built without libyaml."""
    try:
        from yaml._yaml import CParser
    except ImportError:
        return None
    if _ODD.search(source.text):
        return None
    try:
        parser = CParser(source.text)
        return _Composer(source, parser.get_event).tree()
    except (_Doubt, YAMLError, UnicodeEncodeError):
        return None


class _Composer:
    """Nodes from events. What is looked up for each of them is an attribute here, or a local name."""

    __slots__ = ("_event", "_left", "_scalars", "_source")

    def __init__(self, source: Source, event: Callable[[], Any]) -> None:
        self._source, self._event = source, event
        self._scalars: list[Scalar] = []
        self._left = MAX_NODES

    def tree(self) -> Tree:
        """All documents. Raises what ends in None."""
        roots = []
        while (event := self._event()).__class__ is not _END:
            if event.__class__ is _DOCUMENT:
                if event.version or event.tags:
                    raise _Doubt
                root = self._node(self._event(), 1)
                if not (isinstance(root, Scalar) and root.absent):
                    roots.append(root)
        return Tree(roots, self._scalars)

    def _node(self, event: Any, depth: int) -> Node:
        self._left -= 1
        kind = event.__class__
        if kind is _ALIAS or event.anchor or event.tag or self._left < 0 or depth > MAX_DEPTH:
            raise _Doubt
        if kind is _SCALAR:
            if event.style in _BLOCK:
                raise _Doubt
            node = Scalar(self._source, event.start_mark.index, event.end_mark.index, not event.style, event.value)
            self._scalars.append(node)
            return node
        return self._mapping(event, depth) if kind is _MAPPING else self._sequence(event, depth)

    def _mapping(self, opening: Any, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        below, next_event, node = depth + 1, self._event, self._node
        while (event := next_event()).__class__ is not _MAPPING_END:
            key = node(event, below)
            value = node(next_event(), below)
            if key.__class__ is not Scalar or key.text in ("", "<<") or key.text in entries:
                raise _Doubt
            if value.plain and value.__class__ is Scalar and not value.text:
                value.start = value.end = key.end
            entries[key.text] = (key, value)
        start, end = opening.start_mark.index, event.end_mark.index
        return Mapping(self._source, start, end, not opening.flow_style, entries, tuple(entries.values()))

    def _sequence(self, opening: Any, depth: int) -> Sequence:
        items = []
        while (event := self._event()).__class__ is not _SEQUENCE_END:
            items.append(self._node(event, depth + 1))
        start, end = opening.start_mark.index, event.end_mark.index
        return Sequence(self._source, start, end, not opening.flow_style, tuple(items))
