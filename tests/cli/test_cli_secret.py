"""`secret set`: a password is typed unseen, and a reference to it comes out."""

from __future__ import annotations

import io
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import keyring
import pytest

from support.keyring import Memory
from support.runs import Terminal

if TYPE_CHECKING:
    from support.runs import Sipsync

FILE = (
    "sipsync: 1\nportal: {name: p, sandbox: p.db}\npolicy: {create: true}\n"
    "lines: {sales: {title: A, server: sip.example, login: x, password: REF}}\n"
)
PASSWORD = "s3cret-typed"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_password_is_typed_twice_unseen_and_kept_where_its_reference_finds_it(home: Path, sipsync: Sipsync) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    terminal = Terminal("secret", "set", "sales")
    terminal.until("Password for sales (not shown while you type): ")
    terminal.type(f"{PASSWORD}\n")
    terminal.until("The same again: ")
    terminal.type(f"{PASSWORD}\n")
    assert terminal.end() == 0
    assert PASSWORD not in terminal.shown
    assert "password: file:.sipsync/secrets/sales" in terminal.shown
    kept = home / ".sipsync/secrets/sales"
    assert (kept.read_text(), _mode(kept), _mode(kept.parent)) == (f"{PASSWORD}\n", 0o600, 0o700)
    assert subprocess.run(["git", "check-ignore", "-q", str(kept)], check=False).returncode == 0
    Path("sipsync.yaml").write_text(FILE.replace("REF", "file:.sipsync/secrets/sales"))
    ran = sipsync("plan", "--sandbox-secrets")
    assert (ran.code, "1 to add" in ran.out) == (0, True)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [(PASSWORD, "another", "the two passwords differ; nothing was kept"), ("", None, "no password was given")],
)
def test_passwords_that_differ_are_not_kept(first: str, second: str | None, told: str, home: Path) -> None:
    terminal = Terminal("secret", "set", "sales")
    terminal.until(": ")
    terminal.type(f"{first}\n")
    if second is not None:
        terminal.until("again: ")
        terminal.type(f"{second}\n")
    assert terminal.end() == 1
    assert told in terminal.shown
    assert "`sipsync secret set sales`" in terminal.shown
    assert PASSWORD not in terminal.shown
    assert not list(home.iterdir())


def test_a_pipe_gives_one_line(home: Path, process: Sipsync) -> None:
    ran = process("secret", "set", "sales", "portals/acme.yaml", stdin=f"{PASSWORD}\r\nmore\n")
    assert (ran.code, "there is no folder portals" in ran.err) == (64, True)
    Path("portals").mkdir()
    ran = process("secret", "set", "sales", "portals/acme.yaml", stdin=f"{PASSWORD}\r\nmore\n")
    assert (ran.code, ran.out) == (0, "file:.sipsync/secrets/sales\n")
    assert PASSWORD not in ran.err
    assert Path("portals/.sipsync/secrets/sales").read_text() == f"{PASSWORD}\n"
    assert process("secret", "set", "sales", "portals/acme.yaml", stdin="new\n").code == 0
    assert Path("portals/.sipsync/secrets/sales").read_text() == "new\n"


@pytest.mark.parametrize(
    ("key", "given", "code", "told"),
    [
        ("sales", "", 1, "no password on standard input"),
        ("sales", "x" * 101, 1, "longer than the 100 characters"),
        ("../sales", "x", 64, "under this name"),
        (".gitignore", "x", 64, "under this name"),
        ("nul", "x", 1, "a device on Windows"),
    ],
)
def test_what_can_be_no_password_or_no_name_is_refused(
    key: str, given: str, code: int, told: str, home: Path, process: Sipsync
) -> None:
    ran = process("secret", "set", key, stdin=f"{given}\n")
    assert (ran.code, told in ran.err) == (code, True), ran
    assert not list(home.iterdir())


def test_a_folder_that_leads_out_of_the_checkout_gets_no_secret(home: Path, process: Sipsync) -> None:
    (home / ".git").mkdir()
    (home.parent / "elsewhere").mkdir()
    Path(".sipsync").symlink_to(home.parent / "elsewhere")
    ran = process("secret", "set", "sales", stdin="x\n")
    assert (ran.code, "leads out of" in ran.err) == (1, True), ran
    assert not list((home.parent / "elsewhere").iterdir())


def test_a_keyring_keeps_it_too(home: Path, sipsync: Sipsync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    before, memory = keyring.get_keyring(), Memory()
    keyring.set_keyring(memory)
    try:
        ran = sipsync("secret", "set", "sales", "--keyring", "sipsync")
    finally:
        keyring.set_keyring(before)
    assert (ran.code, ran.out) == (0, "keyring:sipsync/sales\n")
    assert memory.kept == {("sipsync", "sales"): PASSWORD}
    assert not list(home.iterdir())
