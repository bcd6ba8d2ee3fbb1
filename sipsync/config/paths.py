"""Which files are portals: PATHs of the command line, or `sipsync.yaml`, or the folder `portals/`."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sipsync.config.reader.source import MAX_BYTES, Source, decode
from sipsync.disk.files import checkout_of, device, is_device, read_regular, real_path, reason
from sipsync.model.message import Message
from sipsync.model.problems import Code, ConfigError, Diagnostic, Span

SUFFIXES = (".yaml", ".yml")
_FOLDER = "portals"
_MARKER = re.compile(
    r"""^(?:(?:---[ \t]++)?+\{?[ \t]*+(?:["']sipsync["'][ \t]*:|sipsync[ \t]*:(?!\S))|[ \t]++"sipsync"[ \t]*:)""",
    re.MULTILINE,
)
_SECTIONS = (re.compile("^portal:", re.MULTILINE), re.compile("^lines:", re.MULTILINE))


@dataclass(slots=True)
class Found:
    """The texts of the portals' files, each once, and what is wrong with the paths."""

    sources: dict[Path, Source] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def find(paths: Sequence[Path], root: Path, wanted: Callable[[Source], bool] = lambda _source: True) -> Found:
    """The files with the marker at these paths, as far as they are wanted."""
    found, root = Found(), root.resolve()
    for path in paths or [_default()]:
        if os.path.isdir(path):
            _search(path, root, found, wanted)
        elif not os.path.exists(path):
            found.diagnostics.append(_not_found(path, bool(paths)))
        elif problem := _bad_name(path, {}):
            found.diagnostics.append(problem)
        elif (source := _read(path, found)) is None or not wanted(source):
            continue
        elif not marked(source):
            found.diagnostics.append(_no_marker(source))
        else:
            found.sources.setdefault(source.path or path, source)
    return found


def find_root(paths: Sequence[Path]) -> Path:
    """The folder that files must not leave: the nearest parent with `.git`, else the paths' own folder.

    For what is in the folder `portals`, which a run without paths looks through, that is where it looks from.
    """
    here = Path.cwd()
    places = [Path(os.path.abspath(path)) for path in paths or [_default()]]
    folders = [
        here if path.is_relative_to(here / _FOLDER) else path if os.path.isdir(path) else path.parent for path in places
    ]
    try:
        base = Path(os.path.commonpath(folders))
    except ValueError:  # Windows: several drives
        base = folders[0]
    return checkout_of(base) or base.resolve()


def marked(source: Source) -> bool:
    """Whether the text has the marker of a portal's file."""
    return _MARKER.search(source.text) is not None


@dataclass(frozen=True, slots=True)
class Disk:
    """The files that includes name, read from the disk."""

    def resolve(self, path: Path) -> Path | None:
        """The file that a path means; None where no file can have that name."""
        return real_path(path)

    def read(self, path: Path, name: str) -> Source | None:
        """A file's text, None where it is not there. Raises ConfigError where it can't be read."""
        return read_source(path, name) if os.path.isfile(path) else None


def read_source(path: Path, name: str, real: Path | None = None) -> Source:
    """The text of a file; `real` is what it is found to be. Raises ConfigError where it can't be read."""
    try:
        data = read_regular(path, MAX_BYTES + 1)
    except OSError as error:
        hint = Message("Check that it is a file and who may read it.")
        raise ConfigError(_unreadable(reason(error), hint, name)) from None
    if data is None:
        raise ConfigError(_unreadable("it is not a regular file", Message("Put a file of its own there."), name))
    return decode(data, name, real or path.resolve())


def editable_text(path: Path) -> str:
    """A file's text, to be written back: a byte-order mark of UTF-8 stays, UTF-16 becomes UTF-8."""
    text = read_source(path, path.as_posix()).text
    return f"\ufeff{text}" if path.read_bytes().startswith(codecs.BOM_UTF8) else text


def _unreadable(why: str, hint: Message, name: str) -> Diagnostic:
    summary = Message("can't read it: {reason}", reason=why)
    return Diagnostic(Code.FILE_UNREADABLE, summary, hint=hint, at=Span(name, 1))


def _default() -> Path:
    return Path("sipsync.yaml") if Path("sipsync.yaml").exists() else Path(_FOLDER)


def _read(path: Path, found: Found, real: Path | None = None) -> Source | None:
    try:
        return read_source(path, path.as_posix(), real)
    except ConfigError as error:
        found.diagnostics += error.diagnostics
        return None


def _bad_name(path: Path, names: dict[str, Path]) -> Diagnostic | None:
    """Whether some system can't have a file of that name beside those before it."""
    name = path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if name != path.as_posix():
        return _finding(Code.FILE_NAME, Message("the name is not UTF-8"), Message("Rename it."), Path(name))
    twin = names.setdefault(path.as_posix().casefold(), path)
    if twin is not path:
        summary = Message("differs from {path} in letter case only", path=twin.as_posix())
        return _finding(Code.FILE_NAME, summary, Message("Rename one: Windows and macOS take them for one file."), path)
    if is_device(path.name):
        return _finding(Code.FILE_NAME, device(path.name), Message("Give the file another name."), path)
    return None


def _outside(path: Path, real: Path | None, root: Path) -> Diagnostic | None:
    """Whether a found file is a link to somewhere else."""
    if real is None:
        return _finding(Code.FILE_UNREADABLE, Message("a link that leads to itself"), Message("Delete the link."), path)
    if real.is_relative_to(root):
        return None
    hint = Message("Put the file itself there, or give the common folder with --root.")
    return _finding(Code.FILE_UNREADABLE, Message("a link that leads outside of {root}", root=root), hint, path)


def _finding(code: Code, summary: Message, hint: Message, path: Path) -> Diagnostic:
    return Diagnostic(code, summary, hint=hint, at=Span(path.as_posix(), 1))


def _search(folder: Path, root: Path, found: Found, wanted: Callable[[Source], bool]) -> None:
    told, unmarked, names = False, 0, dict[str, Path]()
    for path in _files(folder, found):
        real = real_path(path)
        if problem := _bad_name(path, names) or _outside(path, real, root):
            found.diagnostics.append(problem)
        elif source := _read(path, found, real):
            if not wanted(source):
                pass
            elif marked(source):
                found.sources.setdefault(source.path or path, source)
            elif all(section.search(source.text) for section in _SECTIONS):
                found.diagnostics.append(_no_marker(source))  # a portal whose marker was forgotten
            else:
                unmarked += 1
                continue
        told = True
    if not told:
        summary = Message("no portal's file in the folder {folder}", folder=folder.as_posix())
        if unmarked:
            summary = Message("{summary}; YAML files without the marker `sipsync: 1`: {n}", summary=summary, n=unmarked)
        hint = Message("`sipsync init` makes a portal's file; the first line of one is `sipsync: 1`.")
        found.diagnostics.append(Diagnostic(Code.NO_PORTALS, summary, hint=hint))


def _files(folder: Path, found: Found) -> Iterator[Path]:
    """YAML files below, in an order that every machine has; links to folders are not followed."""

    def unlisted(error: OSError) -> None:
        hint = Message("Check who may read the folder.")
        found.diagnostics.append(_unreadable(reason(error), hint, Path(error.filename).as_posix()))

    for parent, folders, names in os.walk(folder, onerror=unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith((".", "_")):
                yield Path(parent, name)


def _not_found(path: Path, named: bool) -> Diagnostic:
    if named:
        summary = Message("there is no file or folder {path}", path=path.as_posix())
        hint = Message("Check the path; `sipsync init` makes a portal's file.")
    else:
        summary = Message("there is neither sipsync.yaml nor a folder portals here")
        hint = Message("`sipsync init` makes one; or name a file or folder on the command line.")
    return Diagnostic(Code.FILE_NOT_FOUND, summary, hint=hint)


def _no_marker(source: Source) -> Diagnostic:
    told = (
        "Add the line `sipsync: 1` at the top if it is a portal's file; else leave it out (in pre-commit: `exclude`)."
    )
    hint = Message(told)
    return Diagnostic(Code.NO_MARKER, Message("the marker `sipsync: 1` is missing"), hint=hint, at=source.span(0))
