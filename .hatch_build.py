"""Compiles the catalogues of `sipsync/locale` where sipsync is built or installed, also as an editable install."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCatalogues(BuildHookInterface[Any]):
    """Writes a `.mo` beside each `.po`. Git ignores it; the wheel has it in the place of the `.po`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before files are collected. One that is up to date is left alone, since somebody may be reading it."""
        for source in Path(self.root, "sipsync", "locale").glob("*/LC_MESSAGES/*.po"):
            compiled = polib.pofile(str(source)).to_binary()
            target = source.with_suffix(".mo")
            if not target.exists() or target.read_bytes() != compiled:
                target.write_bytes(compiled)
