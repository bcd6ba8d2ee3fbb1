"""What the target branch of a pull request protects: a pull request must not unprotect a line by itself.

The portals of that branch's whole tree are read as they are stored there, whatever the files are called, and what they
protect becomes lines: their config_ids and titles. A portal of this run is the one there that is reached in the same
way, as written: what it protects counts here, by line and by glob. Where none is, a reference was changed as well, and
without secrets nothing tells whose lines these are: then what any portal there protects counts.

What can't be told stops the portal, since a way around it would be a way around the protection.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sipsync.config.include import Includes
from sipsync.config.load import Loaded, load_commit
from sipsync.config.paths import SUFFIXES, marked
from sipsync.config.reader.source import MAX_BYTES, Source, decode
from sipsync.config.refs import RunContext
from sipsync.disk.git import LINK, SUBMODULE, Entry, GitError, Repository, repository_of
from sipsync.model.globs import fits
from sipsync.model.lines import Access, DesiredLine, DesiredPortal, RemovedLine
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.policy import ProtectedLine, TargetPolicy
from sipsync.model.problems import ConfigError

_NO_BRANCH = re.compile(r"^[-/]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|(\.|\.lock|/)(/|$)|^@?$")
"""What git takes for no name of a branch."""
_MAX_LINKS = 40


def target_branch(environ: Mapping[str, str]) -> str:
    """The branch that a change is meant for, as the operator or the forge says; "" where nobody does."""
    if given := environ.get("SIPSYNC_TARGET_BRANCH", ""):
        return given.removeprefix("origin/")
    return environ.get("GITHUB_BASE_REF") or environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or ""


def with_target_policy(
    portals: Sequence[DesiredPortal], operator: Operator, schemes: Collection[str]
) -> tuple[DesiredPortal, ...]:
    """The portals, each with what the target branch protects of it; where no branch is named, as they are."""
    name = target_branch(operator.environ)
    if not name:
        return tuple(portals)
    branch = f"origin/{name}"
    try:
        there = _read(name, operator, schemes, [portal.file for portal in portals])
    except GitError as error:
        unknown = TargetPolicy(branch, unknown=(error.reason, error.remedy))
        return tuple(replace(portal, target=unknown) for portal in portals)
    return tuple(replace(portal, target=_target_policy(portal, branch, there)) for portal in portals)


@dataclass(frozen=True, slots=True)
class _Target:
    """The portals of the target branch, by the way to them."""

    portals: Mapping[Access, Sequence[DesiredPortal]]
    submodules: Sequence[str]
    """Folders that hold another repository's files."""


def _target_policy(portal: DesiredPortal, branch: str, there: _Target) -> TargetPolicy:
    same = there.portals.get(portal.access)
    if same is None and there.submodules:
        reason = Message(
            "no portal there is reached by the same reference, and files of {folder} belong to another repository",
            folder=there.submodules[0],
        )
        return TargetPolicy(branch, unknown=(reason, Message("Keep the portals' files in this repository.")))
    theirs = same if same is not None else [other for others in there.portals.values() for other in others]
    protected = tuple(dict.fromkeys(glob for other in theirs for glob in other.policy.protected))
    lines = tuple(line for other in theirs for line in _protected_lines(other))
    return TargetPolicy(branch, protected, lines)


def _protected_lines(portal: DesiredPortal) -> Iterator[ProtectedLine]:
    """The lines that the portal's policy, the operator's included, protects."""
    lines: tuple[DesiredLine | RemovedLine, ...] = (*portal.lines, *portal.removed)
    for line in lines:
        names = [line.address.key, line.title or "", str(line.config_id or "")]
        if any(fits(name, glob) for name in names if name for glob in portal.policy.protected):
            yield ProtectedLine(line.address, line.config_id, line.title)


# --- the branch's files ---


