"""From files and documents to a fleet: what the library and every command begin with.

Each function imports what it needs, so that a check of files does not wait for what a portal needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike, environ
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sipsync.model.frames import forgetful
from sipsync.model.lines import Fleet
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import Selection
from sipsync.model.problems import Code, ConfigError, Diagnostic, UsageError

if TYPE_CHECKING:
    from sipsync.config.documents import Documents
    from sipsync.config.load import Loaded
    from sipsync.model.findings import Findings

Paths: TypeAlias = str | PathLike[str] | Sequence[str | PathLike[str]]
"""A file or folder, or several; an empty sequence: `sipsync.yaml`, else the folder `portals`."""


def find_root(paths: Paths | Documents = ()) -> Path:
    """The folder that files must not leave: the nearest parent with `.git`, else the paths' own folder.

    For what is in the folder `portals`, which a run without paths looks through, that is where it looks from.
    """
    from sipsync.config.load import find_root as find

    return find(_listed(paths))


@forgetful
def load(
    paths: Paths | Documents = (),
    operator: Operator | None = None,
    *,
    partly: bool = False,
    portals: Sequence[str] = (),
) -> Fleet:
    """The portals of these files or documents. Raises ConfigError with all errors of all of them.

    A relative path in a document begins at the operator's root.

    `partly` leaves out the portals that are not in order, and keeps their errors, where there are others. With globs of
    names, `portals`, files that can't hold such portals are neither read as YAML nor checked.
    """
    operator = operator or _operator(paths)
    loaded = _files(paths, operator, portals)
    errors = tuple(found for found in loaded.diagnostics if found.severity == "error")
    if errors and not (partly and loaded.portals):
        raise ConfigError(*errors)
    return Fleet(loaded.portals, operator, loaded.diagnostics, loaded.broken)


def select(
    fleet: Fleet, portals: Sequence[str] = (), selection: Selection | None = None, *, whole: bool = False
) -> Fleet:
    """The portals that globs and selection leave in, with the findings about them.

    `whole` takes only portals in the selection's `exclude`. Raises UsageError for a glob that names nothing.
    """
    from sipsync.fleet.selection import chosen

    return chosen(fleet, portals, selection or Selection(), whole=whole)


@forgetful
def check(
    paths: Paths | Documents = (),
    operator: Operator | None = None,
    *,
    portals: Sequence[str] = (),
    selection: Selection | None = None,
) -> Findings:
    """What is wrong with these files, without asking any portal or reading any secret.

    With globs of names, `portals`, only files that can hold such portals are looked at; `selection` leaves portals out.
    """
    from sipsync.model.findings import Findings

    operator = operator or _operator(paths)
    loaded = _files(paths, operator, portals)
    if portals or selection:
        fleet = select(
            Fleet(loaded.portals, operator, loaded.diagnostics, loaded.broken), portals, selection, whole=True
        )
        loaded = replace(loaded, portals=fleet.portals, diagnostics=fleet.diagnostics)
    return Findings(
        diagnostics=loaded.diagnostics,
        files=loaded.files,
        portals=len(loaded.portals),
        lines=sum(len(portal.lines) for portal in loaded.portals),
    )


def _operator(paths: Paths | Documents) -> Operator:
    return Operator.from_environ(environ, str(find_root(paths)))


def _files(paths: Paths | Documents, operator: Operator, portals: Sequence[str]) -> Loaded:
    from sipsync.config import load as config
    from sipsync.secrets.known import KnownSchemes

    if isinstance(paths, Mapping) and not _is_nameless(paths):
        return config.load_documents(paths, operator, KnownSchemes())
    return config.load(_listed(paths), operator, KnownSchemes(), portals)


def _listed(paths: Paths | Documents) -> list[Path]:
    """The paths, as far as these are paths."""
    if isinstance(paths, str | PathLike):
        return [Path(paths)]
    if isinstance(paths, Mapping) and not _is_nameless(paths):
        return []
    if isinstance(paths, Mapping) or any(isinstance(path, Mapping) for path in paths):
        hint = Message('Write `sipsync.load({"acme": document})`.')
        raise UsageError(Diagnostic(Code.USAGE, Message("a document without a name"), hint=hint))
    return [Path(path) for path in paths]


def _is_nameless(documents: Documents) -> bool:
    """Whether this is one document where a mapping of names to documents is meant."""
    return not isinstance(documents.get("sipsync", {}), Mapping)
