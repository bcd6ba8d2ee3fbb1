"""How a part of sipsync that is not installed is added, in the way in which this sipsync was installed.

No index knows a package of sipsync, so what is named is the packages that the part needs, or the folder or repository
that sipsync came from.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from sipsync.model.message import Message

_EXTRAS = ("keyring", "sandbox", "sops", "vault")


def how_to_install(extra: str) -> Message:
    """The hint with the command that adds an extra to this installation."""
    return Message("Install it: `{command}`.", command=_command(extra))


def _command(extra: str) -> str:
    prefix, packages = Path(sys.prefix), _packages(extra)
    if not packages:  # it runs from a folder, and nothing says what it needs
        return f'pip install ".[{extra}]"'
    if (prefix / "pipx_metadata.json").exists():
        return f"pipx inject {prefix.name} {_quoted(packages)}"
    if (prefix / "uv-receipt.toml").exists() and (source := _source()):  # what is not named again would be taken away
        kept = [other for other in _EXTRAS if other == extra or all(map(_installed, _packages(other)))]
        return f'uv tool install "sipsync[{",".join(kept)}] @ {source}"'
    installer = f"{sys.executable} -m pip install" if find_spec("pip") else f"uv pip install --python {sys.executable}"
    return f"{installer} {_quoted(packages)}"


def _packages(extra: str) -> list[str]:
    """What an extra needs, as `NAME<2,>=1`."""
    try:
        needed = distribution("sipsync").requires or []
    except PackageNotFoundError:
        return []
    parts = (text.partition(";") for text in needed)
    return [package for package, _, marker in parts if marker.strip() == f"extra == '{extra}'"]


def _installed(package: str) -> bool:
    name = package.partition("<")[0].partition(">")[0]
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        return False


def _source() -> str:
    """The address of the folder or repository that sipsync was installed from, "" where nobody wrote it down."""
    origin = json.loads(distribution("sipsync").read_text("direct_url.json") or "{}")
    if repository := origin.get("vcs_info"):
        return f"{repository['vcs']}+{origin['url']}@{repository.get('requested_revision', 'HEAD')}"
    return str(origin.get("url", ""))


def _quoted(packages: Sequence[str]) -> str:
    """For a shell, be it cmd or PowerShell: `<` and `>` have a meaning there."""
    return " ".join(f'"{package}"' for package in packages)
