"""`include:`, done on nodes: each value keeps the file that it came from, and so does each finding about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sipsync.config.findings import no_mapping, validate
from sipsync.config.paths import Disk
from sipsync.config.reader.nodes import Mapping, Node, Scalar, Sequence
from sipsync.config.reader.source import Source
from sipsync.config.reader.yaml import forget, read
from sipsync.config.refs import NO_FILE, beside
from sipsync.config.schema import IncludedFile
from sipsync.disk.files import below_git
from sipsync.model.globs import LONGEST
from sipsync.model.message import Message
from sipsync.model.problems import Code, ConfigError, Diagnostic

MAX_MERGES = 256
"""Of one document; each may merge a whole file."""
_MERGED = ("portal", "policy", "defaults")
_ACCESS = ("webhook", "oauth", "sandbox")


class Files(Protocol):
    """Where included files are: on the disk, or in a commit."""

    def resolve(self, path: Path) -> Path | None:
        """The file that a path means; None where no file can have that name."""

    def read(self, path: Path, name: str) -> Source | None:
        """A file's text, None where it is not there. Raises ConfigError where it can't be read."""


@dataclass(slots=True)
class Includes:
    """Included files of one run, each read once."""

    root: Path
    files: Files = Disk()
    diagnostics: list[Diagnostic] = field(default_factory=list)
    broken: bool = False
    """Whether something is wrong with what the last document includes."""
    _read: dict[Path, Mapping | None] = field(default_factory=dict)
    _wrong: set[Path] = field(default_factory=set)
    _merges: int = 0

    def merged(self, document: Mapping, chain: tuple[Path, ...] = ()) -> Mapping:
        """The document with what it includes under it: its own values win, then those of the later file."""
        if not chain:
            self._merges, self.broken = 0, False
        includes = document.get("include")
        if not isinstance(includes, Sequence):
            return document  # a wrong type is found by the model
        own = document.source.path
        chain = (*chain, own) if own else chain
        for item in reversed(includes.items):
            if isinstance(item, Scalar) and not item.absent and (below := self._included(item, chain)):
                document = _under(document, below)
        return document

    def forget(self) -> None:
        """Let go of the files' nodes."""
        for root in self._read.values():
            if root:
                forget(root.source)

    def _included(self, item: Scalar, chain: tuple[Path, ...]) -> Mapping | None:
        path = self.files.resolve(beside(item) / item.text[:LONGEST])  # a longer one is told by the model
        if path is None:
            return self._refused(item, *NO_FILE)
        if not path.is_relative_to(self.root):
            hint = Message("Move the file there, or give the common folder with --root.")
            return self._refused(item, Message("an include from outside of {root}", root=self.root), hint)
        if below_git(path, self.root):
            return self._refused(item, Message("an include below .git"), Message("Move the file elsewhere."))
        if path in chain:
            summary = Message("files that include each other in a circle")
            return self._refused(item, summary, Message("Remove one of the includes."))
        self._merges += 1
        if self._merges >= MAX_MERGES:
            if self._merges == MAX_MERGES:
                summary = Message("more than {most} includes for one portal, theirs counted", most=MAX_MERGES - 1)
                self._refused(item, summary, Message("Include one file that says what they say."))
            return None
        if path not in self._read:
            before = len(self.diagnostics)
            self._read[path] = self._load(path, item)
            if len(self.diagnostics) > before:
                self._wrong.add(path)
        self.broken |= path in self._wrong
        below = self._read[path]
        return self.merged(below, chain) if below else None

    def _load(self, path: Path, item: Scalar) -> Mapping | None:
        parent = Path(item.source.name).parent
        try:
            source = self.files.read(path, (parent / item.text).as_posix())
        except ConfigError as error:
            self.diagnostics += error.diagnostics
            return None
        if source is None:
            hint = Message("Write its path relative to this file.")
            return self._refused(item, Message("the included file is not there"), hint)
        roots, found = read(source)
        self.diagnostics += found
        for root in roots[1:]:
            hint = Message("Remove the line `---` and what follows it.")
            self._refused(root, Message("an included file has one document"), hint)
        if not roots or not isinstance(roots[0], Mapping):
            self.diagnostics += [no_mapping(root) for root in roots[:1]]
            return None
        self.diagnostics += validate(IncludedFile, roots[0])[1]
        return roots[0]

    def _refused(self, node: Node, summary: Message, hint: Message) -> Mapping | None:
        """Nothing to merge, and a finding that says why."""
        self.broken = True
        self.diagnostics.append(Diagnostic(Code.INCLUDE, summary, hint=hint, at=node.at))
        return None


def _under(document: Mapping, below: Mapping) -> Mapping:
    """The document, completed by the sections of another one."""
    entries = dict(document.entries)
    for section in _MERGED:
        if section in below.entries:
            own = entries.get(section)
            entries[section] = (own[0], _joined(own[1], below.entries[section][1])) if own else below.entries[section]
    return document.saying(entries)


def _joined(own: Node, below: Node) -> Node:
    if not (isinstance(own, Mapping) and isinstance(below, Mapping)):
        return own
    entries = dict(own.entries)
    # A file that says how to reach its portal means this way alone.
    rival = set(_ACCESS) if any(way in own.entries for way in _ACCESS) else set()
    for name, (key, value) in below.entries.items():
        if name in entries:
            entries[name] = (entries[name][0], _joined(entries[name][1], value))
        elif name not in rival:
            entries[name] = (key, value)
    return own.saying(entries)
