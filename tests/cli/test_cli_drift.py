"""A look for drift: what differs is told as drift, and what went wrong with the run itself as an error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from support.runs import Sipsync

FILE = """policy: {create: true, delete: true}
lines:
  sales: {config_id: 101, title: Sales, server: sip.example}
  new: {title: New, server: sip.example, login: user}
removed:
  depot: {config_id: 102, title: Склад}
"""


def cases(file: str) -> dict[str, tuple[str, str, str]]:
    """By name, what became of each case that did not pass: the element, its type and its message."""
    root = ElementTree.fromstring(Path(file).read_text(encoding="utf-8"))
    found = {}
    for case in root.iter("testcase"):
        for each in case:
            if each.tag in ("failure", "error"):
                found[case.get("name", "")] = (each.tag, each.get("type", ""), each.get("message", ""))
    for suite in root.iter("testsuite"):
        assert int(suite.get("errors", "")) == sum(1 for _ in suite.iter("error"))
        assert int(suite.get("failures", "")) == sum(1 for _ in suite.iter("failure"))
    return found


def test_what_differs_is_told_as_drift(acme: Any, sipsync: Sipsync) -> None:
    acme.write(FILE, "sipsync.yaml")
    reports = [f"--report={format_}={format_}" for format_ in ("junit", "markdown", "html", "github")]
    ran = sipsync("plan", "--drift", *reports)
    assert ran.code == 2
    assert "\nDrift: 3 lines differ from the files.\n\nPlan: 1 to add, 1 to change, 1 to destroy.\n" in ran.out
    assert cases("junit") == {
        "sipsync.sales": ("failure", "drift", "differs from the file: server"),
        "sipsync.new": ("failure", "drift", "it is not in Bitrix24"),
        "sipsync.depot": ("failure", "drift", "it is still in Bitrix24"),
    }
    assert "## sipsync drift: 3 lines differ from the files" in Path("markdown").read_text(encoding="utf-8")
    assert "3 lines differ from the files." in Path("html").read_text(encoding="utf-8")
    assert "::warning title=sipsync drift::3 lines differ from the files%0APlan: 1 to add" in Path("github").read_text()


def test_what_is_wrong_with_the_run_is_no_drift(acme: Any, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", acme.webhook.replace("sandbox", "wrong"))
    acme.write(FILE, "sipsync.yaml")
    assert sipsync("plan", "--drift", "--report=junit=junit").code == 1
    ((kind, code, _),) = cases("junit").values()
    assert (kind, code) == ("error", "credential")


def test_nothing_that_differs_is_no_drift_and_a_plan_for_review_has_none(acme: Any, sipsync: Sipsync) -> None:
    acme.write("lines:\n  sales: {config_id: 101, title: Sales}\n", "sipsync.yaml")
    ran = sipsync("plan", "--drift", "--report=junit=junit", "--report=github=github")
    assert (ran.code, cases("junit")) == (0, {})
    assert "No changes." in ran.out
    assert "::notice title=sipsync drift::No changes." in Path("github").read_text(encoding="utf-8")
    acme.write(FILE, "sipsync.yaml")
    ran = sipsync("plan", "--detailed-exitcode", "--report=junit=junit")
    assert (ran.code, cases("junit")) == (2, {})
