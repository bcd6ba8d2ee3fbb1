"""Files and folders → desired portals, with all findings of all files."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sipsync.config import check
from sipsync.config.desired import portal_of
from sipsync.config.documents import Documents, write_out
from sipsync.config.findings import no_mapping, validate
from sipsync.config.include import Includes
from sipsync.config.names import NameLook
from sipsync.config.paths import find, find_root, read_source
from sipsync.config.reader.nodes import MAX_FINDINGS, Mapping, Node, Scalar
from sipsync.config.reader.source import Source
from sipsync.config.reader.yaml import forget, read
from sipsync.config.refs import RunContext
from sipsync.config.schema import PortalFile
from sipsync.model.globs import fits
from sipsync.model.lines import ADDRESS_PART, DesiredPortal
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.policy import NO_BOUNDS, OperatorPolicy
from sipsync.model.problems import Code, ConfigError, Diagnostic, Span

__all__ = ["Loaded", "find_root", "load", "load_documents", "load_policy"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The portals that are in order, and everything that is wrong with the files."""

    portals: tuple[DesiredPortal, ...]
    diagnostics: tuple[Diagnostic, ...]
    """Errors and warnings, in the order of the files."""
    files: int
    """How many were read and checked."""
    broken: tuple[str, ...] = ()
    """The names of portals that are not in order, as far as their files tell them."""


def load(paths: Sequence[Path], operator: Operator, schemes: Collection[str], portals: Collection[str] = ()) -> Loaded:
    """The portals of these files (none given: `sipsync.yaml`, else the folder `portals`). Never raises for findings.

    With globs of names, `portals`, only the files that can hold such portals are read and checked; all of them where a
    glob names nothing.
    """
    root = Path(operator.root).resolve()
    context = RunContext(operator, schemes, root)
    if portals:
        found = find(paths, root, NameLook(root, portals).may_hold)
        loaded = _loaded(found.sources.values(), found.diagnostics, context)
        names = (*(portal.name for portal in loaded.portals), *loaded.broken)
        if all(any(fits(name, glob) for name in names) for glob in portals):
            return loaded
    found = find(paths, root)
    return _loaded(found.sources.values(), found.diagnostics, context)


def load_documents(documents: Documents, operator: Operator, schemes: Collection[str]) -> Loaded:
    """The portals of these mappings, each by its name; a relative path in one begins at the root."""
    root = Path(operator.root).resolve()
    diagnostics: list[Diagnostic] = []
    written = []
    for name, document in documents.items():
        try:
            written.append(write_out(name, document, root))
        except ConfigError as error:
            diagnostics += error.diagnostics
    loaded = _loaded([each.source for each in written], diagnostics, RunContext(operator, schemes, root))
    places = {each.source.name: each for each in written}
    return replace(
        loaded,
        diagnostics=tuple(
            places[found.at.file].placed(found) if found.at and found.at.file in places else found
            for found in loaded.diagnostics
        ),
    )


def _loaded(sources: Collection[Source], diagnostics: list[Diagnostic], context: RunContext) -> Loaded:
    run = _Run(context, Includes(context.root), diagnostics)
    look = NameLook(context.root, ())
    for source in sources:
        documents, problems = read(source)
        told = look.names(source) if problems else None
        if told is not None and len(told) == 1:
            problems = [replace(problem, address=name) for problem in problems for name in told]
            run.broken |= told
        run.file(documents, problems)
        forget(source)
    run.diagnostics += [*run.includes.diagnostics, *check.names(run.names)]
    names = Counter(name.lower() for name, _ in run.names)
    run.portals = [portal for portal in run.portals if names[portal.name.lower()] == 1]
    return run.loaded(len(sources))


def load_commit(sources: Iterable[Source], context: RunContext, includes: Includes) -> Loaded:
    """The portals of a commit's texts. One that has the marker and no portal (a job of that name) is none of them."""
    run, files = _Run(context, includes, []), 0
    for source in sources:
        documents, problems = read(source)
        if problems or any(_is_portal(document) for document in documents):
            run.file(documents, problems)
            files += 1
        forget(source)
    run.diagnostics += run.includes.diagnostics
    return run.loaded(files)


