"""A served sandbox: its one line, its faults on real connections, its end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sipsync.model.problems import Code, SipsyncError
from sipsync.sandbox import Options, serve
from sipsync.sandbox.serving import listen

SERVE = "from sipsync.sandbox import Options, serve; serve(Options(apps=('appa',)))"


@pytest.fixture
def started() -> Iterator[dict[str, Any]]:
    """What a sandbox says that is served in a process of its own."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def test_it_says_where_it_listens_and_ends_on_a_signal(started: dict[str, Any]) -> None:
    assert re.fullmatch(rf"{started['url']}/rest/1/[0-9a-f]{{32}}/", started["webhook"])
    app = started["apps"]["appa"]
    assert set(app) == {
        "rest", "client_id", "client_secret", "access_token", "refresh_token", "token_url", "member_id",
    }  # fmt: skip
    answer = httpx.get(f"{app['rest']}profile", headers={"Authorization": f"Bearer {app['access_token']}"})
    assert answer.json()["result"]["ADMIN"] is True


def test_each_database_has_a_secret_of_its_own_that_nothing_else_tells(started: dict[str, Any]) -> None:
    for guess in ("sandbox", started["apps"]["appa"]["member_id"]):
        answer = httpx.get(f"{started['url']}/rest/1/{guess}/profile")
        assert (answer.status_code, answer.json()["error"]) == (401, "INVALID_CREDENTIALS")
    assert httpx.get(f"{started['webhook']}profile").json()["result"]["ADMIN"] is True


@pytest.mark.parametrize(
    ("do", "done"), [("reset-before", False), ("reset-after", True), ("truncate", True), ({"delay": 0}, True)]
)
def test_connections_break_as_ordered_and_the_sandbox_goes_on(started: dict[str, Any], do: Any, done: bool) -> None:
    httpx.post(f"{started['url']}/_sandbox/faults", json=[{"match": {"method": "voximplant.sip.add"}, "do": do}])
    params = {"SERVER": "sip.example", "LOGIN": "u", "TITLE": "x" * 500}
    with httpx.Client() as client:
        if isinstance(do, dict):
            assert client.post(f"{started['webhook']}voximplant.sip.add", json=params).status_code == 400
            return
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.post(f"{started['webhook']}voximplant.sip.add", json={**params, "TITLE": "x"})
        lines = client.get(f"{started['url']}/_sandbox/dump").json()["lines"]
    assert bool(lines) is done


def test_it_can_be_served_in_this_process(tmp_path: Path) -> None:
    lines: list[str] = []
    seed = {"lines": [{"title": "Sales", "server": "sip.example", "login": "u"}]}

    def announce(line: str) -> None:
        lines.append(line)

        def ask() -> None:
            url = json.loads(line)["webhook"]
            answers.append(httpx.get(f"{url}voximplant.sip.get").json()["total"])
            httpx.post(f"{json.loads(line)['url']}/_sandbox/faults", json=[{"match": {}, "do": "reset-after"}])
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{url}profile")
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=ask).start()

    answers: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    serve(Options(seed=seed, log=tmp_path / "log"), announce)
    assert answers == [1]
    assert len(lines) == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_a_port_in_use_is_said() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(SipsyncError) as caught:
        listen(taken.getsockname()[1])
    assert caught.value.code is Code.USAGE
