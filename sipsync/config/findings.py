"""A file's nodes against a model: the validated model, and pydantic's errors as findings with place and way out."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from sipsync.config.reader.mask import shown_key, shown_value
from sipsync.config.reader.nodes import MAX_FINDINGS, Mapping, Node, Scalar, Sequence
from sipsync.config.refs import RunContext, Text
from sipsync.config.schema import json_schema
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.problems import Code, Diagnostic, Span
from sipsync.model.secret import SCHEMES

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model")
_NO_VALUE = object()
_NUMBER = (Message("a number"), Message("Write a number here."))
_KEYS = (Message("keys with values"), Message("Write one `key: value` a line, indented."))
_KINDS = {
    "string_type": (Message("text"), Message("Write a single text here.")),
    "int_type": _NUMBER,
    "float_type": _NUMBER,
    "bool_type": (Message("true or false"), Message("Write true or false here.")),
    "date_type": (Message("a date"), Message("Write a date, as in 2026-12-31.")),
    "tuple_type": (Message("a list"), Message("Write a list: `[one, two]`, or one item a line, each after `- `.")),
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "dataclass_type": _KEYS,
}
"""pydantic's error → what belongs there, and how to write it."""
_COMMENTED = re.compile(rf"[ \t]*:[ \t]+(?P<sign>#[ \t]*)(?P<scheme>{'|'.join(SCHEMES)}):\S")
"""A reference in the place of a value that is still a comment."""
_SIBLINGS = 100
"""Keys of a mapping among which the one is sought that another belongs to."""
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""pydantic's errors for a key that a model, and a dataclass, does not have."""


def validate(model: type[Model], root: Mapping, run: RunContext | None = None) -> tuple[Model | None, list[Diagnostic]]:
    """The root's values as a model, or what is wrong with them."""
    try:
        check = _adapter(model)  # type: ignore[arg-type]  # mypy doubts that a class has a hash
        validated: Model = check.validate_python(_plain(root), context=run)
        return validated, []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    return None, [_finding(detail, root, model) for detail in details[:MAX_FINDINGS]]


@cache
def _adapter(model: type) -> TypeAdapter[Any]:
    """What checks a model, built once."""
    return TypeAdapter(model)


def no_mapping(node: Node) -> Diagnostic:
    """What to say of a document that is a text or a list."""
    hint = Message("Begin with `sipsync: 1`, then `portal:` and `lines:`.")
    summary = Message("a portal's file is a mapping of keys and values")
    return Diagnostic(Code.WRONG_TYPE, summary, hint=hint, at=node.at)


def _no_value(key: str, kind: str, node: Node) -> Diagnostic:
    """What to say of a key, at its node, that nothing follows but perhaps a reference that is still a comment."""
    hint = Message("Give it one, or delete the key.")
    if _KINDS.get(kind) == _KEYS:
        told = "Give it one, or delete the key. What has no entries is written `{key}: {{}}`."
        hint = Message(told, key=shown_key(key))
    elif comment := _COMMENTED.match(node.source.text, node.end):
        hint = Message("Take away the `{sign}` before {scheme}:….", sign=comment["sign"], scheme=comment["scheme"])
    return Diagnostic(Code.WRONG_TYPE, Message('"{key}" has no value', key=shown_key(key)), hint=hint, at=node.at)


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        if node.absent:
            return _NO_VALUE
        text = Text(node.text)
        text.node = node
        return text
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return {key: _plain(value) for key, (_, value) in node.entries.items()}


def _finding(error: ErrorDetails, root: Mapping, model: type) -> Diagnostic:
    loc, kind = error["loc"], error["type"]
    key = next((str(step) for step in reversed(loc) if isinstance(step, str) and step != "[key]"), "")
    if kind == "missing":
        return _missing(key, loc, root, model)
    node, key_node = _locate(root, loc)
    if kind in _UNKNOWN or loc[-1] == "[key]":
        at = key_node.at
        if kind in _UNKNOWN:
            found = _unknown(key, _section(model, loc[:-1])["properties"], at)
            return replace(found, hint=_outdented(root, loc, model) or found.hint)
        return _told(error, at)
    if isinstance(node, Scalar) and node.absent:
        return _no_value(key, kind, key_node)
    if kind in Code._value2member_map_:
        index = error["ctx"].get("index")
        return _told(error, node.at if index is None or not isinstance(node, Scalar) else node.at_character(index))
    found = _standard(error, key, node)
    hint = _outdented(root, loc, model) if found.code is Code.WRONG_TYPE and len(loc) > 1 else None
    return replace(found, hint=hint or found.hint)