def _read(name: str, operator: Operator, schemes: Collection[str], files: Sequence[str]) -> _Target:
    """The portals of the branch. Raises GitError where they can't be told."""
    if _NO_BRANCH.search(name):
        summary = Message('"{name}" is no name of a branch', name=name)
        raise GitError(summary, Message("Set SIPSYNC_TARGET_BRANCH to the branch's name, as in `main`."))
    root = Path(operator.root).resolve()
    repository = repository_of(root, operator.environ)
    ref = f"refs/remotes/origin/{name}"
    commit = repository.commit_of(ref)
    if commit is None:
        raise GitError(Message("git does not have that branch here"), _fetch(repository, name))
    # A link at a file's place is not followed to it: the branch has the file that the place is named after.
    named = [path for file in files for path in (Path(os.path.abspath(file)), Path(file).resolve())]
    with repository.contents(MAX_BYTES + 1) as content:
        tree = _Tree(repository, repository.files(commit), content, name)
        context, includes = RunContext(operator, schemes, root), Includes(repository.top, tree)
        try:
            loaded = load_commit(tree.sources(named), context, includes)
        except ConfigError as error:
            loaded = Loaded((), error.diagnostics, 0)
    for found in loaded.diagnostics:
        if found.severity == "error":
            summary = Message("a file there has an error: {error}", error=str(found))
            raise GitError(summary, Message("Mend it on that branch first."))
    portals: dict[Access, list[DesiredPortal]] = {}
    for portal in loaded.portals:
        portals.setdefault(portal.access, []).append(portal)
    return _Target(portals, [path for path, entry in tree.files.items() if entry.mode == SUBMODULE])


def _fetch(repository: Repository, name: str, options: str = "") -> Message:
    """How the branch is had; the history is not cut where it is whole."""
    depth = "--depth=1 " if repository.shallow() else ""
    refspec = shlex.quote(f"+refs/heads/{name}:refs/remotes/origin/{name}")
    return Message("Fetch it: `git fetch {options}origin {refspec}`.", options=f"{options}{depth}", refspec=refspec)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The files of a commit under the paths that they have when they are checked out; the disk is not asked."""

    repository: Repository
    files: Mapping[str, Entry]
    content: Callable[[Entry], bytes | None]
    branch: str

    def sources(self, named: Sequence[Path]) -> Iterator[Source]:
        """The texts with the marker, of YAML files and of those that are named. Raises ConfigError."""
        yaml = (self.repository.top / name for name in self.files if name.lower().endswith(SUFFIXES))
        for path in dict.fromkeys(self.resolve(path) for path in (*yaml, *named)):
            source = self.read(path, self._name(path), only=b"sipsync")
            if source is not None and marked(source):
                yield source

    def resolve(self, path: Path) -> Path:
        """The file that a path means, links of the commit followed."""
        steps, here, links = [*reversed(path.parts)], Path(), 0
        while steps:
            step = steps.pop()
            here = here.parent if step == ".." else here / step
            entry = self._entry(here)
            if entry is not None and entry.mode == LINK and links < _MAX_LINKS:
                steps += reversed(Path(os.fsdecode(self._data(entry))).parts)
                here, links = here.parent, links + 1
        return here

    def read(self, path: Path, name: str, only: bytes = b"") -> Source | None:
        """A file's text, None where it is not there, or holds nothing of what `only` asks for."""
        entry = self._entry(path)
        if entry is None or entry.mode in (LINK, SUBMODULE):
            return None
        data = self._data(entry)
        # As ASCII, in whatever encoding the file is.
        return decode(data, name, path) if only in data.replace(b"\0", b"") else None

    def _entry(self, path: Path) -> Entry | None:
        return self.files.get(self._name(path))

    def _name(self, path: Path) -> str:
        top = self.repository.top
        return path.relative_to(top).as_posix() if path.is_relative_to(top) else ""

    def _data(self, entry: Entry) -> bytes:
        data = self.content(entry)
        if data is None:
            summary = Message("git does not have all files of that branch here")
            raise GitError(summary, _fetch(self.repository, self.branch, "--refetch --no-filter "))
        return data
