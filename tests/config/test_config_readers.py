"""Two readers of YAML behind one door: the quick one, and ruamel.yaml, which has the last word."""

from __future__ import annotations

import gc
import pickle
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from fuzz.readers import compare, document
from fuzz.targets import kept
from sipsync.config.reader import yaml
from sipsync.config.reader.nodes import MAX_DEPTH, MAX_NODES, Mapping, Tree
from sipsync.config.reader.quick import quick_tree
from sipsync.config.reader.source import Source
from sipsync.model.problems import Span
from support.files import HEAD, load_text

PLAIN = (
    "a: 1\nb:\n  - x\n  - 'y z'\nc: {d: \"e\", f: [g, h]}  # i\n",
    "Ж: 😀\r\nб:\r\n  - a # b\r\nв:\r\n",
    "--- # c\na:\n---\n- b\n-\n",
    "a: {b: env:X, c:   , d}\n",
    "# nothing\n",
)
LEFT_TO_RUAMEL = (
    *("a:\tb", "a: b\x85c", "a: b\u2028c", "a: b\u2029c", "a: \ufeffb", "a: b\n...\nc: d\n...\n", "a: b\r...\r"),
    *("a: |\n  b\n", "a: >-\n  b\n", "a: !x b", "a: !!str b", "a: ! b", "!x {a: b}", "a: &x b", "a: *x", "&x a: b"),
    *("%YAML 1.1\n---\na: b", "%TAG ! x\n---\na: b", "<<: {a: b}", "'<<': b", "a: 1\na: 2", "{a: 1, a: 2}"),
    *("? [a]\n: b", "? {a: b}\n", "[a]: b", ": a", "a: 'b", "a: [b", "a: @b", "a: b: c", "a\nb: c", 'a: "\\ud800"'),
    *("a: \x07", "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), f"[{'a,' * MAX_NODES}]", f"[{'[],' * MAX_NODES}]"),
)


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_plain_is_read_quickly_and_the_same(text: str) -> None:
    assert compare(text)


@pytest.mark.parametrize("text", LEFT_TO_RUAMEL, ids=range(len(LEFT_TO_RUAMEL)))
def test_what_could_be_read_otherwise_or_is_wrong_is_left_to_ruamel(text: str) -> None:
    assert not compare(text)


def test_both_read_hundreds_of_hostile_documents_the_same() -> None:
    documents = [document(Random(number), kept("yaml")) for number in range(400)]
    assert sum(map(compare, documents)) > 100


@pytest.mark.parametrize("text", [*PLAIN, *LEFT_TO_RUAMEL[:-3]])
def test_where_pyyaml_has_no_libyaml_ruamel_reads_everything(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = load_text(tmp_path, f"{HEAD}{text}")
    monkeypatch.setitem(sys.modules, "yaml._yaml", None)
    assert quick_tree(Source("x", "a: b")) is None
    assert load_text(tmp_path, f"{HEAD}{text}") == usual


LINES = f"""{HEAD}lines:
  sales: {{title: Sales, server: sip.example, password: env:SALES}}
removed:
  old: {{config_id: 7, title: Old}}
"""


def test_a_place_is_worked_out_when_it_is_asked_for_and_then_is_any_other(tmp_path: Path) -> None:
    (portal,) = load_text(tmp_path, LINES).portals
    (line,) = portal.lines
    shown = "  sales: {title: Sales, server: sip.example, password: env:SALES}"
    file = (tmp_path / "acme.yaml").as_posix()
    assert line.places["server"] == Span(file, 6, 33, 44, shown)
    assert hash(line.at) == hash(Span(file, 6, 3, 8, shown))
    assert Span(file, 6, 3, 8, shown) == line.at != Span(file, 6, 3)
    assert str(portal.removed[0].at) == f"{file}:8:3"
    assert type(line.at) is not Span
    assert replace(line.at, file="b").line == 6
    assert type(pickle.loads(pickle.dumps(line)).at) is Span
    assert pickle.loads(pickle.dumps(line)) == line
    assert not hasattr(line.at, "width")


def test_a_file_is_read_again_for_an_excerpt_alone_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (portal,) = load_text(tmp_path, LINES).portals
    read: list[str] = []

    def reading(source: Source) -> Tree | None:
        read.append(source.name)
        return quick_tree(source)

    monkeypatch.setattr(yaml, "quick_tree", reading)
    (line,) = portal.lines
    assert (line.at.line, line.at.column, line.at.file) == (6, 3, (tmp_path / "acme.yaml").as_posix())
    assert str(portal.at).endswith("acme.yaml:2:1")
    assert read == []
    assert line.at.excerpt == line.places["title"].excerpt
    assert len(read) == 1


def test_no_node_outlives_the_loading(tmp_path: Path) -> None:
    def nodes() -> int:
        gc.collect()
        return sum(isinstance(each, Mapping) for each in gc.get_objects())

    before = nodes()
    loaded = load_text(tmp_path, f"{LINES}include: [base.yaml]\n", {"base.yaml": "defaults: {login: a}\n"})
    assert loaded.portals
    assert nodes() == before


def test_an_excerpt_hides_what_is_secret_after_the_nodes_are_gone(tmp_path: Path) -> None:
    text = LINES.replace("env:SALES", "env:SALES, login: *x").replace("sip.example", "&x sip.example")
    for written, hidden in ((LINES, "env:SALES}"), (text, "env:SALES, login: ***")):
        (portal,) = load_text(tmp_path, written).portals
        assert portal.lines[0].at.excerpt.endswith(hidden)
