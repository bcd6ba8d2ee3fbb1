"""`python tests/fuzz/fuzz.py TARGET --examples N --seed S`: runs examples, and says how many it ran and what failed.

An example is made of the seed and its number alone, so `--first N --examples 1` runs one again.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parent.parent)  # else this file is all of `fuzz`

from fuzz.targets import TARGETS

SLOWEST = 30
"""Seconds that one example may take."""


def run(target: str, seed: int, numbers: Iterable[int], failures: Path | None = None) -> Iterator[tuple[int, str]]:
    """Run examples; gives the number and the traceback of each that fails, whose files are kept under `failures`."""
    with tempfile.TemporaryDirectory(prefix="sipsync-fuzz-") as temporary:
        for number in numbers:
            folder = Path(temporary, "files")
            folder.mkdir()
            try:
                TARGETS[target](Random(f"{target} {seed} {number}"), folder)
            except Exception:
                if failures:
                    shutil.copytree(folder, failures / f"{target}-{seed}-{number}", symlinks=True, dirs_exist_ok=True)
                yield number, traceback.format_exc()
            shutil.rmtree(folder)


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first example")
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"), help="the folder for what fails")
    given = parser.parse_args()
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _too_slow)
    failed, done = 0, 0

    def numbers() -> Iterator[int]:
        nonlocal done
        for number in range(given.first, given.first + given.examples):
            _alarm(SLOWEST)
            yield number
            done += 1

    try:
        for number, told in run(given.target, given.seed, numbers(), given.failures):
            failed += 1
            print(f"{given.target} seed {given.seed} example {number}:\n{told}", flush=True)
    finally:
        _alarm(0)
        print(f"{given.target}: {done} examples run with seed {given.seed}, {failed} failed", flush=True)
    return int(failed > 0)


def _alarm(seconds: int) -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _too_slow(_signal: int, _frame: object) -> None:
    raise TimeoutError(f"longer than {SLOWEST} s")


if __name__ == "__main__":
    raise SystemExit(main())
