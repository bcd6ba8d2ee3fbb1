"""A run of one portal reads the files that can hold it, and no others; it misses none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sipsync.config.load import Loaded, load
from sipsync.config.names import NameLook
from sipsync.config.reader.source import Source
from sipsync.model.operator import Operator
from sipsync.secrets.known import KnownSchemes

PORTAL = "sipsync: 1\nportal: {webhook: env:HOOK}\nlines: {a: {config_id: 1}}\n"
NAMED = PORTAL.replace("{webhook", "{name: other, webhook")


def of(folder: Path, *portals: str) -> Loaded:
    return load([folder], Operator(root=str(folder)), KnownSchemes(), portals)


def names(loaded: Loaded) -> list[str]:
    return [portal.name for portal in loaded.portals]


def test_of_a_thousand_files_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "_base.yaml").write_text("policy: {create: true}\n")
    for number in range(1000):
        (tmp_path / f"p{number}.yaml").write_text(f"{PORTAL}include: [_base.yaml]\n")
    loaded = of(tmp_path, "p7")
    assert (loaded.files, names(loaded)) == (1, ["p7"])
    assert loaded.portals[0].policy.create


def test_a_glob_that_names_nothing_has_all_files_read(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(PORTAL)
    assert of(tmp_path, "a", "nobody").files == 3


def test_what_is_wrong_with_other_files_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PORTAL)
    (tmp_path / "b.yaml").write_text("sipsync: 1\nportal: [\n")
    (tmp_path / "c.yaml").write_text("portal: {}\nlines: {}\n")
    loaded = of(tmp_path, "a")
    assert (names(loaded), loaded.diagnostics) == (["a"], ())


def test_two_files_of_one_portal_are_seen_whichever_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(PORTAL)
    (tmp_path / "b.yaml").write_text(NAMED.replace("other", "Acme"))
    loaded = of(tmp_path, "acme")
    assert (names(loaded), [str(found.code) for found in loaded.diagnostics]) == ([], ["duplicate-portal"])


INCLUDES = {
    "in one line": "include: [_base.yaml]\n",
    "in quotes": "include: [\"_base.yaml\", '_base.yaml']\n",
    "one a line": "include:\n  - _more.yaml\n\n  # and\n  - _base.yaml\n",
    "with Windows' line ends": "include:\r\n  - _base.yaml\r\n",
    "folded": "include:\n  - _base.yaml\n    \n",
    "with a comment": "include:\n  - _base.yaml  # ours\n",
    "by an alias": "include: &i [_base.yaml]\n",
    "through another": "include: [_through.yaml]\n",
    "below a key that is written with an escape": '"incl\\u0075de": [_base.yaml]\n',
}


@pytest.mark.parametrize("how", INCLUDES)
def test_a_name_that_an_include_gives_is_found(how: str, tmp_path: Path) -> None:
    (tmp_path / "_base.yaml").write_text("portal:\n  name: acme\n")
    (tmp_path / "_more.yaml").write_text("policy: {create: true}\n")
    (tmp_path / "_through.yaml").write_text("include: [_base.yaml]\n")
    (tmp_path / "b.yaml").write_text(PORTAL + INCLUDES[how], newline="")
    (tmp_path / "c.yaml").write_text(PORTAL)
    assert names(of(tmp_path, "acme")) == ["acme"]


def test_an_include_that_is_not_there_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PORTAL)
    (tmp_path / "b.yaml").write_text(f"{PORTAL}include: [_missing.yaml]\n")
    (tmp_path / "c.yaml").write_text(f"{PORTAL}include: [../outside.yaml]\n")
    assert of(tmp_path, "a").files == 1


def test_a_long_chain_of_includes_is_left_to_the_reader(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"_{number}.yaml").write_text(f"include: [_{number + 1}.yaml]\n")
    (tmp_path / "a.yaml").write_text(PORTAL)
    (tmp_path / "b.yaml").write_text(f"{PORTAL}include: [_0.yaml]\n")
    assert names(of(tmp_path, "a")) == ["a"]


KEYS = ["name", '"name"', "'name'", '"n\\x61me"', "? name\n ", "? 'name'\n ", "&k name", "!!str name"]
VALUES = ["acme", '"acme"', "'acme'", "&n acme", "!!str acme", '"\\x61cme"', "acme # ours", "|-\n  acme", "\n  acme"]
LAYOUTS = [
    "sipsync: 1\nportal:\n {key}: {value}\n webhook: env:HOOK\nlines: {{}}\n",
    "{{sipsync: 1, portal: {{ {key}: {value}\n , webhook: env:HOOK}}, lines: {{}}}}\n",
    "sipsync: 1\nportal: &p\n {key}: {value}\n webhook: env:HOOK\nlines: {{}}\n",
    "sipsync: 1\ndefaults: &d {{server: a.example}}\nportal:\n webhook: env:HOOK\n {key}: {value}\nlines: {{}}\n",
    "sipsync: 1\nportal: {{webhook: env:A}}\nlines: {{}}\n---\nsipsync: 1\nportal:\n {key}: {value}\n webhook: env:B\n",
    "x: &k name\nsipsync: 1\nportal:\n *k : acme\n webhook: env:HOOK\nlines: {{}}\n",
    "# name: nobody\n# a 'quoted\n# name\nsipsync: 1\nportal:\n {key}: {value}\n webhook: env:HOOK\nlines: {{}}\n",
]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(LAYOUTS), st.sampled_from(KEYS), st.sampled_from(VALUES))
def test_however_a_name_is_written_it_is_found(tmp_path: Path, layout: str, key: str, value: str) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(layout.format(key=key, value=value))
    whole = load([file], Operator(root=str(tmp_path)), KnownSchemes())
    found = NameLook(tmp_path, ()).names(Source(file.as_posix(), file.read_text(), file))
    assert found is None or {*names(whole), *whole.broken} <= found
