"""Passwords kept in an environment file."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from sipsync.model.operator import Operator
from sipsync.model.problems import Code, SipsyncError
from sipsync.model.secret import Secret
from sipsync.secrets.store import store_env
from support.secrets import Ask

ODD = {"PLAIN": "abc", "QUOTES": 'it\'s "so"', "SHELL": "$HOME `id` \\ # !", "ZEROS": "0045", "CYRILLIC": "пароль ж"}


async def test_a_shell_reads_exactly_what_was_stored(tmp_path: Path, ask: Ask) -> None:
    out = tmp_path / ".env"
    references = store_env({name: Secret(value) for name, value in ODD.items()}, out)
    assert references == {name: f"env:{name}" for name in ODD}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    shown = subprocess.check_output(["sh", "-c", f"set -a; . {out}; set +a; env -0"], env={"PATH": "/usr/bin:/bin"})
    environ = dict(entry.split("=", 1) for entry in shown.decode().split("\0") if entry)
    got = await ask(Operator(environ=environ), *references.values())
    assert {name: got[text] for name, text in references.items()} == ODD


def test_storing_again_replaces_its_own_lines_and_keeps_the_others(tmp_path: Path) -> None:
    out = tmp_path / ".env"
    out.write_text("# mine\nOTHER=1\nPW=old\nPWX=2")
    store_env({"PW": Secret("new")}, out)
    assert out.read_text() == "# mine\nOTHER=1\nPWX=2\nPW=new\n"


def test_a_new_file_says_how_it_is_used(tmp_path: Path) -> None:
    store_env({"PW": Secret("new")}, tmp_path / "secrets.env")
    assert (
        (tmp_path / "secrets.env")
        .read_text()
        .startswith("# Never commit this file. To use it: set -a; . ./secrets.env;")
    )


def test_an_empty_file_is_filled(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    store_env({"PW": Secret("new")}, tmp_path / ".env")
    assert (tmp_path / ".env").read_text() == "PW=new\n"


@pytest.mark.parametrize(("name", "value"), [("A-B", "x"), ("1A", "x"), ("A", "x\ny"), ("A", "x\0"), ("A\n", "x")])
def test_what_an_environment_file_cant_hold_is_refused_before_anything_is_written(
    tmp_path: Path, canary: str, name: str, value: str
) -> None:
    with pytest.raises(SipsyncError) as caught:
        store_env({"OK": Secret("x"), name: Secret(canary + value)}, tmp_path / ".env")
    assert caught.value.code is Code.SECRET_VALUE
    assert canary not in str(caught.value)
    assert not (tmp_path / ".env").exists()


def test_a_file_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(SipsyncError, match="not UTF-8"):
        store_env({"A": Secret("x")}, tmp_path / ".env")
    assert (tmp_path / ".env").read_bytes() == b"\xff\xfe"


def test_a_file_that_cant_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SipsyncError) as caught:
        store_env({"A": Secret("x")}, tmp_path / "missing" / ".env")
    assert caught.value.code is Code.UNWRITABLE
