"""Links in a checkout: whoever may change its files must not choose what is written outside of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.runs import Sipsync

FILE = (
    "sipsync: 1\nportal: {name: a, sandbox: a.db}\npolicy: {create: true}\n"
    "lines: {a: {title: A, server:  s.example, login: x}}\n"
)


@pytest.fixture
def outside(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of the user's, beside a checkout whose links lead there."""
    outside, checkout = tmp_path / "outside", tmp_path / "checkout"
    outside.mkdir()
    (outside / "file").write_text(FILE)
    (checkout / ".git").mkdir(parents=True)
    (checkout / "a.yaml").write_text(FILE)
    (checkout / "link").symlink_to(outside / "file")
    (checkout / "link.yaml").symlink_to(outside / "file")
    (checkout / "folder").symlink_to(outside)
    monkeypatch.chdir(checkout)
    return outside


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "a.yaml", "--report", "markdown=link"],
        ["plan", "a.yaml", "--report", "junit=folder/new"],
        ["plan", "a.yaml", "--out", "folder/new"],
        ["apply", "--yes", "a.yaml", "--report", "json=link"],
        ["snapshot", "a.yaml", "--out", "folder/new"],
        ["fmt", "link.yaml"],
        ["fmt", "folder/file"],
    ],
    ids=" ".join,
)
def test_nothing_is_written_through_a_link_that_leads_out(outside: Path, sipsync: Sipsync, command: list[str]) -> None:
    ran = sipsync(*command)
    assert ran.code in (1, 4)
    assert f"a link leads out of {Path.cwd()}" in ran.err
    assert {file.name: file.read_text() for file in outside.iterdir()} == {"file": FILE}


def test_links_within_a_checkout_and_what_the_operator_names_outside_are_written(
    outside: Path, sipsync: Sipsync
) -> None:
    Path("real").write_text("")
    Path("inner").symlink_to("real")
    reports = ("inner", outside / "new", "/dev/stderr", "../outside/other")
    ran = sipsync("plan", "a.yaml", "--out", "link", *(f"--report=json={to}" for to in reports))
    assert ran.code == 0
    assert Path("inner").is_symlink()
    assert not Path("link").is_symlink()  # a plan takes the link's place
    for to in ("real", outside / "new", outside / "other"):
        assert Path(to).read_text().startswith("{")
    assert (outside / "file").read_text() == FILE
