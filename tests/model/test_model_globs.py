"""Globs of names."""

from __future__ import annotations

import pytest

from sipsync.model.globs import LONGEST, fits


@pytest.mark.parametrize(
    ("name", "glob", "expected"),
    [
        ("sales", "sales", True),
        ("Sales", "sales", False),
        ("sales-2", "sales*", True),
        ("a[b", "a[[]b", True),
        ("a\nb", "a?b", True),
        ("a", "[a[a[a", False),
        ("a" * LONGEST, "[a]" * (LONGEST // 3) + "a", False),
        ("a" * LONGEST, "a" * LONGEST, True),
        ("a" * (LONGEST + 1), "a" * (LONGEST + 1), False),
        ("a", "[a" * 1_000_000, False),
        ("a" * 300, "*a" * 500 + "b", False),
    ],
)
def test_a_glob_means_names_and_none_that_is_longer_than_any_name_needs(name: str, glob: str, expected: bool) -> None:
    assert fits(name, glob) is expected
