"""What reads an embedded portal makes no file and changes none, wherever the file that names it points."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Any

import pytest

import sipsync
from sipsync import api
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, ConfigError, Exit
from sipsync.sandbox import dump_portal, seed_portal
from sipsync.sandbox.store import Store
from support.clock import Clock

LINE = {"type": "cloud", "title": "A", "server": "s.example", "login": "a", "password": "p", "app": None}


def fleet(folder: Path, sandbox: str = "portal.sqlite") -> sipsync.Fleet:
    policy = "policy: {create: true}\nlines: {n: {title: New, server: s.example, login: n}}\n"
    (folder / "acme.yaml").write_text(f"sipsync: 1\nportal: {{sandbox: '{sandbox}'}}\n{policy}", encoding="utf-8")
    return sipsync.load([folder / "acme.yaml"], operator(folder))


def operator(folder: Path) -> Operator:
    return Operator.from_environ({"SIPSYNC_STATE_DIR": str(folder.parent / "state")}, str(folder))


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def _planned(fleet: sipsync.Fleet) -> Any:
    return await sipsync.aplan(fleet)


async def _dry(fleet: sipsync.Fleet) -> Any:
    plan = await sipsync.aplan(fleet)
    assert plan.summary.add == 1
    return await sipsync.aapply(plan, fleet, sipsync.ApplyOptions(dry_run=True))


READING: list[Callable[[sipsync.Fleet], Awaitable[Any]]] = [
    _planned, _dry, api.astatus, api.adoctor, api.aread, api.asnapshot,
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "checkout"
    path.mkdir()
    return path


@pytest.mark.parametrize("read", READING)
@pytest.mark.parametrize("there", ["none", "empty", "seeded"])
async def test_nothing_that_only_reads_makes_or_changes_a_file(folder: Path, read: Any, there: str) -> None:
    portal = folder / "portal.sqlite"
    if there == "empty":
        portal.touch()
    if there == "seeded":
        seed_portal(str(portal), {"lines": [{**LINE, "config_id": 101}]})
    asked = fleet(folder)
    before = held(folder)
    await read(asked)
    assert held(folder) == before


async def test_an_apply_makes_the_portal(folder: Path) -> None:
    asked = fleet(folder)
    outcome = await sipsync.aapply(await sipsync.aplan(asked), asked)
    assert outcome.exit is Exit.OK
    assert [line["title"] for line in dump_portal(str(folder / "portal.sqlite"))["lines"]] == ["New"]


@pytest.mark.parametrize("crashed", [False, True])
async def test_what_another_process_has_written_is_read_with_it(folder: Path, crashed: bool) -> None:
    portal = folder / "portal.sqlite"
    store = Store(str(portal))
    with closing(sqlite3.connect(portal)) as other:
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("PRAGMA journal_mode=WAL")
        seed_portal(str(portal), {"lines": [{**LINE, "config_id": 101}]})
        assert (folder / "portal.sqlite-wal").stat().st_size > 0
        if crashed:
            os.unlink(folder / "portal.sqlite-shm")
        before = held(folder)
        (reading,) = await api.aread(fleet(folder))
        assert reading.snapshot is not None
        assert [line.title for line in reading.snapshot.lines] == ["A"]
        assert held(folder).keys() - {"acme.yaml"} == before.keys()
    store.close()


@pytest.mark.parametrize("what", ["folder", "pipe", "text"])
async def test_what_is_no_portal_s_file_is_told(folder: Path, what: str) -> None:
    portal = folder / "portal.sqlite"
    if what == "folder":
        portal.mkdir()
    elif what == "pipe":
        os.mkfifo(portal)
    else:
        portal.write_text("this is no database" * 100)
    plan = await sipsync.aplan(fleet(folder))
    assert [found.code for found in plan.diagnostics] == [Code.FILE_UNREADABLE]


@pytest.mark.parametrize("place", [".git/evil.db", ".GIT/evil.db", "link/evil.db", "sub/.git/hooks/x"])
def test_no_path_of_a_file_lies_below_git(folder: Path, place: str) -> None:
    (folder / ".git").mkdir()
    (folder / "link").symlink_to(".git", target_is_directory=True)
    with pytest.raises(ConfigError) as caught:
        fleet(folder, place)
    assert [found.code for found in caught.value.diagnostics] == [Code.BAD_VALUE]
    assert ".git" in str(caught.value.diagnostics[0].summary)
    (folder / ".git" / "inc.yaml").write_text("policy: {create: true}\n")
    text = "sipsync: 1\nportal: {sandbox: x.db}\nlines: {}\n"
    (folder / "acme.yaml").write_text(f"{text}include: [.git/inc.yaml]\n")
    with pytest.raises(ConfigError):
        sipsync.load([folder / "acme.yaml"], operator(folder))


async def test_a_run_is_the_same_to_the_letter_under_the_same_clock_and_chance(tmp_path: Path) -> None:
    async def run(seed: int) -> tuple[str, str, float, bytes]:
        folder = tmp_path / "all" / "checkout"
        folder.mkdir(parents=True)
        clock, asked = Clock(token=Random(seed).randbytes), fleet(folder)
        plan = await sipsync.aplan(asked, clock=clock)
        outcome = await sipsync.aapply(plan, asked, clock=clock)
        assert outcome.exit is Exit.OK
        key = (folder.parent / "state" / "plan.key").read_bytes()
        rmtree(folder.parent)
        return plan.to_json(), outcome.to_json(), clock.time, key

    assert await run(7) == await run(7) != await run(8)
