"""Files for the tests of config, and what loading them says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from sipsync.config.load import Loaded, load
from sipsync.model.operator import Operator
from sipsync.model.policy import NO_BOUNDS, OperatorPolicy
from sipsync.model.problems import Code, Diagnostic

SCHEMES = frozenset({"env", "file", "sops", "vault", "exec", "keyring"})
HEAD = "sipsync: 1\nportal:\n  name: acme\n  webhook: env:ACME_WEBHOOK\n"


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def load_text(
    folder: Path,
    text: str,
    more: Mapping[str, str] = {},
    *,
    policy: OperatorPolicy = NO_BOUNDS,
    portals: Collection[str] = (),
) -> Loaded:
    write(folder, {"acme.yaml": text, **more})
    return load([folder / "acme.yaml"], Operator(root=str(folder), policy=policy, hosts=("a.b",)), SCHEMES, portals)


def found(folder: Path, text: str) -> list[Diagnostic]:
    return list(load_text(folder, text).diagnostics)


def codes(folder: Path, text: str) -> list[Code]:
    return [diagnostic.code for diagnostic in found(folder, text)]


def only(folder: Path, text: str) -> Diagnostic:
    (diagnostic,) = found(folder, text)
    return diagnostic