def _outdented(root: Mapping, loc: tuple[int | str, ...], model: type) -> Message | None:
    """What to do where a key would belong to one above it, and is not indented so far."""
    parent, _ = _locate(root, loc[:-1])
    if not isinstance(parent, Mapping) or len(parent.entries) > _SIBLINGS:
        return None
    known, name = _section(model, loc[:-1]), str(loc[-1])
    for above in reversed([*takewhile(lambda other: other != name, parent.entries)]):
        if not (above in known.get("properties", {}) or isinstance(known.get("additionalProperties"), dict)):
            continue
        key, node = parent.entries[above]
        empty, section = isinstance(node, Scalar) and node.absent, _section(model, (*loc[:-1], above))
        named = (empty or isinstance(node, Mapping)) and name in section.get("properties", {})
        if named or (empty and isinstance(section.get("additionalProperties"), dict)):
            line = key.source.line_of(key.start)
            return Message('Indent it, if it belongs to "{key}" in line {line}.', key=shown_key(above), line=line)
    return None


def _told(error: ErrorDetails, at: Span) -> Diagnostic:
    told = error["ctx"]
    return Diagnostic(Code(error["type"]), told["summary"], hint=told["hint"], at=at)


def missing(key: str) -> Message:
    """What is wrong where a key is to be given."""
    return Message('"{key}" is missing', key=key)


def _missing(key: str, loc: tuple[int | str, ...], root: Mapping, model: type) -> Diagnostic:
    node, key_node = _locate(root, loc[:-1])
    at = key_node.at if loc[:-1] else node.source.span(node.start)
    text = _section(model, loc[:-1])["properties"][key].get("description")
    hint = Message("Add `{key}: …`.", key=key)
    if text:
        hint = Message("Add `{key}: …`. {text}", key=key, text=Message(text))
    code = Code.NO_MARKER if loc == ("sipsync",) else Code.MISSING_KEY
    return Diagnostic(code, missing(key), hint=hint, at=at)


def _unknown(key: str, known: Collection[str], at: Span) -> Diagnostic:
    hint = did_you_mean(key, known, Message("Known here: {known}.", known=", ".join(sorted(known))))
    return Diagnostic(Code.UNKNOWN_KEY, Message('unknown key "{key}"', key=shown_key(key)), hint=hint, at=at)


def _standard(error: ErrorDetails, key: str, node: Node) -> Diagnostic:
    """What to say of pydantic's own errors."""
    kind, limits = error["type"], error.get("ctx", {})
    if kind == "literal_error":
        return _choice(key, re.findall("'([^']+)'", limits["expected"]), node)
    code = Code.BAD_VALUE
    if kind == "string_too_long":
        code, has = Code.TOO_LONG, len(node.text) if isinstance(node, Scalar) else 0
        most = limits["max_length"]
        summary = Message('"{key}" may have {most} characters; it has {has}', key=key, most=most, has=has)
        hint = Message("Shorten it.")
    elif kind == "too_long":
        code, most, hint = Code.TOO_LONG, limits["max_length"], Message("Say it with globs.")
        summary = Message('"{key}" may have {most} entries; it has more', key=key, most=most)
    elif kind == "string_too_short":
        summary, hint = Message('"{key}" is empty', key=key), Message("Give it a text, or delete the key.")
    elif kind in _BOUNDS:
        name, template = _BOUNDS[kind]
        summary, hint = Message(template, key=key, bound=limits[name]), Message("Correct the number.")
    else:
        what, hint = _KINDS.get(kind, (Message("another value"), Message("See `sipsync schema`.")))
        code, summary = Code.WRONG_TYPE, Message('"{key}" must be {what}', key=shown_key(key), what=what)
    return Diagnostic(code, summary, hint=hint, at=node.at)


_BOUNDS = {
    "greater_than_equal": ("ge", Message('"{key}" must be at least {bound:g}')),
    "greater_than": ("gt", Message('"{key}" must be more than {bound:g}')),
    "less_than_equal": ("le", Message('"{key}" must be at most {bound:g}')),
}
"""pydantic's error → where it keeps the bound, and what to say."""


def _choice(key: str, choices: list[str], node: Node) -> Diagnostic:
    text = node.text if isinstance(node, Scalar) else ""
    hint = did_you_mean(text, choices, Message("Write one of: {choices}.", choices=", ".join(choices)))
    shown = shown_value(key, text)
    summary = Message('"{key}" can\'t be this', key=key)
    if shown:
        summary = Message('"{key}" can\'t be "{text}"', key=key, text=shown)
    return Diagnostic(Code.BAD_VALUE, summary, hint=hint, at=node.at)


def _locate(root: Mapping, loc: tuple[int | str, ...]) -> tuple[Node, Node]:
    """The node at a place of the model, and the key that leads to it (or the node itself)."""
    node: Node = root
    key: Node = root
    for step in loc:
        if isinstance(node, Mapping) and str(step) in node.entries:
            key, node = node.entries[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int):
            key = node = node.items[step]
    return node, key


def _section(model: type, loc: tuple[int | str, ...]) -> dict[str, Any]:
    """The JSON Schema of the mapping at a place of the model."""
    whole = here = json_schema(model)
    for step in loc:
        keys = here.get("properties", {})
        here = here["items"] if isinstance(step, int) else keys[step] if step in keys else here["additionalProperties"]
        here = whole["$defs"][here["$ref"].rpartition("/")[2]] if "$ref" in here else here
    return here
