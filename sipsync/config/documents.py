"""Mappings in the place of files: written out as YAML, one key a line, so that one reader judges both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias, TypeGuard

from sipsync.config.reader.mask import shown_key
from sipsync.config.reader.nodes import MAX_DEPTH
from sipsync.config.reader.source import MAX_BYTES, Source, decode
from sipsync.model.message import Message
from sipsync.model.problems import Code, ConfigError, Diagnostic, Span

_UNSAFE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML refuses, or takes for the end of a line."""
Documents: TypeAlias = Mapping[str, Mapping[str, object]]
"""Mappings that hold what a file holds, each by the name that messages give it."""
_Keys: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A document as text, and the keys that lead to each of its lines."""

    source: Source
    keys: tuple[_Keys, ...]

    def placed(self, diagnostic: Diagnostic) -> Diagnostic:
        """The finding, whose place names the document and the key: `acme#/lines/sales/titel`."""
        assert diagnostic.at  # noqa: S101  # it is a finding about this text
        line = diagnostic.at.line
        keys = next(iter(self.keys[line - 1 : line]), ())  # a file of the same name, included, may be longer
        return replace(diagnostic, at=replace(diagnostic.at, file=_pointer(self.source.name, keys)))


def write_out(name: str, document: object, root: Path) -> Written:
    """The document as the text of a file in the root. Raises ConfigError where no file can hold it."""
    rows, keys, size = [], [], 0
    for row, path in _rows(name, document, ()):
        rows.append(row)
        keys.append(path)
        size += len(row)
        if size > MAX_BYTES:  # also one that contains itself
            break
    source = decode("\n".join(rows).encode(), name, root / "<document>")
    return Written(source, tuple(keys))


def _rows(name: str, value: object, keys: _Keys) -> Iterator[tuple[str, _Keys]]:
    """Lines of YAML, each with the keys that lead to it; deeper than the reader goes, nothing."""
    if not _nests(value):
        yield _scalar(name, value, keys), keys
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items if len(keys) <= MAX_DEPTH else ():
        below = (*keys, str(key))
        head = " " * len(keys) + (f"{_quoted(str(key))}:" if isinstance(value, Mapping) else "-")
        if _nests(item):
            yield head, below
            yield from _rows(name, item, below)
        else:
            yield f"{head} {_scalar(name, item, below)}", below


def _nests(value: object) -> TypeGuard[Mapping[object, object] | list[object] | tuple[object, ...]]:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _scalar(name: str, value: object, keys: _Keys) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    summary = Message("a value that no file can hold: {kind}", kind=type(value).__name__)
    hint = Message("Give mappings, lists, texts, numbers, true and false.")
    raise ConfigError(Diagnostic(Code.WRONG_TYPE, summary, hint=hint, at=Span(_pointer(name, keys), 1)))


def _quoted(text: str) -> str:
    return _UNSAFE.sub(lambda hit: f"\\u{ord(hit[0]):04x}", json.dumps(text, ensure_ascii=False))


def _pointer(name: str, keys: _Keys) -> str:
    """A JSON pointer behind the document's name."""
    shown = (shown_key(key).replace("~", "~0").replace("/", "~1") for key in keys)
    return f"{name}#{''.join(f'/{key}' for key in shown)}"
