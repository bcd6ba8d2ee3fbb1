"""The sandbox gives the answers that were recorded by running the server's own public source.

PHP 8.2 and MariaDB 10.11 with `utf8mb4_unicode_ci` ran it; the telephony provider, the credentials, the scope and the
telephony right were stand-ins (`basis` is "facts" where an answer rests on them). Scenarios whose basis is "server
source, run" were written afterwards, from what other runs of that source showed.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.player import Player

SCENARIOS = [
    json.loads(line)
    for line in Path(__file__).with_name("scenarios.jsonl").read_text(encoding="utf-8").splitlines()
    if line
]


@pytest.fixture(scope="module")
def startup() -> Iterator[Mapping[str, Any]]:
    """What a served sandbox says once it listens."""
    command = ["sandbox", "serve", "--app", "appa", "--app", "appb", "--bucket", "off"]
    with subprocess.Popen([sys.executable, "-m", "sipsync", *command], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """One connection for all scenarios."""
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["id"] for scenario in SCENARIOS])
def test_the_sandbox_answers_as_the_server_did(
    scenario: Mapping[str, Any], startup: Mapping[str, Any], http: httpx.Client
) -> None:
    assert Player(startup, http).play(scenario) == [], scenario["about"]


def test_the_player_sees_a_difference(startup: Mapping[str, Any], http: httpx.Client) -> None:
    scenario = json.loads(json.dumps(SCENARIOS[0]).replace('"DETECT_LINE_NUMBER": "N"', '"DETECT_LINE_NUMBER": "Y"'))
    assert Player(startup, http).play(scenario) == [
        'step 1 voximplant.sip.add: result.DETECT_LINE_NUMBER is "N", not "Y"'
    ]


def test_all_scenarios_are_here() -> None:
    assert len(SCENARIOS) == 103
