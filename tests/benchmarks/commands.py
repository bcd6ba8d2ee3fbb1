"""What commands cost beside the least that could be done: a bare interpreter, and libyaml's composer alone.

`python tests/benchmarks/commands.py [--runs N] [--json]`, on Linux. Each command is a process of its own. The median of
its CPU seconds, start and end of the process included, stands beside that of the floor, which is run in turns with it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import NamedTuple

SIPSYNC = (sys.executable, "-c", "from sipsync.__main__ import main; main()")
BARE = (sys.executable, "-c", "pass")
COMPOSE = (
    sys.executable,
    "-c",
    "import sys, pathlib, yaml\n"
    "for path in map(pathlib.Path, sys.argv[1:]):\n"
    "    for file in sorted(path.iterdir()) if path.is_dir() else [path]:\n"
    "        yaml.compose(file.read_text('utf-8'), Loader=yaml.CSafeLoader)\n",
)
LINES = 10_000
FILES = 1_000


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    """Of CPU."""
    megabytes: float


def portal_file(name: str, lines: int) -> str:
    """A portal's file with so many lines."""
    head = f"sipsync: 1\nportal:\n  name: {name}\n  webhook: env:HOOK\ndefaults:\n  server: sip.example.com\nlines:\n"
    return head + "".join(
        f"  line-{n}:\n    config_id: {n}\n    title: Отдел продаж {n}\n    login: '10{n:05}'\n"
        f"    password: env:SIP_{name}_{n}\n"
        for n in range(69, 69 + lines)
    )


def serve_portal(channel: Connection) -> None:
    """An emulated portal with one line, without a rate limit."""
    from sipsync.sandbox import Options, serve

    line = {"config_id": 69, "type": "cloud", "title": "Old", "server": "a.example", "login": "1", "password": "x"}
    options = Options(seed={"lines": [line]}, secret="sandbox")
    serve(options, lambda told: channel.send(json.loads(told)["webhook"]))


@contextmanager
def emulated_portal() -> Iterator[str]:
    """Its webhook, while it runs in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve_portal, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def cost(command: tuple[str, ...], environ: Mapping[str, str]) -> Cost:
    """What one run of a command takes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environ)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure(runs: int) -> dict[str, dict[str, float]]:
    """Seconds, megabytes and the ratio to the floor, by command."""
    with tempfile.TemporaryDirectory() as temporary, emulated_portal() as webhook:
        folder = Path(temporary)
        tiny, large, many = folder / "tiny.yaml", folder / "large.yaml", folder / "many"
        many.mkdir()
        tiny.write_text(portal_file("tiny", 1), "utf-8")
        large.write_text(portal_file("large", LINES), "utf-8")
        for number in range(FILES):
            (many / f"p{number}.yaml").write_text(portal_file(f"p{number}", LINES // FILES), "utf-8")
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ |= {"PYTHONPYCACHEPREFIX": str(folder / "cache"), "SIPSYNC_STATE_DIR": str(folder / "state")}
        environ |= {"HOOK": webhook, "SIP_tiny_69": "new"}
        rows: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
            "--help": ((*SIPSYNC, "--help"), BARE),
            "validate one line": ((*SIPSYNC, "validate", str(tiny)), BARE),
            "plan one line": ((*SIPSYNC, "plan", str(tiny)), BARE),
            f"validate {LINES} lines": ((*SIPSYNC, "validate", str(large)), (*COMPOSE, str(large))),
            f"validate {FILES} files": ((*SIPSYNC, "validate", str(many)), (*COMPOSE, str(many))),
        }
        return {name: _row(*both, environ, runs) for name, both in rows.items()}


def _row(command: tuple[str, ...], floor: tuple[str, ...], environ: Mapping[str, str], runs: int) -> dict[str, float]:
    cost(command, environ), cost(floor, environ)  # which compiles what they import
    pairs = [(cost(command, environ), cost(floor, environ)) for _ in range(runs)]
    seconds, least = (median(pair[side].seconds for pair in pairs) for side in (0, 1))
    return {
        "seconds": seconds,
        "floor": least,
        "ratio": seconds / least,
        "megabytes": max(pair[0].megabytes for pair in pairs),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.runs)
    if options.json:
        print(json.dumps(found))
        return
    for name, row in found.items():
        print(f"{name:22} {row['seconds']:7.3f} s {row['ratio']:6.1f} x the floor {row['megabytes']:5.0f} MB")


if __name__ == "__main__":
    main()
