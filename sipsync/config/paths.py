"""Which files are portals: PATHs of the command line, or `sipsync.yaml`, or the folder `portals/`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sipsync.config.source import MAX_BYTES, Source, decode
from sipsync.config.values import DEVICES
from sipsync.model.problems import Code, ConfigError, Diagnostic, Span

_SUFFIXES = (".yaml", ".yml")
_MARKER = re.compile(r"""^(?:---\s*)?\{?\s*["']?sipsync["']?\s*:""", re.MULTILINE)
_SECTIONS = (re.compile("^portal:", re.MULTILINE), re.compile("^lines:", re.MULTILINE))


@dataclass(slots=True)
class Found:
    """The texts of the portals' files, each once, and what is wrong with the paths."""

    sources: list[Source] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def find(paths: Sequence[Path], root: Path) -> Found:
    """The files with the marker at these paths."""
    found = Found()
    for path in paths or [_default()]:
        if path.is_dir():
            _search(path, root, found)
        elif not path.exists():
            found.diagnostics.append(_not_found(path, bool(paths)))
        elif (source := _named(path, found)) and not _MARKER.search(source.text):
            found.diagnostics.append(_no_marker(source))
        elif source:
            found.sources.append(source)
    return found


def find_root(paths: Sequence[Path]) -> Path:
    """The folder that files must not leave: the nearest parent with `.git`, else the paths' own folder."""
    folders = [path if path.is_dir() else path.parent for path in (path.resolve() for path in paths)] or [Path.cwd()]
    try:
        base = Path(os.path.commonpath(folders))
    except ValueError:  # Windows: several drives
        base = folders[0]
    return next((folder for folder in (base, *base.parents) if (folder / ".git").exists()), base)


def read_source(path: Path, name: str) -> Source:
    """The text of a file. Raises ConfigError where it can't be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "an error of the operating system"
        hint = "Check that it is a file and who may read it."
        raise ConfigError(
            Diagnostic(Code.FILE_UNREADABLE, f"can't read the file: {reason}", hint, Span(name, 1))
        ) from None
    return decode(data, name, path.resolve())


def _default() -> Path:
    return Path("sipsync.yaml") if Path("sipsync.yaml").exists() else Path("portals")


def _named(path: Path, found: Found) -> Source | None:
    """The text of one file, unless it was there already or can't be read."""
    name = path.as_posix()
    if path.name.split(".")[0].upper() in DEVICES:
        hint = "Give the file another name."
        found.diagnostics.append(Diagnostic(Code.FILE_NAME, f"{path.name} is a device on Windows", hint, Span(name, 1)))
        return None
    try:
        source = read_source(path, name)
    except ConfigError as error:
        found.diagnostics += error.diagnostics
        return None
    return None if any(source.path == other.path for other in found.sources) else source


def _search(folder: Path, root: Path, found: Found) -> None:
    before, unmarked, names = len(found.sources) + len(found.diagnostics), 0, dict[str, Path]()
    for path in _files(folder):
        twin = names.setdefault(path.as_posix().casefold(), path)
        if twin is not path:
            hint = "Rename one: Windows and macOS take them for one file."
            summary = f"differs from {twin.as_posix()} in letter case only"
            found.diagnostics.append(Diagnostic(Code.FILE_NAME, summary, hint, Span(path.as_posix(), 1)))
        if not path.resolve().is_relative_to(root.resolve()):
            hint = "Put the file itself there, or give the common folder with --root."
            summary = f"a link that leads outside of {root}"
            found.diagnostics.append(Diagnostic(Code.FILE_UNREADABLE, summary, hint, Span(path.as_posix(), 1)))
        elif source := _named(path, found):
            if _MARKER.search(source.text):
                found.sources.append(source)
            elif all(section.search(source.text) for section in _SECTIONS):  # a portal whose marker was forgotten
                found.diagnostics.append(_no_marker(source))
            else:
                unmarked += 1
    if len(found.sources) + len(found.diagnostics) == before:
        others = f"; {unmarked} YAML files without the marker `sipsync: 1` are there" if unmarked else ""
        hint = "`sipsync init` makes a portal's file; the first line of one is `sipsync: 1`."
        summary = f"no portal's file in the folder {folder.as_posix()}{others}"
        found.diagnostics.append(Diagnostic(Code.NO_PORTALS, summary, hint))


def _files(folder: Path) -> Iterator[Path]:
    """YAML files below, in an order that every machine has; links to folders are not followed."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if name.lower().endswith(_SUFFIXES) and not name.startswith((".", "_")):
                yield Path(parent, name)


def _not_found(path: Path, named: bool) -> Diagnostic:
    if named:
        hint = "Check the path; `sipsync init` makes a portal's file."
        return Diagnostic(Code.FILE_NOT_FOUND, f"there is no file or folder {path.as_posix()}", hint)
    hint = "`sipsync init` makes one; or name a file or folder on the command line."
    return Diagnostic(Code.FILE_NOT_FOUND, "there is neither sipsync.yaml nor a folder portals here", hint)


def _no_marker(source: Source) -> Diagnostic:
    hint = "Add the line `sipsync: 1` at the top if it is a portal's file."
    return Diagnostic(Code.NO_MARKER, "the marker `sipsync: 1` is missing", hint, source.span(0))
