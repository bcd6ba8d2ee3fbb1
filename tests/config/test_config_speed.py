"""Loading is linear in what there is to load, counted in calls rather than seconds."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

from support.files import HEAD, load_text


def calls(folder: Path, lines: int) -> int:
    """Calls of functions while a file of so many lines with as many mistakes is loaded."""
    text = HEAD + "lines:\n" + "".join(f"  l{n}: {{title: T{n}, config_id: {n + 1}, nope: 1}}\n" for n in range(lines))
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        loaded = load_text(folder, text)
    finally:
        sys.setprofile(None)
    assert len(loaded.diagnostics) == lines
    return count


def test_ten_times_the_lines_take_ten_times_the_work(tmp_path: Path) -> None:
    few, many = calls(tmp_path, 20), calls(tmp_path, 200)
    assert many < 11 * few
