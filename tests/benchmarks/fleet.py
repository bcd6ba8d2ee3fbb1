"""What one change on each of many portals costs, beside the same work written by hand on fast_bitrix24.

`python tests/benchmarks/fleet.py [--portals N …] [--runs R] [--json]`. Both are whole processes that ask the same
emulated portals, in turn; CPU is that of the process with its start, and figures are medians. The peer has an
environment of its own, which is made first.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PEER = ("fast_bitrix24==1.8.14", "PyYAML==6.0.3")
LINES = 10
PARALLEL = 64
OURS = "sipsync"
BY_HAND = "by hand"
LINE = {"type": "cloud", "server": "old.example", "login": "user", "password": "pw"}


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """The address of a sandbox without a rate limit, and the path of its webhooks."""
    command = [sys.executable, "-m", "sipsync", "sandbox", "serve", "--bucket", "off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            yield told["url"], told["webhook"].removeprefix(told["url"])
        finally:
            process.terminate()


def seed(url: str, portals: int) -> None:
    """Lay the portals as they are before the change."""
    lines = [{**LINE, "config_id": number, "title": f"Line {number}"} for number in range(1, LINES + 1)]
    body = json.dumps({"lines": lines}).encode()
    for number in range(portals):
        request = urllib.request.Request(f"{url}/_sandbox/seed?portal=p{number}", body)
        request.add_header("Content-Type", "application/json")
        urllib.request.urlopen(request).close()


def write(folder: Path, portals: int) -> None:
    """One file for each portal; the title of its first line is another one than the portal's."""
    for number in range(portals):
        text = [f"sipsync: 1\nportal: {{name: p{number}, webhook: env:HOOK_{number}}}\nlines:\n"]
        for line in range(1, LINES + 1):
            title = "Sales" if line == 1 else f"Line {line}"
            text.append(
                f"  line-{line}:\n    config_id: {line}\n    title: {title}\n    server: {LINE['server']}\n"
                f"    login: {LINE['login']}\n"
            )
        (folder / f"p{number}.yaml").write_text("".join(text), encoding="utf-8")


def ours(folder: Path) -> dict[str, float]:
    """The whole command, as somebody calls it."""
    command = [sys.executable, "-m", "sipsync", "apply", "--yes", "--format", "json", f"--parallel={PARALLEL}", folder]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run = subprocess.run([*map(str, command)], capture_output=True, check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"changed": json.loads(run.stdout)["summary"]["changed"], "cpu": cpu, "wall": wall}


def by_hand(python: Path, folder: Path) -> dict[str, float]:
    """The script."""
    script = Path(__file__).with_name("by_hand.py")
    run = subprocess.run([python, script, folder, str(PARALLEL)], capture_output=True, check=True)
    figures: dict[str, float] = json.loads(run.stdout)
    return figures


def peer(folder: Path) -> Path:
    """An interpreter that has the peer, and nothing of this project."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEER], check=True)
    return python


def measure(portals: int, runs: int, python: Path) -> dict[str, dict[str, float]]:
    """Medians of both, in turn."""
    figures: dict[str, list[dict[str, float]]] = {OURS: [], BY_HAND: []}
    with tempfile.TemporaryDirectory() as temporary, served() as (url, path):
        folder = Path(temporary, "portals")
        folder.mkdir()
        write(folder, portals)
        os.environ |= {f"HOOK_{number}": f"{url}/p{number}{path}" for number in range(portals)}
        os.environ["SIPSYNC_STATE_DIR"] = str(Path(temporary, "state"))
        for _ in range(runs):
            for name in figures:
                seed(url, portals)
                figures[name].append(ours(folder) if name == OURS else by_hand(python, folder))
                assert figures[name][-1]["changed"] == portals
    return {
        name: {key: statistics.median(run[key] for run in runs_) for key in ("cpu", "wall")}
        for name, runs_ in figures.items()
    }


def told(portals: int, figures: Mapping[str, Mapping[str, float]]) -> str:
    """A line of the table for each."""
    base = figures[BY_HAND]
    return "\n".join(
        f"{portals:>8} {name:<10} {1000 * one['cpu'] / portals:>10.1f} {one['wall']:>8.1f}"
        f" {one['cpu'] / base['cpu']:>8.2f} {one['wall'] / base['wall']:>8.2f}"
        for name, one in figures.items()
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portals", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the figures for programs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as environment:
        python = peer(Path(environment))
        all_figures = {portals: measure(portals, options.runs, python) for portals in options.portals}
    if options.json:
        print(json.dumps(all_figures))
        return
    print(f"{'portals':>8} {'what':<10} {'CPU ms each':>10} {'seconds':>8} {'CPU x':>8} {'wall x':>8}")
    for portals, figures in all_figures.items():
        print(told(portals, figures))


if __name__ == "__main__":
    main()
