"""Files to be reviewed like code: a folder for each scenario, a file for each format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from syrupy.data import SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

GOLDEN = Path(__file__).parents[1] / "golden"
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
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        scenario = str(test_location.nodename).partition("[")[2].rstrip("]").partition("|")[0]
        return str(GOLDEN / scenario)

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        return str(index)

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        return Path(snapshot_location).parent == Path(cls.dirname(test_location=test_location))

    def discover_snapshots(self, **_: object) -> SnapshotCollections:
        """None: a test of its own looks for files that are left over."""
        return SnapshotCollections()


def golden(format_: str) -> dict[str, Any]:
    """What syrupy is told of a format's file; a test's id begins with the scenario."""
    stem, _, suffix = FILES[format_].rpartition(".")
    return {"name": stem, "extension_class": type(f"Golden_{suffix}", (_Golden,), {"file_extension": suffix})}
