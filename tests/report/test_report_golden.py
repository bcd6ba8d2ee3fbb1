"""Every scenario in every format, as files to be reviewed like code: `pytest --snapshot-update` rewrites them."""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion

from sipsync.report import FORMATS, render
from support.golden import FILES, GOLDEN, golden
from support.reports import EVERYTHING

CASES = [
    (name, format_)
    for name, document in EVERYTHING.items()
    for format_, documents in FORMATS.items()
    if type(document).__name__ in documents
]


@pytest.mark.parametrize(("name", "format_"), CASES, ids=[f"{name}|{format_}" for name, format_ in CASES])
def test_it_looks_as_it_was_reviewed(name: str, format_: str, snapshot: SnapshotAssertion) -> None:
    text = render(EVERYTHING[name], format_)
    if format_ == "html":
        # The page's own style and script are reviewed in their own files.
        text = re.sub(r"(?s)(?<=<style>).*?(?=</style>)|(?<=<script>).*?(?=</script>)|(?<='sha256-).*?(?=')", "…", text)
    assert text == snapshot(**golden(format_))


def test_no_golden_file_is_left_over() -> None:
    wanted = {GOLDEN / name / FILES[format_] for name, format_ in CASES}
    assert {path for path in GOLDEN.rglob("*") if path.is_file() and path.name in FILES.values()} == wanted


def test_every_format_has_a_file() -> None:
    assert set(FILES) == set(FORMATS)
