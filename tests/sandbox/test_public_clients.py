"""The two public Python clients of Bitrix24's REST API work with the sandbox as they are."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

PINNED = ("fast_bitrix24==1.8.14", "b24pysdk==1.3.2")
SCRIPT = Path(__file__).with_name("public_clients_script.py")
SEED = {"lines": [{"type": "office", "title": f"Line {n}", "server": "sip.example", "login": "u"} for n in range(120)]}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the clients, and nothing of this project."""
    folder = tmp_path_factory.mktemp("clients")
    venv.create(folder, with_pip=True)
    found = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED], check=True)
    return found


@pytest.fixture
def served() -> Iterator[dict[str, str]]:
    """A sandbox with 120 lines."""
    command = [sys.executable, "-m", "sipsync", "sandbox", "serve", "--bucket", "off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            httpx.post(f"{started['url']}/_sandbox/seed", json=SEED).raise_for_status()
            yield started
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("client", ["fast_bitrix24", "b24pysdk"])
def test_a_public_client_reads_writes_and_gets_the_right_errors(
    client: str, python: Path, served: dict[str, str]
) -> None:
    run = subprocess.run([python, SCRIPT, client, served["webhook"]], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert sorted(found["lines"]) == list(range(1, 121))
    assert found["renamed"] == 1
    assert "CONFIG_ID is not found" in found["wrong"]
    assert "ERROR_NOT_FOUND" in found["batch"]
    assert "bad" in found["batch"]
    titles = {line["config_id"]: line["title"] for line in httpx.get(f"{served['url']}/_sandbox/dump").json()["lines"]}
    assert (titles[1], titles[2]) == ("Renamed", "Второй & последний")
