"""The canonical layout of a file, made by edits of its text: what is not edited stays as it is, comments above all.

Blocks are indented by two, one blank follows a colon, nothing follows the last character of a line, and text that some
reader would take for a number, a date or a switch stands in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from sipsync.config.reader.nodes import Mapping, Node, Scalar, Sequence
from sipsync.config.reader.source import Source
from sipsync.config.reader.yaml import read
from sipsync.config.schema import json_schema
from sipsync.config.writer.lines import NOT_MANAGED
from sipsync.config.writer.scalars import ambiguous, quoted
from sipsync.model.message import Message
from sipsync.model.problems import Code, ConfigError, Diagnostic

_UNQUOTED = {
    "integer": r"0|[1-9][0-9]*",
    "number": r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?",
    "boolean": "true|false",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
"""How values that are no texts are written, by the type or format that the schema gives them."""

_UNTRUE = re.compile(rf"[ \t]+{re.escape(NOT_MANAGED)}[ \t]*(?=[\r\n]|\Z)")

Edit = tuple[int, int, str]
"""From, to, and what comes there."""


def documents(text: str, name: str) -> tuple[Source, list[Mapping]]:
    """The mappings of a file. Raises ConfigError where it is not YAML, or something else."""
    source = Source(name, text)
    roots, problems = read(source)
    for root in roots:
        if not isinstance(root, Mapping):
            hint = Message("A portal's file begins with `sipsync: 1`.")
            summary = Message("this is not a mapping of keys and values")
            problems.append(Diagnostic(Code.WRONG_TYPE, summary, hint=hint, at=root.at))
    if problems:
        raise ConfigError(*problems)
    return source, [root for root in roots if isinstance(root, Mapping)]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that don't overlap."""
    parts, at = [], 0
    for start, end, new in sorted(edits):
        parts += [text[at:start], new]
        at = end
    return "".join(parts) + text[at:]


def format_text(text: str, name: str) -> str:
    """The file in canonical layout; formatting it again changes nothing. Raises ConfigError where it is not YAML."""
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    source, roots = documents(body, name)
    if edits := [edit for root in roots for edit in _spelling(root, source.text, flow=False)]:
        body = edited(body, edits)
        source, roots = documents(body, name)
    laid = _lay_out(source, roots)
    return mark + (laid if laid == body or _same(laid, roots, name) else body)


def _same(laid: str, roots: list[Mapping], name: str) -> bool:
    """Whether the layout left the meaning alone; one that the rules below do not foresee is not taken."""
    try:
        return [meaning(root) for root in documents(laid, name)[1]] == [meaning(root) for root in roots]
    except ConfigError:
        return False


def meaning(node: Node) -> object:
    """What a file says, without how it is written."""
    if isinstance(node, Scalar):
        return None if node.absent else node.text
    if isinstance(node, Sequence):
        return [meaning(item) for item in node.items]
    return [(key, meaning(value)) for key, (_, value) in node.entries.items()]


# --- quotes and blanks within a line ---


def _spelling(node: Node, text: str, *, flow: bool, key: str = "") -> Iterator[Edit]:
    if isinstance(node, Scalar):
        if (
            node.plain
            and not node.absent
            and text[node.start : node.end] == node.text
            and _needs_quotes(node.text, key, flow)
        ):
            yield node.start, node.end, quoted(node.text)
    elif isinstance(node, Sequence):
        for item in own_items(node):
            yield from _spelling(item, text, flow=not node.plain or flow, key=key)
    else:
        for name, value in node.written:
            inner = not node.plain or flow
            if name.text != "<<":
                yield from _spelling(name, text, flow=inner)
            if value.start >= name.end:
                yield from _spelling(value, text, flow=inner, key=name.text)
                yield from outdated(name, value, text)
                gap = text[name.end : value.start]
                if not inner and re.fullmatch(r"[ \t]*:[ \t]+", gap) and gap != ": ":
                    yield name.end, value.start, ": "


