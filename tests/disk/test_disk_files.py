"""The state folder and private files."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import platformdirs
import pytest

from sipsync.disk.files import for_shell, private_folder, read_private, state_dir, write_file, write_private
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, SipsyncError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_state_folder_is_made_for_its_user_alone(tmp_path: Path) -> None:
    folder = state_dir(Operator(state_dir=str(tmp_path / "deep" / "state")))
    assert folder == tmp_path / "deep" / "state"
    assert mode(folder) == 0o700


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o077, 0o177])
def test_what_is_made_above_the_state_folder_is_its_user_s_alone_as_well(tmp_path: Path, mask: int) -> None:
    tmp_path.chmod(0o755)
    before = os.umask(mask)
    try:
        state_dir(Operator(state_dir=str(tmp_path / "very" / "deep" / "state")))
    finally:
        os.umask(before)
    made = [tmp_path / "very", tmp_path / "very" / "deep", tmp_path / "very" / "deep" / "state"]
    assert [mode(folder) for folder in made] == [0o700] * 3
    assert mode(tmp_path) == 0o755


def test_without_a_wish_the_state_folder_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_state_path", lambda name, **_: tmp_path / name)
    assert state_dir(Operator()) == tmp_path / "sipsync"


@pytest.mark.parametrize("bits", [0o020, 0o002])
def test_a_state_folder_that_others_may_write_is_refused_with_the_command_that_helps(tmp_path: Path, bits: int) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o700 | bits)
    with pytest.raises(SipsyncError) as caught:
        state_dir(Operator(state_dir=str(folder)))
    assert caught.value.code is Code.STATE_UNSAFE
    assert caught.value.diagnostics[0].hint.endswith(f"`chmod go-w {folder}`.")


def test_a_state_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    os.chown(folder, 4711, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    with pytest.raises(SipsyncError, match="belongs to another user"):
        private_folder(folder)


def test_where_the_system_has_no_modes_none_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setattr("sipsync.disk.files.os.name", "nt")
    assert private_folder(folder) == folder


def test_a_state_folder_that_cant_be_made_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SipsyncError) as caught:
        state_dir(Operator(state_dir=str(tmp_path / "file" / "state")))
    assert caught.value.code is Code.UNWRITABLE
    assert "SIPSYNC_STATE_DIR" in caught.value.diagnostics[0].hint


def test_what_was_written_is_read_and_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    write_private(path, b"one")
    write_private(path, b"two")
    assert read_private(path) == b"two"
    assert mode(path) == 0o600
    assert os.listdir(tmp_path) == ["token"]


def test_no_file_reads_as_none(tmp_path: Path) -> None:
    assert read_private(tmp_path / "missing") is None


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"")
    path.chmod(0o666)
    with pytest.raises(SipsyncError) as caught:
        read_private(path)
    assert caught.value.code is Code.STATE_UNSAFE


def test_what_cant_be_read_is_an_error_with_the_systems_reason(tmp_path: Path) -> None:
    with pytest.raises(SipsyncError, match="is a directory") as caught:
        read_private(tmp_path)
    assert caught.value.code is Code.FILE_UNREADABLE


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "token"
    write_private(path, b"old")

    def full(_from: str, _to: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(SipsyncError, match="no space left") as caught:
        write_private(path, b"new", replace=full)
    assert caught.value.code is Code.UNWRITABLE
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["token"]


def test_a_file_that_is_held_for_a_moment_is_replaced_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("sipsync.disk.clock.SystemClock.pause", lambda _self, seconds: waited.append(seconds))

    def held_twice(temporary: str, path: Path) -> None:
        if len(waited) < 2:
            raise PermissionError(13, "Access is denied")
        os.replace(temporary, path)

    write_private(tmp_path / "token", b"new", replace=held_twice)
    assert (tmp_path / "token").read_bytes() == b"new"
    assert waited == [0.01, 0.02]


def test_a_file_that_is_held_for_good_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sipsync.disk.clock.SystemClock.pause", lambda _self, _seconds: None)

    def held(_from: str, _to: Path) -> None:
        raise PermissionError(13, "Access is denied")

    with pytest.raises(SipsyncError, match="access is denied"):
        write_private(tmp_path / "token", b"new", replace=held)


def test_a_link_is_replaced_and_never_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    (tmp_path / "token").symlink_to(victim)
    write_private(tmp_path / "token", b"new")
    assert victim.read_bytes() == b"kept"
    assert not (tmp_path / "token").is_symlink()


def test_only_a_regular_file_is_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SipsyncError, match="not a regular file"):
        write_private(tmp_path / "pipe", b"new")
    with pytest.raises(SipsyncError, match="not a regular file"):
        write_private(tmp_path, b"new")


def test_a_users_file_keeps_its_link_and_who_may_read_it(tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_bytes(b"old")
    real.chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(real)
    write_file(tmp_path / "link.yaml", b"new")
    assert real.read_bytes() == b"new"
    assert mode(real) == 0o640
    assert (tmp_path / "link.yaml").is_symlink()


def test_a_new_file_of_the_users_has_the_mode_that_they_give_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "new.yaml", b"new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new.yaml") == 0o640


def test_a_folder_that_is_not_there_is_an_error_with_the_systems_reason(tmp_path: Path) -> None:
    with pytest.raises(SipsyncError, match="can't be written: no such file") as caught:
        write_file(tmp_path / "missing" / "new.yaml", b"new")
    assert caught.value.code is Code.UNWRITABLE


@pytest.mark.parametrize(
    ("system", "path", "typed", "sourced"),
    [
        ("posix", PurePosixPath("a.yaml"), "a.yaml", "./a.yaml"),
        ("posix", PurePosixPath("a b/it's"), "'a b/it'\"'\"'s'", "'a b/it'\"'\"'s'"),
        ("nt", PureWindowsPath("a.yaml"), "a.yaml", "./a.yaml"),
        ("nt", PureWindowsPath("C:\\my files\\.env"), '"C:/my files/.env"', '"C:/my files/.env"'),
        ("nt", PureWindowsPath("C:\\files\\.env"), "C:/files/.env", "C:/files/.env"),
    ],
)
def test_a_path_is_written_as_a_shell_takes_it(
    system: str, path: PurePath, typed: str, sourced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipsync.disk.files.os.name", system)
    assert (for_shell(path), for_shell(path, sourced=True)) == (typed, sourced)
