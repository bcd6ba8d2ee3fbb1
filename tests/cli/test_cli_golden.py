"""Files and a seed: planned by the real program, reviewed in all formats, applied, and then nothing is left.

`pytest --snapshot-update` rewrites the reviewed document; what the formats make of it, the report's tests hold.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from sipsync.report import FORMATS
from support.box import KEY
from support.golden import GOLDEN, golden
from support.reports import MADE, VERSION, WHEN
from support.runs import Sipsync

OPTIONS = {"everything": ("--all", "--reregister=acme.again")}


@pytest.mark.parametrize("name", MADE)
def test_what_was_planned_and_reviewed_is_applied_and_leaves_nothing_to_change(
    name: str, home: Path, sipsync: Sipsync, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in {
        "SIP_SALES": "new",
        "SIP_NEW": "first",
        "SIPSYNC_PLAN_KEY": KEY,
        "SIPSYNC_SANDBOX_SECRETS": "1",
    }.items():
        monkeypatch.setenv(variable, value)
    Path("portals").mkdir()
    shutil.copy(GOLDEN / name / "acme.yaml", "portals")
    assert sipsync("sandbox", "seed", "--db", "portal.sandbox", GOLDEN / name / "seed.json").code == 0
    reports = [f"--report={format_}={format_}" for format_, documents in FORMATS.items() if "Plan" in documents]
    ran = sipsync("plan", "--out=plan.json", *reports, *OPTIONS.get(name, ()))
    assert ran.code == 0, ran.err
    assert reviewed(Path("json").read_text(encoding="utf-8")) == snapshot(**golden("json"))
    assert Path("text").read_text(encoding="utf-8") == snapshot(**golden("text"))
    assert all(Path(report.rpartition("=")[2]).stat().st_size for report in reports if "github" not in report)
    assert sipsync("apply", "--plan=plan.json").code == 0
    assert sipsync("plan", "--detailed-exitcode").code == 0


def reviewed(text: str) -> str:
    """The document without what another run has otherwise: version, time, and the seal over it."""
    document = json.loads(text) | {"sipsync_version": VERSION, "timestamp": WHEN}
    document["parts"] = [part | {"created": WHEN, "seal": "0" * 64} for part in document["parts"]]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
