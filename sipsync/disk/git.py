"""A git repository, read through plumbing: where a branch of a remote stands, and files as a commit holds them.

The repository is the nearest parent with `.git`, and it is named to git: a folder of the files that looks like one (a
bare repository can be committed like anything else) is none. As it is named, git does not ask who owns it, so a
container's checkout needs no `safe.directory`, and no configuration of the machine is read. Nothing that the
repository's own configuration names is run: no hook, no monitor, no filter, and what is missing is not fetched. git is
told where programs are and nothing else of the job's environment, so it holds no secret.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from sipsync.model.message import Message

LINK = "120000"
SUBMODULE = "160000"

_INHERITED = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
_SET = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_CONFIGURED = ("safe.bareRepository=explicit", "core.fsmonitor=false", f"core.hooksPath={os.devnull}")


class GitError(Exception):
    """git can't tell; `reason` says why."""

    def __init__(self, reason: Message, remedy: Message) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a commit; its mode tells a link and a submodule from the others."""

    mode: str
    object_id: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A checkout, and the git that reads it."""

    top: Path
    program: str
    environ: Mapping[str, str]

    def commit_of(self, ref: str) -> str | None:
        """The object that a ref, given by its full name, stands at; None where there is no such ref."""
        ended = self._run("show-ref", "--verify", "--hash", "--", ref)
        return ended.stdout.decode().strip() if ended.returncode == 0 else None

    def shallow(self) -> bool:
        """Whether the history ends somewhere. Raises GitError where this is no repository that git can read."""
        return self._output("rev-parse", "--is-shallow-repository").strip() == b"true"

    def ignores(self, path: Path) -> bool:
        """Whether git passes over a file of the work tree by what the repository itself says."""
        return self._run("check-ignore", "--quiet", "--", str(path)).returncode == 0

    def files(self, commit: str) -> dict[str, Entry]:
        """The files of a commit by their paths, which have forward slashes."""
        files = {}
        for row in self._output("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
            head, _, path = row.partition(b"\t")
            mode, _, object_id = head.decode().split(" ")
            files[path.decode("utf-8", "surrogateescape")] = Entry(mode, object_id)
        return files

    @contextmanager
    def contents(self, limit: int) -> Iterator[Callable[[Entry], bytes | None]]:
        """What gives a file's bytes as they are stored, the first `limit` of them; None where they are not here."""
        with self._start("cat-file", "--batch") as git:
            requests, answers = cast("IO[bytes]", git.stdin), cast("IO[bytes]", git.stdout)

            def content(entry: Entry) -> bytes | None:
                try:
                    requests.write(f"{entry.object_id}\n".encode())
                    requests.flush()
                    _, _, size = answers.readline().split(b" ")
                except (OSError, ValueError):  # git says "… missing", or ended since it may not fetch the file
                    return None
                data = answers.read(min(int(size), limit))
                left = int(size) - len(data) + 1  # a line feed ends it
                while left and (part := answers.read(min(left, 1 << 20))):
                    left -= len(part)
                return data

            try:
                yield content
            finally:
                with suppress(OSError):
                    requests.close()

    def _output(self, *arguments: str) -> bytes:
        ended = self._run(*arguments)
        if ended.returncode:
            told = ended.stderr.decode(errors="replace").partition("\n")[0]
            summary = Message('git says "{told}"', told=told.removeprefix("fatal: "))
            raise GitError(summary, Message("Check the repository out anew."))
        return ended.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self._command(arguments), cwd=self.top, env=self.environ, stdin=subprocess.DEVNULL, capture_output=True
        )

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(arguments),
            cwd=self.top,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        named = (f"--git-dir={self.top / '.git'}", f"--work-tree={self.top}")
        configured = (part for setting in _CONFIGURED for part in ("-c", setting))
        return [self.program, "--no-replace-objects", *named, *configured, *arguments]


def repository_of(folder: Path, environ: Mapping[str, str]) -> Repository:
    """The repository that a folder is in. Raises GitError where there is none, or no git."""
    tops = [parent for parent in (folder, *folder.parents) if (parent / ".git").exists()]
    if not tops:
        summary = Message("{folder} is not in a checkout of a git repository", folder=folder)
        raise GitError(summary, Message("Check the repository out with git where sipsync runs."))
    if len(tops) > 1 and _is_submodule(tops[0]):
        summary = Message("{folder} is a submodule, which has branches of its own", folder=tops[0])
        raise GitError(summary, Message("Name the folder of the whole checkout with --root."))
    program = _program(environ.get("PATH") or os.defpath)
    if program is None:
        raise GitError(Message("git is not installed here"), Message("Install git where sipsync runs."))
    inherited = {name: environ[name] for name in _INHERITED if name in environ}
    return Repository(tops[0], program, {**inherited, **_SET})


def _is_submodule(top: Path) -> bool:
    """Whether `.git` is a file that leads to another repository's store; that of a worktree leads to its own one's."""
    pointer = top / ".git"
    if not pointer.is_file():
        return False
    place = pointer.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("gitdir:").strip()
    return not (top / place / "commondir").exists()


def _program(path: str) -> str | None:
    """git, as PATH has it. A relative folder in there may be one of the files, and Windows begins with the current."""
    name = "git.exe" if os.name == "nt" else "git"
    folders = (Path(folder) for folder in path.split(os.pathsep) if os.path.isabs(folder))
    files = (folder / name for folder in folders)
    return next((str(file) for file in files if file.is_file() and os.access(file, os.X_OK)), None)
