"""Which files are portals, how their bytes become text, and what they include."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sipsync.config.load import Loaded, find_root, load
from sipsync.config.paths import read_source
from sipsync.config.reader.source import MAX_BYTES
from sipsync.model.lines import WebhookAccess
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, ConfigError
from support.files import HEAD, SCHEMES, load_text, write

ONE = "sipsync: 1\nportal: {webhook: env:A}\n"


def load_paths(root: Path, *paths: Path) -> Loaded:
    return load(list(paths), Operator(root=str(root)), SCHEMES)


def names(loaded: Loaded) -> list[str]:
    assert loaded.diagnostics == ()
    return [portal.name for portal in loaded.portals]


def only_code(loaded: Loaded) -> Code:
    (diagnostic,) = loaded.diagnostics
    assert diagnostic.hint
    return diagnostic.code


def test_a_folder_is_searched_for_marked_files_and_hidden_names_are_skipped(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "b.yaml": ONE,
            "a/c.yml": '---\n{"sipsync": 1, portal: {webhook: env:A}}\n',
            "_base.yaml": ONE,
            ".x.yaml": ONE,
            "_off/d.yaml": ONE,
            ".git/e.yaml": ONE,
            "values.yaml": "a: [",
            "note.txt": ONE,
        },
    )
    assert names(load_paths(tmp_path, tmp_path)) == ["b", "c"]


def test_without_a_path_sipsync_yaml_is_read_or_else_the_folder_portals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert only_code(load_paths(tmp_path)) is Code.FILE_NOT_FOUND
    write(tmp_path, {"portals/a.yaml": ONE})
    assert names(load_paths(tmp_path)) == ["a"]
    write(tmp_path, {"sipsync.yaml": ONE})
    assert names(load_paths(tmp_path)) == ["sipsync"]


def test_one_file_named_twice_is_one_portal(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": ONE})
    assert names(load_paths(tmp_path, tmp_path / "a.yaml", tmp_path)) == ["a"]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"empty/x.txt": "", "others/values.yaml": "a: 1\n", "plain.yaml": "a: 1\n", "void.yaml": ""})
    assert only_code(load_paths(tmp_path, tmp_path / "nope.yaml")) is Code.FILE_NOT_FOUND
    assert only_code(load_paths(tmp_path, tmp_path / "empty")) is Code.NO_PORTALS
    assert ": 1" in load_paths(tmp_path, tmp_path / "others").diagnostics[0].summary
    assert only_code(load_paths(tmp_path, tmp_path / "plain.yaml")) is Code.NO_MARKER
    assert only_code(load_paths(tmp_path, tmp_path / "void.yaml")) is Code.NO_MARKER


def test_a_portal_whose_marker_was_forgotten_is_not_skipped_in_silence(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": ONE, "b.yaml": "portal:\n  webhook: env:B\nlines: {}\n"})
    assert only_code(load_paths(tmp_path, tmp_path)) is Code.NO_MARKER


def test_names_that_not_every_system_takes_are_errors(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": ONE, "A.yaml": "sipsync: 1\nportal: {name: other, webhook: env:A}\n"})
    assert only_code(load_paths(tmp_path, tmp_path)) is Code.FILE_NAME
    write(tmp_path, {"dev/nul.yaml": ONE, "dev/Com1.x.yaml": ONE})
    assert [d.code for d in load_paths(tmp_path, tmp_path / "dev").diagnostics] == [Code.FILE_NAME] * 2


def test_a_device_named_on_the_command_line_is_an_error_too(tmp_path: Path) -> None:
    write(tmp_path, {"aux.yaml": ONE})
    assert only_code(load_paths(tmp_path, tmp_path / "aux.yaml")) is Code.FILE_NAME


def test_a_file_in_a_folder_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xc3\x28")
    assert only_code(load_paths(tmp_path, tmp_path)) is Code.ENCODING


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"out/a.yaml": ONE, "in/b.yaml": ONE})
    (tmp_path / "in/a.yaml").symlink_to(tmp_path / "out/a.yaml")
    loaded = load_paths(tmp_path / "in", tmp_path / "in")
    assert only_code(loaded) is Code.FILE_UNREADABLE


def test_a_file_that_can_not_be_read_is_an_error(tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    assert only_code(load_paths(tmp_path, tmp_path)) is Code.FILE_UNREADABLE
    with pytest.raises(ConfigError) as caught:
        read_source(tmp_path, "a folder")
    assert caught.value.code is Code.FILE_UNREADABLE


def test_errors_of_all_files_come_in_one_run(tmp_path: Path) -> None:
    write(tmp_path, {f"p{n}.yaml": f"sipsync: 1\nportal: {{webhook: env:A, x{n}: 1}}\n" for n in range(5)})
    loaded = load_paths(tmp_path, tmp_path, tmp_path / "nope")
    assert [d.code for d in loaded.diagnostics].count(Code.UNKNOWN_KEY) == 5
    assert loaded.files == 5


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    (tmp_path / "a.yaml").write_bytes((mark + ONE + "lines: {a: {title: Склад}}\r\n").encode(encoding))
    loaded = load_paths(tmp_path, tmp_path)
    assert names(loaded) == ["a"]
    assert loaded.portals[0].lines[0].title == "Склад"


def test_other_encodings_are_refused_with_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    for data in (
        ONE.encode("utf-16-le"),
        (ONE + "lines: {a: {title: Склад}}").encode("cp1251"),
        b"\xff\xfe" + ONE.encode("utf-16-le") + b"x",
    ):
        path.write_bytes(data)
        loaded = load_paths(tmp_path, path)
        assert only_code(loaded) is Code.ENCODING
        assert "UTF-8" in loaded.diagnostics[0].hint
    path.write_bytes((ONE + "lines: {a: {title: Склад}}").encode("cp1251"))
    assert str(load_paths(tmp_path, path).diagnostics[0].at).endswith("a.yaml:3:20")


def test_a_file_of_more_than_4_mib_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(ONE + "#" * MAX_BYTES, encoding="utf-8")
    assert only_code(load_paths(tmp_path, path)) is Code.TOO_LARGE


def test_the_root_is_the_nearest_parent_with_git_or_else_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"r/a/b/x.yaml": ONE, "r/c/y.yaml": ONE})
    assert find_root([tmp_path / "r/a/b/x.yaml"]) == tmp_path / "r/a/b"
    assert find_root([tmp_path / "r/a"]) == tmp_path / "r/a"
    assert find_root([tmp_path / "r/a", tmp_path / "r/c/y.yaml"]) == tmp_path / "r"
    (tmp_path / "r/.git").mkdir()
    assert find_root([tmp_path / "r/a/b/x.yaml"]) == tmp_path / "r"
    monkeypatch.chdir(tmp_path / "r/c")
    assert find_root([]) == tmp_path / "r"

    def no_common_path(paths: list[Path]) -> str:
        raise ValueError

    monkeypatch.setattr(os.path, "commonpath", no_common_path)
    assert find_root([tmp_path / "r/a"]) == tmp_path / "r"


@pytest.mark.parametrize("path", [None, ".", "portals", "portals/eu/acme.yaml"])
def test_a_file_has_one_root_whether_it_is_named_or_found(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path,
        {"base.yaml": "policy: {create: true}\n", "portals/eu/acme.yaml": f"include: [../../base.yaml]\n{ONE}"},
    )
    monkeypatch.chdir(tmp_path)
    paths = [Path(path)] if path else []
    assert find_root(paths) == tmp_path
    assert names(load_paths(find_root(paths), *paths)) == ["acme"]


def test_a_run_inside_of_the_folder_does_not_leave_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"portals/one/sipsync.yaml": ONE})
    monkeypatch.chdir(tmp_path / "portals/one")
    assert find_root([]) == find_root([Path("sipsync.yaml")]) == tmp_path / "portals/one"


@pytest.mark.parametrize("link", ["portals", "portals/deep", "portals/inner"])
def test_a_link_in_a_checkout_does_not_lead_to_the_root_of_another(tmp_path: Path, link: str) -> None:
    for git in ("ours/.git", "theirs/.git", "theirs/inner/.git"):
        (tmp_path / git).mkdir(parents=True)
    (tmp_path / "theirs/deep").mkdir()
    (tmp_path / "ours/portals").symlink_to(tmp_path / "theirs")
    assert find_root([tmp_path / "ours" / link]) == tmp_path / "ours"
    (tmp_path / "there").symlink_to(tmp_path / "theirs")
    assert find_root([tmp_path / "there/inner"]) == tmp_path / "theirs/inner"


# --- include ---


def test_included_sections_lie_under_the_file_and_later_ones_over_earlier_ones(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        "sipsync: 1\ninclude: [_a.yaml, sub/_b.yaml]\nportal: {webhook: env:OWN}\ndefaults: {login: own}\n"
        "lines: {a: {title: A}}\n",
        {
            "_a.yaml": "portal: {name: low, limits: {burst: 7, rate: 1}}\ndefaults: {server: low, login: low}\n",
            "sub/_b.yaml": "include: [../_c.yaml]\nportal: {sandbox: x.db, limits: {rate: 3}}\n"
            "defaults: {server: high}\n",
            "_c.yaml": "policy: {create: true}\ndefaults: {server: lowest}\n",
        },
    )
    assert loaded.diagnostics == ()
    (portal,) = loaded.portals
    assert portal.access == WebhookAccess(portal.access.url)  # type: ignore[union-attr]  # the file's own way
    assert (portal.name, portal.limits.burst, portal.limits.rate) == ("low", 7, 3.0)
    assert portal.lines[0].values == {"title": "A", "server": "high", "login": "own"}
    assert portal.policy.create
    assert portal.file.endswith("acme.yaml")


def test_a_portal_may_come_from_an_include_as_a_whole(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path, "sipsync: 1\ninclude: [_a.yaml]\n", {"_a.yaml": "portal: {name: x, webhook: 'file:hook'}\n"}
    )
    assert loaded.diagnostics == ()
    assert (loaded.portals[0].file.endswith("acme.yaml"), loaded.portals[0].at.line) == (True, 1)


def test_a_mistake_in_an_included_file_is_told_once_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, {"_base.yaml": "defaults:\n  server: http://x\n  pasword: a\n"})
    for name in ("a", "b"):
        write(tmp_path, {f"{name}.yaml": f"include: [_base.yaml]\n{ONE}"})
    loaded = load_paths(tmp_path, tmp_path)
    assert sorted(str(d.at).rpartition("/")[2] for d in loaded.diagnostics) == ["_base.yaml:2:11", "_base.yaml:3:3"]


@pytest.mark.parametrize(
    ("included", "code", "words"),
    [
        ({}, Code.INCLUDE, "not there"),
        ({"_a.yaml": "include: [acme.yaml]\n"}, Code.INCLUDE, "circle"),
        ({"_a.yaml": "include: [_a.yaml]\n"}, Code.INCLUDE, "circle"),
        ({"_a.yaml": "lines: {}\n"}, Code.UNKNOWN_KEY, "lines"),
        ({"_a.yaml": "a\n"}, Code.WRONG_TYPE, "mapping"),
        ({"_a.yaml": "defaults: {}\n---\ndefaults: {}\n"}, Code.INCLUDE, "one document"),
        ({"_a.yaml": "a: [\n"}, Code.SYNTAX, "closed"),
        ({"_a.yaml": "defaults: x\n"}, Code.WRONG_TYPE, "defaults"),
    ],
)
def test_a_wrong_include_is_an_error(tmp_path: Path, included: dict[str, str], code: Code, words: str) -> None:
    loaded = load_text(tmp_path, HEAD + "include: [_a.yaml]\n", included)
    assert only_code(loaded) is code
    assert words in loaded.diagnostics[0].summary


def test_an_include_from_outside_of_the_root_is_refused_through_links_too(tmp_path: Path) -> None:
    write(tmp_path, {"_out.yaml": "defaults: {}\n"})
    (tmp_path / "r").mkdir()
    (tmp_path / "r/_link.yaml").symlink_to(tmp_path / "_out.yaml")
    for name in ("../_out.yaml", "_link.yaml"):
        loaded = load_text(tmp_path / "r", HEAD + f"include: [{name}]\n")
        assert only_code(loaded) is Code.INCLUDE
        assert "outside" in loaded.diagnostics[0].summary


def test_an_included_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "_a.yaml").write_bytes(b"\xc3\x28")
    assert only_code(load_text(tmp_path, HEAD + "include: [_a.yaml]\n")) is Code.ENCODING


def test_a_wrong_type_of_include_is_an_error(tmp_path: Path) -> None:
    assert only_code(load_text(tmp_path, HEAD + "include: _a.yaml\n")) is Code.WRONG_TYPE


def test_a_secret_on_another_drive_than_the_root_keeps_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_relative_path(path: Path, start: Path) -> str:
        raise ValueError

    monkeypatch.setattr(os.path, "relpath", no_relative_path)
    loaded = load_text(tmp_path, HEAD.replace("env:ACME_WEBHOOK", "file:pw"))
    access = loaded.portals[0].access
    assert isinstance(access, WebhookAccess)
    assert access.url.rest == f"{tmp_path.as_posix()}/pw"


def test_windows_paths_are_taken_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD.replace("env:ACME_WEBHOOK", r"file:C:\secrets\pw")
    assert only_code(load_text(tmp_path, text)) is Code.BAD_VALUE
    monkeypatch.setattr("sipsync.config.refs._WINDOWS", True)
    assert load_text(tmp_path, text).diagnostics == ()
