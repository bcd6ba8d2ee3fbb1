"""The program in a folder of its own, where a test may change it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import sipsync

PACKAGE = Path(sipsync.__file__).parent


@dataclass(frozen=True)
class ProgramCopy:
    """A copy of the package in `folder`, which is also where its commands run."""

    folder: Path

    def __post_init__(self) -> None:
        shutil.copytree(PACKAGE, self.folder / "sipsync")

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a command."""
        more = {"PYTHONPATH": str(self.folder), "SIPSYNC_STATE_DIR": str(self.folder / "state"), "PIN": "hunter2"}
        more["SIPSYNC_SANDBOX_SECRETS"] = "1"
        command = [sys.executable, "-m", "sipsync", *arguments]
        ran = subprocess.run(command, cwd=self.folder, env={**os.environ, **more}, capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr

    def write(self, file: str, text: str) -> None:
        """A file that the commands find."""
        (self.folder / file).write_text(text, encoding="utf-8")

    def add(self, module: str, text: str) -> None:
        """A new file of the program."""
        assert not (self.folder / "sipsync" / module).exists()
        self.write(f"sipsync/{module}", text)

    def edit(self, module: str, before: str, after: str) -> None:
        """Change one place of the program."""
        text = (self.folder / "sipsync" / module).read_text(encoding="utf-8")
        assert text.count(before) == 1
        self.write(f"sipsync/{module}", text.replace(before, after))
