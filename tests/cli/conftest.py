"""The command line in this process and in processes of its own, in an empty folder and a clean environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sipsync.cli.main import run
from support.runs import Ran, Sipsync, environment

_CLEAN = ("SIPSYNC_", "CI", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLUMNS", "TERM", "GITHUB_", "GITLAB_")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to work in, and an environment that says nothing."""
    for name in list(os.environ):
        if name.startswith(_CLEAN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SIPSYNC_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def acme(home: Path, box: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulated portal with two lines, and a folder that is about it."""
    monkeypatch.chdir(box.folder)
    for name, value in box.environ.items():
        monkeypatch.setenv(name, value)
    box.seed({"config_id": 101, "title": "Sales", "login": "a"}, {"config_id": 102, "title": "Склад", "login": "b"})
    return box


@pytest.fixture
def sipsync(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Sipsync]:
    """Run a command in this process."""
    before = signal.getsignal(signal.SIGTERM)

    def ran(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    yield ran
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def process(home: Path) -> Sipsync:
    """Run a command as a process of its own, without a terminal."""

    def ran(*arguments: str | Path, stdin: str = "", env: Mapping[str, str] | None = None) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "sipsync", *map(str, arguments)],
            input=stdin,
            env=environment(env),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return ran
