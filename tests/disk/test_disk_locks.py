"""The lock of a host, tried with real processes."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sipsync.disk.clock import SystemClock
from sipsync.disk.locks import lock
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Exit, SipsyncError
from support.clock import Clock

HOLD = """
import asyncio, sys
from sipsync.disk.clock import SystemClock
from sipsync.disk.locks import lock
from sipsync.model.operator import Operator

async def main():
    async with lock(sys.argv[1], Operator(state_dir=sys.argv[2]), SystemClock(), 60.0):
        print("held", flush=True)
        sys.stdin.readline()

asyncio.run(main())
"""

COUNT = """
import asyncio, pathlib, sys
from sipsync.disk.clock import SystemClock
from sipsync.disk.locks import lock
from sipsync.model.operator import Operator

async def main():
    counter = pathlib.Path(sys.argv[2]) / "counter"
    for _ in range(20):
        async with lock(sys.argv[1], Operator(state_dir=sys.argv[2]), SystemClock(), 60.0):
            before = int(counter.read_text())
            await asyncio.sleep(0)
            counter.write_text(str(before + 1))

asyncio.run(main())
"""


def started(script: str, host: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, host, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def holding(host: str, folder: Path) -> subprocess.Popen[str]:
    process = started(HOLD, host, folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


async def test_the_lock_of_another_process_is_refused_after_the_wait_and_names_it(tmp_path: Path) -> None:
    waits: list[float] = []
    with holding("acme.bitrix24.ru", tmp_path) as other:
        with pytest.raises(SipsyncError) as caught:
            async with lock("acme.bitrix24.ru", Operator(state_dir=str(tmp_path)), SystemClock(), 0.25, waits.append):
                pytest.fail("two processes hold one lock")
        other.communicate("go\n")
    assert caught.value.code is Code.LOCKED
    assert caught.value.exit is Exit.ERROR
    assert f"process {other.pid} " in str(caught.value)
    assert "--lock-timeout" in caught.value.diagnostics[0].hint
    [wait] = waits
    assert 0 < wait <= 0.25


async def test_who_waits_for_a_lock_waits_by_the_clock_that_they_gave(tmp_path: Path) -> None:
    operator, clock = Operator(state_dir=str(tmp_path)), Clock()
    async with lock("acme.bitrix24.ru", operator, clock, 0.0):
        with pytest.raises(SipsyncError, match="waited 600 s"):
            async with lock("acme.bitrix24.ru", operator, clock, 600.0):
                pytest.fail("two hold one lock")
    assert clock.time == pytest.approx(600)


async def test_without_a_note_of_its_holder_a_lock_is_refused_all_the_same(tmp_path: Path) -> None:
    with holding("acme.bitrix24.ru", tmp_path) as other:
        [note] = (tmp_path / "locks").glob("*.lock")
        note.write_text("nobody")
        with pytest.raises(SipsyncError, match="another process"):
            async with lock("acme.bitrix24.ru", Operator(state_dir=str(tmp_path)), SystemClock(), 0.0):
                pytest.fail("two processes hold one lock")
        other.communicate("go\n")


async def test_who_waits_goes_on_when_the_other_is_done(tmp_path: Path) -> None:
    with holding("acme.bitrix24.ru", tmp_path) as other:
        assert other.stdin is not None
        stdin = other.stdin

        def release(_seconds: float) -> None:
            stdin.write("go\n")
            stdin.flush()

        async with lock("acme.bitrix24.ru", Operator(state_dir=str(tmp_path)), SystemClock(), 60.0, release):
            [note] = (tmp_path / "locks").glob("*.lock")
            assert int(note.read_text()) == os.getpid()


async def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    with holding("acme.bitrix24.ru", tmp_path) as other:
        other.kill()
    async with lock("acme.bitrix24.ru", Operator(state_dir=str(tmp_path)), SystemClock(), 0.0):
        pass


async def test_other_hosts_are_free(tmp_path: Path) -> None:
    operator = Operator(state_dir=str(tmp_path))
    async with lock("a.bitrix24.ru", operator, SystemClock(), 0.0), lock("b.bitrix24.ru", operator, SystemClock(), 0.0):
        assert len(list((tmp_path / "locks").glob("*.lock"))) == 2


async def test_two_tasks_of_one_process_take_turns(tmp_path: Path) -> None:
    operator = Operator(state_dir=str(tmp_path))
    inside = 0

    async def work() -> None:
        nonlocal inside
        async with lock("acme.bitrix24.ru", operator, SystemClock(), 60.0):
            inside += 1
            await asyncio.sleep(0)
            assert inside == 1
            inside -= 1

    await asyncio.gather(*(work() for _ in range(4)))


async def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    operator = Operator(state_dir=str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        async with lock("acme.bitrix24.ru", operator, SystemClock(), 0.0):
            1 / 0  # noqa: B018
    async with lock("acme.bitrix24.ru", operator, SystemClock(), 0.0):
        pass


def test_processes_never_hold_one_lock_together(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    processes = [started(COUNT, "acme.bitrix24.ru", tmp_path) for _ in range(3)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert (tmp_path / "counter").read_text() == "60"


async def test_a_lock_that_cant_be_made_is_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = __import__("hashlib").sha256(b"acme.bitrix24.ru").hexdigest()
    (tmp_path / "locks" / f"{name}.lock").mkdir(parents=True)
    with pytest.raises(SipsyncError, match="is a directory") as caught:
        async with lock("acme.bitrix24.ru", Operator(state_dir=str(tmp_path)), SystemClock(), 0.0):
            pytest.fail("a folder was locked")
    assert caught.value.code is Code.UNWRITABLE


async def test_a_file_system_without_locks_is_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", missing)
    with pytest.raises(SipsyncError, match="no locks available") as caught:
        async with lock("acme.bitrix24.ru", Operator(state_dir=str(tmp_path)), SystemClock(), 0.0):
            pytest.fail("nothing was locked")
    assert "SIPSYNC_STATE_DIR" in caught.value.diagnostics[0].hint