def outdated(key: Scalar, value: Node, text: str) -> Iterator[Edit]:
    """What takes away the comment that a live password is not managed, as `import` writes it."""
    live = isinstance(value, Scalar) and not value.absent and value.start >= key.end
    if live and key.text == "password" and (comment := _UNTRUE.match(text, value.end)):
        yield *comment.span(), ""


def _needs_quotes(text: str, key: str, flow: bool) -> bool:
    if re.fullmatch(_typed().get(key, "(?!)"), text):
        return False
    return ambiguous(text) or (flow and bool(re.search(r"[:?]", text)))  # libyaml refuses these between brackets


@cache
def _typed() -> dict[str, str]:
    """Keys whose values are no texts, and how those are written."""
    schema = json_schema()
    rows = [row for section in (schema, *schema["$defs"].values()) for row in section["properties"].items()]
    kinds = [(key, row.get("format", row.get("type"))) for key, row in rows]
    kinds = [(key, "integer" if kind == ["string", "integer"] else kind) for key, kind in kinds]
    return {key: _UNQUOTED[kind] for key, kind in kinds if isinstance(kind, str) and kind in _UNQUOTED}


def own_items(node: Sequence) -> list[Node]:
    """The items that stand in the list itself, not those that an alias brings there."""
    return [item for item in node.items if item.start >= node.start]


# --- indentation ---


_DASHES = re.compile(r"^(?:-[ \t]+)+(?=\S)")


def _lay_out(source: Source, roots: list[Mapping]) -> str:
    lines = re.split(r"\r\n|\r|\n", source.text)
    wanted = {source.line_of(place) - 1: indent for root in roots for place, indent in _indents(root, 0, source)}
    inside = set[int]()  # lines that a scalar began before
    for piece in source.pieces:
        inside.update(range(source.line_of(piece.start), source.line_of(piece.end - 1)))
    below: list[int | None] = [None] * (len(lines) + 1)
    for number in reversed(range(len(lines))):
        below[number] = number if number in wanted else below[number + 1]
    laid: list[str] = []
    shift, above = 0, None
    for number, line in enumerate(lines):
        body = line.lstrip(" ")
        was = len(line) - len(body)
        if number in wanted:
            shift, above = wanted[number] - was, number
            laid.append(" " * wanted[number] + _DASHES.sub(lambda found: "- " * found[0].count("-"), body).rstrip())
        elif number in inside:
            laid.append(" " * max(0, was + shift) + body if line else "")
        elif not body.strip():
            laid.append("")
        elif body.startswith("#"):
            laid.append(" " * _comment_indent(lines, wanted, was, above, below[number]) + body.rstrip())
        else:
            shift = shift if was else 0
            laid.append(" " * max(0, was + shift) + body.rstrip())
    while laid and not laid[-1].strip():
        laid.pop()
    return ("\r\n" if "\r\n" in source.text else "\n").join([*laid, ""])


def _indents(node: Node, indent: int, source: Source) -> Iterator[tuple[int, int]]:
    """The places that begin a line's content, with the indentation that belongs before it."""
    if isinstance(node, Mapping) and node.plain:
        for key, value in node.written:
            if _first(key.start, source):
                yield key.start, indent
            if value.start >= key.end:
                yield from _indents(value, indent + 2, source)
    elif isinstance(node, Sequence) and node.plain:
        for item in own_items(node):
            dash = source.text.rfind("-", source.line_start(item.start), item.start)
            if dash >= 0 and _first(dash, source):
                yield dash, indent
            yield from _indents(item, indent + 2, source)


def _first(place: int, source: Source) -> bool:
    return not source.text[source.line_start(place) : place].strip(" ")


def _comment_indent(lines: list[str], wanted: dict[int, int], was: int, above: int | None, below: int | None) -> int:
    """A comment stands like the line below it, or like the one above it where it stood like that one."""
    if above is not None and was == _indent(lines[above]) and (below is None or was != _indent(lines[below])):
        return wanted[above]
    if below is not None:
        return wanted[below]
    return wanted[above] if was and above is not None else 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