def _is_portal(document: Node) -> bool:
    return isinstance(document, Mapping) and isinstance(document.get("sipsync"), Scalar)


def load_policy(path: Path) -> OperatorPolicy:
    """The operator's policy from a file. Raises ConfigError with all that is wrong with it."""
    if not os.path.isfile(path):
        hint = Message("Give the path of a YAML file with the keys of `policy:`.")
        summary = Message("there is no policy file {as_posix}", as_posix=path.as_posix())
        raise ConfigError(Diagnostic(Code.FILE_NOT_FOUND, summary, hint=hint))
    documents, problems = read(read_source(path, path.as_posix()))
    if problems:
        raise ConfigError(*problems)
    if not documents:
        return NO_BOUNDS
    root = documents[0]
    if len(documents) > 1 or not isinstance(root, Mapping):
        hint = Message("Write one key a line, as in `delete: false`.")
        summary = Message("a policy is one mapping of keys and values")
        raise ConfigError(Diagnostic(Code.WRONG_TYPE, summary, hint=hint, at=root.at))
    policy, problems = validate(OperatorPolicy, root)
    if policy is None:
        raise ConfigError(*problems)
    return replace(NO_BOUNDS, **{name: getattr(policy, name) for name in root.entries})


@dataclass(slots=True)
class _Run:
    """One loading: what is collected while it goes from file to file."""

    context: RunContext
    includes: Includes
    diagnostics: list[Diagnostic]
    portals: list[DesiredPortal] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Names of files that are not YAML."""
    names: list[tuple[str, Span]] = field(default_factory=list)

    def file(self, documents: Sequence[Node], problems: Sequence[Diagnostic]) -> None:
        """One file, as it was read."""
        before, in_order = len(self.diagnostics), len(self.portals)
        self.diagnostics += problems
        for document in documents:
            self.document(document)
        if problems:
            del self.portals[in_order:]
        theirs = sorted(self.diagnostics[before:], key=lambda found: found.severity)  # errors first
        if len(theirs) >= MAX_FINDINGS:
            summary = Message("this file has more than {most} findings; not all are told", most=MAX_FINDINGS - 1)
            more = replace(theirs[0], code=Code.TOO_LARGE, summary=summary, hint=Message("Mend these first."))
            self.diagnostics[before:] = [*theirs[: MAX_FINDINGS - 1], more]

    def loaded(self, files: int) -> Loaded:
        """What was collected."""
        self.includes.forget()
        in_order = {portal.name for portal in self.portals}
        broken = dict.fromkeys((*(name for name, _ in self.names), *sorted(self.broken)))
        left_out = tuple(name for name in broken if name not in in_order)
        return Loaded(tuple(self.portals), tuple(dict.fromkeys(self.diagnostics)), files, left_out)

    def document(self, node: Node) -> None:
        """One portal."""
        if not isinstance(node, Mapping):
            self.diagnostics.append(no_mapping(node))
            return
        merged = self.includes.merged(node)
        named = merged.section("portal").get("name")
        given = named if isinstance(named, Scalar) else None
        written = given.text if given else Path(merged.source.name).stem
        # What can be no name may be a secret in the wrong place.
        name = written if given is None or re.fullmatch(ADDRESS_PART, written) else None
        if name is not None:
            self.names.append((name, given.place if given else merged.source.place(merged.start)))
        model, problems = validate(PortalFile, merged, self.context)
        problems += check.document(merged)
        if given is None:
            problems += check.file_name(written, merged)
        # What stands in an included file is no one portal's, and told once.
        here = node.source.name
        self.diagnostics += [
            found.about(name, None) if found.at and found.at.file == here else found for found in problems
        ]
        in_order = not self.includes.broken and all(found.severity == "warning" for found in problems)
        if model and name is not None and in_order:
            self.portals.append(portal_of(model, merged, name, self.context))
