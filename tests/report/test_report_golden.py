"""Every scenario in every format, as files to be reviewed like code: `pytest --snapshot-update` rewrites them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.data import SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from sipsync.report import FORMATS, render
from support.reports import EVERYTHING

GOLDEN = Path(__file__).parent.parent / "golden"
FILES = {
    "text": "text.txt",
    "json": "document.json",
    "markdown": "comment.md",
    "html": "page.html",
    "gitlab": "gitlab.json",
    "junit": "junit.xml",
    "sarif": "sarif.json",
    "github": "github.txt",
}


class _Golden(SingleFileSnapshotExtension):
    """One folder for each scenario, one file for each format."""

    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(GOLDEN / _scenario(test_location))

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        return str(index)

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        return Path(snapshot_location).parent == Path(cls.dirname(test_location=test_location))

    def discover_snapshots(self, **_: object) -> SnapshotCollections:
        """None: a test of its own looks for files that are left over."""
        return SnapshotCollections()


def _scenario(location: PyTestLocation) -> str:
    return str(location.nodename).partition("[")[2].rstrip("]").partition("|")[0]


def _extension(file: str) -> type[_Golden]:
    suffix = file.rpartition(".")[2]
    return type(f"Golden_{suffix}", (_Golden,), {"file_extension": suffix})


CASES = [
    (name, format_)
    for name, document in EVERYTHING.items()
    for format_, row in FORMATS.items()
    if type(document).__name__ in row.documents
]


@pytest.mark.parametrize(("name", "format_"), CASES, ids=[f"{name}|{format_}" for name, format_ in CASES])
def test_it_looks_as_it_was_reviewed(name: str, format_: str, snapshot: SnapshotAssertion) -> None:
    text = render(EVERYTHING[name], format_)
    if format_ == "html":
        # The page's own style and script are reviewed in their own files.
        text = re.sub(r"(?s)(?<=<style>).*?(?=</style>)|(?<=<script>).*?(?=</script>)|(?<='sha256-).*?(?=')", "…", text)
    file = FILES[format_]
    assert text == snapshot(name=file.rpartition(".")[0], extension_class=_extension(file))


def test_no_golden_file_is_left_over() -> None:
    wanted = {GOLDEN / name / FILES[format_] for name, format_ in CASES}
    assert {path for path in GOLDEN.rglob("*") if path.is_file() and path.name in FILES.values()} == wanted


def test_every_format_has_a_file() -> None:
    assert set(FILES) == set(FORMATS)
