"""What a file may hold at most: told at once, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from sipsync.model.problems import Code
from support.files import HEAD, only


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (f"protected: [{'a, ' * 1001}]", "1000 entries"),
        (f"ignore_fields: [{'{line: a, field: title, reason: x}, ' * 1001}]", "1000 entries"),
        (f"protected: ['{'[a' * 600}']", "1024 characters"),
    ],
)
def test_what_is_compared_with_each_line_is_bounded(tmp_path: Path, policy: str, words: str) -> None:
    found = only(tmp_path, f"{HEAD}policy: {{{policy}}}\n")
    assert (found.code, words in found.summary) == (Code.TOO_LONG, True)


@pytest.mark.slow
def test_a_file_of_more_values_than_any_portal_has_is_refused_before_it_is_built(tmp_path: Path) -> None:
    found = only(tmp_path, f"{HEAD}x: [{'a,' * 200_001}]\n")
    assert (found.code, "200000 values" in found.summary) == (Code.TOO_LARGE, True)


def test_a_path_that_no_system_takes_is_told_at_once(tmp_path: Path) -> None:
    found = only(tmp_path, f"sipsync: 1\nportal: {{name: acme, sandbox: '{'a/' * 1_000_000}'}}\n")
    assert (found.code, found.summary) == (Code.BAD_VALUE, "no file can have this name")
