"""Seeds, dumps and the file they are kept in."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sipsync.model.problems import Code, SipsyncError
from sipsync.sandbox import Options, dump_portal, embedded, seed_portal, seeds
from sipsync.sandbox.store import Store
from support.clock import Clock
from support.sandbox import LINE, Stage

ADD = {"SERVER": "sip.example", "LOGIN": "u"}


def on(path: Path, **more: Any) -> Stage:
    return Stage(Options(db=str(path), **more))


async def test_what_is_written_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "portal.sandbox"
    stage = on(path, apps=("appa",))
    await stage.seed(
        {**LINE, "registration": {"code": 403, "message": "no"}},
        {**LINE, "config_id": 70, "title": None, "app": "appa", "reg_id": 0, "status_code": None},
        {"type": "office", "title": "Office", "server": "s", "login": "u", "password": None},
        configs=[{"name": None, "mode": "LINK", "number": "7916"}],
        default_line="sip1",
        access={"right": True, "scope": "telephony"},
    )
    await stage.call("voximplant.sip.add", **ADD)
    await stage.call("voximplant.sip.delete", CONFIG_ID=69)
    before, apps = await stage.control("dump"), stage.sandbox.apps.shown("")
    stage.sandbox.store.close()
    stage = on(path, apps=("appa", "appb"))
    assert await stage.control("dump") == before
    assert stage.sandbox.apps.shown("")["appa"] == apps["appa"]
    row = await stage.result("voximplant.sip.add", **ADD)
    assert (row["CONFIG_ID"], row["REG_ID"]) == ("73", before["lines"][-1]["reg_id"] + 1)
    stage.sandbox.store.close()


async def test_two_servers_of_one_file_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "portal.sandbox"
    one, other = on(path, apps=("appa",)), on(path, apps=("appa",))
    await one.call("voximplant.sip.add", **ADD)
    assert len(await other.result("voximplant.sip.get")) == 1
    await other.call("voximplant.sip.update", CONFIG_ID=1, TITLE="Theirs")
    assert (await one.result("voximplant.sip.get"))[0]["TITLE"] == "Theirs"
    row = await one.result("voximplant.sip.add", **ADD)
    assert row["CONFIG_ID"] == "2"
    await other.http.post("/_sandbox/expire")
    token = one.sandbox.apps.shown("")["appa"]["access_token"]
    answer = await one.http.post("/rest/profile", json={"auth": token})
    assert answer.json()["error"] == "expired_token"
    assert len((await other.control("dump"))["lines"]) == 2
    one.sandbox.store.close()
    other.sandbox.store.close()


async def test_what_fails_amid_a_request_is_not_stored(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "portal.sandbox"))

    def fail() -> None:
        with store.writing():
            store.replace(seeds.load_seed("", {"lines": [LINE]}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not store.portal("").state.rows
    store.close()


@pytest.mark.parametrize("name", ["folder", "text"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no database, " * 100)
    with pytest.raises(SipsyncError) as caught:
        seed_portal(str(tmp_path / name), {})
    assert caught.value.code is Code.FILE_UNREADABLE


def test_a_dump_can_be_used_as_a_seed(tmp_path: Path) -> None:
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    assert seed_portal(one, {"lines": [LINE], "configs": [{"name": "+7", "mode": "RENT", "number": "7"}]}) == 1
    seed_portal(other, dump_portal(one))
    assert dump_portal(other) == dump_portal(one)
    assert dump_portal(other, "acme")["lines"] == []


def test_without_the_web_server_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("sipsync.sandbox.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    with pytest.raises(SipsyncError) as caught:
        embedded(":memory:", clock=Clock(), keep=False)
    assert caught.value.code is Code.EXTRA_MISSING
    assert "uvicorn<1,>=0.40" in caught.value.diagnostics[0].hint


def test_a_seed_may_be_yaml() -> None:
    seed = seeds.read("lines:\n- title: Продажи\n  server: sip.example\n  login: '0045'\n", "seed.yaml")
    portal = seeds.load_seed("", seed)
    (row,) = portal.state.rows.values()
    assert (row.config_id, row.type, row.title) == (1, "cloud", "Продажи")
    assert (row.values["login"], row.values["password"]) == ("0045", None)
    assert row.reg_id
    assert row.status_code == 200


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "neither JSON nor YAML"),
        ("- 1", "has to be a map"),
    ],
)
def test_a_text_that_is_no_seed_is_refused(text: str, problem: str) -> None:
    with pytest.raises(SipsyncError, match=problem):
        seeds.read(text, "seed.yaml")


@pytest.mark.parametrize(
    ("seed", "problem"),
    [
        ({"lines": {}, "x": 1}, "no 'x'"),
        ({"lines": "x"}, "has to be a list"),
        ({"lines": ["x"]}, "a line of a seed has to be a map"),
        ({"lines": [{"name": "x"}]}, "no 'name'"),
        ({"lines": [{"type": "pbx"}]}, "cloud or office"),
        ({"lines": [{"login": 45281811}]}, "put it in quotes"),
        ({"lines": [{"config_id": "69"}]}, "a whole number"),
        ({"lines": [{"reg_id": True}]}, "a whole number"),
        ({"lines": [{"config_id": 1}, {"config_id": 1}]}, "the same config_id"),
        ({"configs": [{"mode": "SIP"}]}, "one of RENT, GROUP, LINK"),
        ({"access": []}, "no error"),
        ({"access": "x"}, "has to be a map"),
    ],
)
def test_a_wrong_seed_says_what_is_wrong(seed: Any, problem: str) -> None:
    if problem == "no error":
        assert seeds.load_seed("", seed).access.right
        return
    with pytest.raises(SipsyncError, match=problem):
        seeds.load_seed("", seed)


def test_numbers_that_a_seed_leaves_out_are_free_ones() -> None:
    lines = [{**LINE, "config_id": 2}, {"title": "a"}, {"title": "b", "reg_id": 200_000}, {"title": "c"}]
    state = seeds.load_seed("", {"lines": lines, "configs": [{"name": "d", "mode": "GROUP"}]}).state
    assert [row.config_id for row in state.rows.values()] == [2, 1, 3, 4]
    assert [*state.others] == [5]
    assert len({row.reg_id for row in state.rows.values()}) == 4


def test_the_file_is_a_database_that_people_can_read(tmp_path: Path) -> None:
    path = tmp_path / "portal.sandbox"
    seed_portal(str(path), {"lines": [LINE]})
    database = sqlite3.connect(path)
    assert database.execute("SELECT config_id, title FROM lines").fetchall() == [(69, "Sales")]
    database.close()


def test_a_file_of_before_a_field_was_managed_gets_its_column(tmp_path: Path) -> None:
    path = str(tmp_path / "portal.sandbox")
    seed_portal(path, {"lines": [LINE]})
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE lines DROP COLUMN login")
    (line,) = dump_portal(path)["lines"]
    assert (line["title"], line["login"]) == (LINE["title"], None)
