"""What running a command gives, and commands at a terminal of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import sipsync

_PACKAGE = str(Path(sipsync.__file__).parent.parent)


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


Sipsync = Callable[..., Ran]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process: this one's, in which the package is found from any folder."""
    return {**os.environ, "PYTHONPATH": _PACKAGE, **(more or {})}


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, *arguments: str | Path) -> None:
        self._master, slave = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sipsync", *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment({"TERM": "dumb"}),
        )
        os.close(slave)
        self.shown = ""

    def until(self, text: str) -> None:
        """Read until the command shows a text."""
        while text not in self.shown:
            piece = self._read()
            assert piece, f"it ended without {text!r}: {self.shown}"
            self.shown += piece

    def interrupt(self) -> None:
        """Press Ctrl-C once it sleeps: a signal just before it begins to read would not wake it."""
        status = Path(f"/proc/{self.process.pid}/stat")
        while status.exists() and not status.read_text(encoding="utf-8").rpartition(") ")[2].startswith("S"):
            time.sleep(0.01)
        self.process.send_signal(signal.SIGINT)

    def type(self, text: str) -> None:
        """Type a text; end a line with a line feed."""
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Read what is left, and the exit code."""
        while piece := self._read():
            self.shown += piece
        code = self.process.wait(60)
        os.close(self._master)
        return code

    def _read(self) -> str:
        try:
            return os.read(self._master, 4096).decode()
        except OSError:  # Linux says so where the other side is closed
            return ""
