"""Saved plans."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.disk import planfile
from sipsync.model.fields import FieldName
from sipsync.model.message import Message
from sipsync.model.plan import Plan, PortalPlan
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError
from sipsync.model.snapshot import SavedLine, SavedPortal, SavedState

MARKED = "s3cr3t-in-the-file"


def a_plan(**changed: object) -> Plan:
    part = PortalPlan(
        portal="acme",
        host="acme.bitrix24.ru",
        owner="webhook",
        created="2026-11-23T00:00:00Z",
        diagnostics=(Diagnostic(Code.UNMANAGED, Message("1 line in Bitrix24 is not in your file: «Склад» [red]")),),
        digest="0" * 64,
        seal="1" * 64,
    )
    return Plan(timestamp="2026-11-23T00:00:00Z", parts=(part,)).model_copy(update=changed)


def refused(path: Path) -> Diagnostic:
    with pytest.raises(SipsyncError) as caught:
        planfile.read(path)
    assert caught.value.exit is Exit.ERROR
    assert MARKED not in str(caught.value)
    assert caught.value.__cause__ is None
    [diagnostic] = caught.value.diagnostics
    assert diagnostic.code is Code.PLAN_UNREADABLE
    assert diagnostic.hint
    return diagnostic


def test_a_saved_plan_is_read_as_it_was(tmp_path: Path) -> None:
    planfile.write(tmp_path / "p.json", a_plan())
    assert planfile.read(tmp_path / "p.json") == a_plan()
    assert stat.S_IMODE((tmp_path / "p.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_a_plan_with_half_a_character_is_refused_and_with_a_whole_one_it_is_not(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(a_plan(timestamp="at \U0001f600").to_dict())
    (tmp_path / "p.json").write_text(text, encoding=encoding)
    assert planfile.read(tmp_path / "p.json").timestamp == "at \U0001f600"
    (tmp_path / "p.json").write_text(text.replace("\\ude00", ""), encoding=encoding)
    assert "half a character" in refused(tmp_path / "p.json").summary


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_plan_that_a_shell_encoded_anew_is_read(tmp_path: Path, encoding: str) -> None:
    planfile.write(tmp_path / "p.json", a_plan())
    text = (tmp_path / "p.json").read_text(encoding="utf-8")
    (tmp_path / "p.json").write_text(text, encoding=encoding)
    assert planfile.read(tmp_path / "p.json") == a_plan()


def test_a_plan_can_come_through_a_pipe(tmp_path: Path) -> None:
    planfile.write(tmp_path / "p.json", a_plan())
    reading, writing = os.pipe()
    os.write(writing, (tmp_path / "p.json").read_bytes())
    os.close(writing)
    try:
        assert planfile.read(type(tmp_path)(f"/dev/fd/{reading}")) == a_plan()
    finally:
        os.close(reading)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "p.json").summary


def test_a_folder_is_not_a_plan(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path).summary


def test_what_the_system_cant_open_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not a directory" in refused(tmp_path / "file" / "p.json").summary
    assert "can't be a file's name" in refused(tmp_path / "\0").summary


@pytest.mark.parametrize("keep", [1, 10, 200, -2])
def test_a_cut_plan_says_that_it_is_cut(tmp_path: Path, keep: int) -> None:
    planfile.write(tmp_path / "p.json", a_plan())
    (tmp_path / "p.json").write_bytes((tmp_path / "p.json").read_bytes()[:keep])
    assert "is cut off" in refused(tmp_path / "p.json").summary


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (f"password: {MARKED}".encode(), "is not JSON"),
        (b"\xff\xfe\xfa" + MARKED.encode(), "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (f'["{MARKED}"]'.encode(), "is not a sipsync plan"),
        (f'{{"a":"{MARKED}"}}'.encode(), "is not a sipsync plan"),
        (b'{"format_version":1,"sipsync_version":"1"}', "is not a sipsync plan"),
        (b'{"format_version":"1.2","terraform_version":"1.9"}', "is not a sipsync plan"),
        (b'{"format_version":"1.0","kind":"sipsync-state","sipsync_version":"1"}', "is a saved state"),
        (b'{"format_version":"1.0","sipsync_version":"1"}', "or was edited"),
        (b'{"format_version":"one","sipsync_version":"1"}', "or was edited"),
    ],
)
def test_what_is_not_a_plan_is_told_without_quoting_it(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "p.json").write_bytes(content)
    assert what in refused(tmp_path / "p.json").summary


def edited(tmp_path: Path, **changed: object) -> Path:
    planfile.write(tmp_path / "p.json", a_plan())
    document = json.loads((tmp_path / "p.json").read_bytes()) | changed
    (tmp_path / "p.json").write_text(json.dumps(document))
    return tmp_path / "p.json"


@pytest.mark.parametrize("version", ["2.0", "10.3", "3"])
def test_a_newer_format_asks_for_an_upgrade(tmp_path: Path, version: str) -> None:
    with pytest.raises(SipsyncError) as caught:
        planfile.read(edited(tmp_path, format_version=version))
    assert caught.value.code is Code.PLAN_TOO_NEW
    assert "Upgrade sipsync" in caught.value.diagnostics[0].hint


def test_a_newer_minor_format_is_read_where_it_adds_nothing_to_the_parts(tmp_path: Path) -> None:
    assert planfile.read(edited(tmp_path, format_version="1.7", novelty=1)).parts == a_plan().parts


def test_a_newer_minor_format_that_adds_to_the_parts_asks_for_an_upgrade(tmp_path: Path) -> None:
    with pytest.raises(SipsyncError) as caught:
        planfile.read(edited(tmp_path, format_version="1.7", calls=[{"portal": "acme", "novelty": 1}]))
    assert caught.value.code is Code.PLAN_TOO_NEW


@given(key=st.sampled_from(sorted(a_plan().to_dict())), value=st.none() | st.integers() | st.text() | st.just([None]))
def test_any_odd_edit_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    path = edited(tmp_path_factory.mktemp("edit"), **{key: value})
    with suppress(SipsyncError):
        assert isinstance(planfile.read(path), Plan)


def test_a_file_too_large_for_a_plan_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_bytes(b"{" + b" " * 2 * 1024**2)
    with pytest.raises(SipsyncError, match="larger than 1 MiB") as caught:
        planfile.read(tmp_path / "p.json", max_bytes=1024**2)
    assert caught.value.code is Code.PLAN_UNREADABLE


def test_a_plan_that_cant_be_saved_is_not_lost_and_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(SipsyncError) as caught:
        planfile.write(tmp_path / "missing" / "p.json", a_plan())
    assert caught.value.code is Code.UNWRITABLE
    assert "no such file or directory" in str(caught.value)
    assert "not lost" in caught.value.diagnostics[0].hint


def a_state() -> SavedState:
    values: dict[FieldName, str] = {"title": "Склад", "server": "sip.example", "login": "0045", "password": "env:PW"}
    line = SavedLine(config_id=69, type="cloud", values=values)
    portal = SavedPortal(
        portal="acme", host="acme.bitrix24.ru", owner="webhook", taken="2026-11-23T00:00:00Z", lines=(line,), names={}
    )
    return SavedState(timestamp="2026-11-23T00:00:00Z", portals=(portal,))


def test_a_saved_state_is_read_as_it_was(tmp_path: Path) -> None:
    planfile.write_state(tmp_path / "s.json", a_state())
    assert planfile.read_state(tmp_path / "s.json") == a_state()


def test_a_saved_state_in_another_form_is_refused_with_a_sentence(tmp_path: Path) -> None:
    planfile.write_state(tmp_path / "s.json", a_state())
    text = (tmp_path / "s.json").read_text().replace('"values":', '"fields":')
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(SipsyncError, match="is not a sipsync saved state, or was edited"):
        planfile.read_state(tmp_path / "s.json")


def test_a_state_is_no_plan_and_a_plan_no_state(tmp_path: Path) -> None:
    planfile.write_state(tmp_path / "s.json", a_state())
    assert "is a saved state, not a plan" in refused(tmp_path / "s.json").summary
    planfile.write(tmp_path / "p.json", a_plan())
    with pytest.raises(SipsyncError, match="is not a saved state") as caught:
        planfile.read_state(tmp_path / "p.json")
    assert caught.value.code is Code.SNAPSHOT
