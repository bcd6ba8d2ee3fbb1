"""What the target branch of a pull request protects: a pull request must not unprotect a line by itself.

The YAML files of that branch are laid out in a folder that is gone afterwards, and read as any others, so that
includes and defaults count there as they do here.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sipsync.config.load import load
from sipsync.model.lines import DesiredPortal
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic


def target_branch(environ: Mapping[str, str]) -> str:
    """The branch that a change is meant for, as the operator or the forge says; "" where nobody does."""
    if given := environ.get("SIPSYNC_TARGET_BRANCH", ""):
        return given
    name = environ.get("GITHUB_BASE_REF") or environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or ""
    return f"origin/{name}" if name else ""


def with_target_protection(
    portals: Sequence[DesiredPortal], branch: str, operator: Operator, schemes: Collection[str]
) -> tuple[tuple[DesiredPortal, ...], tuple[Diagnostic, ...]]:
    """The portals with what `branch` protects added, and a warning where that can't be told."""
    try:
        top = Path(_git(operator.root, "rev-parse", "--show-toplevel").decode().strip())
        archive = _yaml_files(str(top), branch)
    except (OSError, subprocess.CalledProcessError):
        return tuple(portals), (_unknown(branch),)
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
            tree.extractall(folder, filter="data")
        there = [
            path
            for file in dict.fromkeys(portal.file for portal in portals)
            if (path := _moved(Path(file), top, Path(folder))) is not None and path.is_file()
        ]
        loaded = load(there, replace(operator, root=folder), schemes).portals if there else ()
    protected = {portal.name: portal.policy.protected for portal in loaded}
    return tuple(_protect(portal, protected.get(portal.name, ())) for portal in portals), ()


def _yaml_files(top: str, branch: str) -> bytes:
    """The branch's YAML files as a tar archive."""
    names = _git(top, "ls-tree", "-r", "-z", "--name-only", branch).decode().split("\0")
    wanted = [f":(literal){name}" for name in names if name.endswith((".yaml", ".yml"))]
    return _git(top, "archive", "--format=tar", branch, "--", *wanted) if wanted else _EMPTY_TAR


_EMPTY_TAR = bytes(1024)


def _moved(file: Path, top: Path, folder: Path) -> Path | None:
    resolved = file.resolve()
    return folder / resolved.relative_to(top) if resolved.is_relative_to(top) else None


def _protect(portal: DesiredPortal, globs: Sequence[str]) -> DesiredPortal:
    joined = tuple(dict.fromkeys((*portal.policy.protected, *globs)))
    return replace(portal, policy=replace(portal.policy, protected=joined))


def _git(folder: str, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True).stdout


def _unknown(branch: str) -> Diagnostic:
    return Diagnostic(
        Code.PROTECTED,
        Message("what {branch} protects can't be told: git does not have it here", branch=branch),
        hint=Message("Fetch the branch first, or set SIPSYNC_TARGET_BRANCH to one that is there."),
        severity="warning",
    )
