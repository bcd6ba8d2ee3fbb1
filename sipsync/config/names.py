"""Which portals a text can hold, by a look that costs a hundredth of reading it.

A run of one portal need not read and check the files of a thousand others; it must never miss one, though. So the look
knows only how people write a name, and wherever the word stands in another way it says that it can't tell.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sipsync.config.paths import read_source
from sipsync.config.reader.source import Source
from sipsync.disk.files import real_path
from sipsync.model.globs import LONGEST, fits
from sipsync.model.problems import ConfigError

Names = frozenset[str]
_COMMENT: Final = re.compile("^[ \t]*#[^\"'\r\n\x85\u2028\u2029]*$", re.MULTILINE)
"""A line that begins so and has no quote is a comment, or within a text; it opens and closes none."""
_WORD: Final = re.compile(r"\b(name|include)\b")
_NAME: Final = re.compile(
    r"""["']?[ \t]*:[ \t]*(?:"([\w-]+)"|'([\w-]+)'|([\w-]+))[ \t]*(?=[\n,}]|[ \t]#|\Z)""", re.ASCII
)
_UNSURE: Final = re.compile(r"\\|^[^\n*]*\*[^\n]*:|(?:^|[\s{,\[])\?\s", re.MULTILINE)
"""An escape can write a letter, and an alias or what follows a `?` can be a key. A line is looked at from its first
asterisk alone."""
_PATH: Final = r"""(?:"[^"'\n]+"|'[^"'\n]+'|[\w./][\w./ -]*)"""
_INCLUDE: Final = re.compile(
    rf":[ \t]*(?:\[[ \t]*({_PATH}(?:,[ \t]*{_PATH})*)\][ \t]*$|$((?:\s*\n[ \t]*-[ \t]+{_PATH}$)+)(?=\s*\Z|\n+[^\s-]))",
    re.MULTILINE,
)
"""A list in one line, or one item a line."""
_ITEM: Final = re.compile(_PATH)
_DEEPEST: Final = 16
"""Includes of includes that are followed."""


@dataclass(slots=True)
class NameLook:
    """The files that can hold a portal of these names, told one by one; an included file is looked at once."""

    root: Path
    globs: Collection[str]
    _included: dict[Path, Names | None] = field(default_factory=dict)

    def may_hold(self, source: Source) -> bool:
        """Whether the file can hold one of the portals."""
        names = self.names(source)
        return names is None or any(_fits(name, glob) for name in names for glob in self.globs)

    def names(self, source: Source) -> Names | None:
        """The names that the file's portals can have; None where that can't be told without reading it."""
        told = self._written(source)
        return None if told is None else told | {Path(source.name).stem}

    def _written(self, source: Source, depth: int = 0) -> Names | None:
        """The names that the text, and what it includes, give."""
        text = _COMMENT.sub("", source.text.replace("\r\n", "\n"))
        if depth > _DEEPEST or _UNSURE.search(text):
            return None
        names: set[str] = set()
        for word in _WORD.finditer(text):
            pattern = _NAME if word[1] == "name" else _INCLUDE
            value = pattern.match(text, word.end())
            if value is None:
                return None
            if pattern is _NAME:
                names.add(value[1] or value[2] or value[3])
                continue
            for item in _ITEM.findall(value[1] or value[2]):
                below = self._below(source, item.strip(" \"'"), depth)
                if below is None:
                    return None
                names |= below
        return frozenset(names)

    def _below(self, source: Source, item: str, depth: int) -> Names | None:
        """What an included file gives; one that can't be read gives nothing."""
        path = real_path((source.path.parent if source.path else Path()) / item[:LONGEST])
        if path is None or not path.is_relative_to(self.root):
            return frozenset()
        if path not in self._included:
            self._included[path] = frozenset()  # a circle ends here
            try:
                self._included[path] = self._written(read_source(path, path.as_posix()), depth + 1)
            except ConfigError:
                return frozenset()
        return self._included[path]


def _fits(name: str, glob: str) -> bool:
    """Whether the glob can mean the name; two that differ in letter case only count as one."""
    return fits(name, glob) or fits(name.lower(), glob.lower())
