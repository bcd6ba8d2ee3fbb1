"""What the stories of the CI pieces play on: an emulated portal, a forge of memory, a repository with its origin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]

PASSWORD = "Zx8-marked-password"
FILE = """\
sipsync: 1
portal:
  name: acme
  webhook: env:ACME_WEBHOOK
lines:
  sales:
    config_id: 69
    title: Sales
    server: sip.provider.example
    login: "0045281811"
    password: env:SIP_SALES_PASSWORD
  warehouse:
    config_id: 70
    title: Warehouse
    server: sip.old.example
    login: "0045281812"
"""
SEED: dict[str, Any] = {
    "lines": [
        {
            "config_id": 69,
            "type": "cloud",
            "title": "Sales",
            "server": "sip.provider.example",
            "login": "0045281811",
            "password": PASSWORD,
            "app": None,
        },
        {
            "config_id": 70,
            "type": "cloud",
            "title": "Warehouse",
            "server": "sip.old.example",
            "login": "0045281812",
            "password": "another",
            "app": None,
        },
    ]
}


def environment(home: Path, **more: str) -> dict[str, str]:
    """A job's environment: this interpreter's programs first, nothing of the developer's own."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COV") or name == "LANG"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "HOME": str(home), "CI": "true", "GIT_CONFIG_NOSYSTEM": "1", **more}


@dataclass
class Portal:
    """A served sandbox."""

    url: str
    webhook: str

    def lines(self) -> dict[int, dict[str, Any]]:
        """What it holds, by CONFIG_ID."""
        return {line["config_id"]: line for line in self._control("dump")["lines"]}

    def requests(self) -> int:
        """Requests it answered so far."""
        return int(self._control("stats")["requests"])

    def updates(self) -> int:
        """Lines that were written so far."""
        return int(self._control("stats")["calls"].get("voximplant.sip.update", 0))

    def edit(self, config_id: int, **fields: str) -> None:
        """Somebody changes a line in Bitrix24."""
        parameters = {"CONFIG_ID": config_id, "TYPE": "cloud", **fields}
        httpx.post(f"{self.webhook}voximplant.sip.update.json", json=parameters).raise_for_status()

    def _control(self, what: str) -> Any:
        return httpx.get(f"{self.url}/_sandbox/{what}").raise_for_status().json()


@contextmanager
def served(folder: Path) -> Iterator[Portal]:
    """An emulated portal that listens until the end of the block."""
    seed = folder / "seed.json"
    seed.write_text(json.dumps(SEED), encoding="utf-8")
    command = [sys.executable, "-m", "sipsync", "sandbox", "serve", "--db", ":memory:", "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(folder)) as process:
        try:
            assert process.stdout
            started = json.loads(process.stdout.readline())
            yield Portal(started["url"], started["webhook"])
        finally:
            process.terminate()


@dataclass
class Forge:
    """The comments of one pull or merge request, as GitHub and GitLab serve them."""

    url: str = ""
    comments: dict[int, str] = field(default_factory=dict)
    written: int = 0
    """How many requests wrote."""
    tokens: set[str] = field(default_factory=set)


_LISTS = r"/repos/acme/sip/issues/7/comments|/api/v4/projects/42/merge_requests/7/notes"
_ONE = r"(?:/repos/acme/sip/issues/comments|/api/v4/projects/42/merge_requests/7/notes)/(\d+)"


@contextmanager
def forge() -> Iterator[Forge]:
    """A forge on loopback until the end of the block."""
    state = Forge()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = re.search(r"[?&]page=(\d+)", self.path)
            first = not page or page[1] == "1"
            listed = re.fullmatch(_LISTS, self.path.partition("?")[0])
            rows = [{"id": number, "body": body, "system": False} for number, body in state.comments.items()]
            self.answer(200 if listed else 404, rows if first else [])

        def do_POST(self) -> None:
            if re.fullmatch(_LISTS, self.path):
                self.store(len(state.comments) + 1, 201)
            else:
                self.answer(404, {})

        def do_PATCH(self) -> None:
            one = re.fullmatch(_ONE, self.path)
            if one and int(one[1]) in state.comments:
                self.store(int(one[1]), 200)
            else:
                self.answer(404, {})

        do_PUT = do_PATCH

        def store(self, number: int, status: int) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
            state.comments[number] = body
            state.written += 1
            state.tokens.add(self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
            self.answer(status, {"id": number, "body": body})

        def answer(self, status: int, document: object) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Job:
    """How a script of a job ended."""

    code: int
    text: str
    """What it printed, on both streams."""


@dataclass
class Repository:
    """A work tree with an origin; `env` is that of the jobs that run in it."""

    tree: Path
    origin: Path
    env: dict[str, str]

    def unprotect(self) -> None:
        """A main branch that protects a line, and a branch that changes it and protects it no longer."""
        self.commit("lines:", "policy: {protected: [warehouse]}\nlines:")
        self.git("switch", "--quiet", "--create", "unprotect")
        self.commit("policy: {protected: [warehouse]}\n", "")
        self.commit("sip.old.example", "sip.new.example")

    @property
    def file(self) -> Path:
        """The one portal file."""
        return self.tree / "portals/acme.yaml"

    def git(self, *arguments: str) -> str:
        """What a git command printed."""
        command = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", *arguments]
        return subprocess.run(
            command, cwd=self.tree, env=self.env, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, old: str, new: str) -> None:
        """Replace a text of the portal file, commit and push."""
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), encoding="utf-8")
        self.git("commit", "--quiet", "--all", "--message", f"{old} becomes {new}")
        self.git("push", "--quiet", "origin", "HEAD")

    def checkout(self, folder: Path, branch: str = "main", *options: str) -> Repository:
        """A fresh clone of what a branch of the origin holds, as another machine has it."""
        command = ["git", "clone", "--quiet", "--branch", branch, *options, self.origin.as_uri(), str(folder)]
        subprocess.run(command, env=self.env, check=True)
        return Repository(folder, self.origin, self.env)

    def shallow(self, folder: Path, branch: str) -> Repository:
        """A clone as forges' jobs begin with: one commit of one branch."""
        return self.checkout(folder, branch, "--depth=1", "--single-branch")

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None) -> Job:
        """Run a job's script in the work tree, without a terminal."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.tree,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Job(done.returncode, done.stdout)


def repository(folder: Path) -> Repository:
    """A repository with one portal file on its main branch, pushed."""
    folder.joinpath("home").mkdir()
    made = Repository(folder / "tree", folder / "origin.git", environment(folder / "home"))
    made.file.parent.mkdir(parents=True)
    made.file.write_text(FILE, encoding="utf-8")
    made.git("init", "--quiet", "--bare", "--initial-branch=main", str(made.origin))
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", str(made.origin))
    made.git("add", ".")
    made.git("commit", "--quiet", "--message", "The lines as they are")
    made.git("push", "--quiet", "origin", "main")
    return made
