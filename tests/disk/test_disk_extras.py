"""The hint for a part that is not installed is the command that adds it, as this sipsync was installed."""

from __future__ import annotations

import json
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

import pytest

from sipsync.disk import extras
from sipsync.disk.extras import how_to_install

ROOT = Path(__file__).parents[2]
WEB = '"starlette<2,>=1.0" "uvicorn<1,>=0.40"'


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment that sipsync runs in."""
    folder = tmp_path / "sipsync"
    folder.mkdir()
    monkeypatch.setattr(sys, "prefix", str(folder))
    return folder


def test_pipx_is_told_what_to_inject(prefix: Path) -> None:
    (prefix / "pipx_metadata.json").write_text("{}")
    assert how_to_install("sandbox") == f"Install it: `pipx inject sipsync {WEB}`."


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        ({"url": "file:///home/anna/sipsync", "dir_info": {}}, "file:///home/anna/sipsync"),
        ({"url": "https://git.example/a.git", "vcs_info": {"vcs": "git"}}, "git+https://git.example/a.git@HEAD"),
    ],
)
def test_a_tool_of_uv_is_installed_again_from_where_it_came_with_all_that_it_has(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, object], source: str
) -> None:
    (prefix / "uv-receipt.toml").write_text("")
    monkeypatch.setattr(extras, "distribution", _pretend(origin, installed={"starlette", "uvicorn"}))
    assert how_to_install("vault") == f'Install it: `uv tool install "sipsync[sandbox,vault] @ {source}"`.'


@pytest.mark.parametrize(
    ("pip", "installer"),
    [(object(), f"{sys.executable} -m pip install"), (None, f"uv pip install --python {sys.executable}")],
)
def test_an_environment_is_named_by_its_python(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, pip: object, installer: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _name: pip)
    assert how_to_install("keyring") == f'Install it: `{installer} "keyring>=25.7"`.'


def test_a_folder_that_nobody_installed_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "distribution", _pretend({}, installed=set(), sipsync=False))
    assert how_to_install("sops") == 'Install it: `pip install ".[sops]"`.'


def test_each_extra_has_its_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = set(project["optional-dependencies"]) - {"dev"}
    assert names == {"keyring", "sandbox", "sops", "vault"}
    assert not [name for name in names if f".[{name}]" in how_to_install(name)]


def _pretend(origin: object, installed: set[str], *, sipsync: bool = True) -> object:
    real = Distribution.from_name("sipsync")

    class Pretended(Distribution):
        requires = real.requires

        def read_text(self, filename: str) -> str | None:
            return json.dumps(origin)

        def locate_file(self, path: object) -> Path:
            raise NotImplementedError

    def distribution(name: str) -> Distribution:
        if name in installed or (sipsync and name == "sipsync"):
            return Pretended()
        raise PackageNotFoundError(name)

    return distribution
