"""Reading and laying out are linear in the text, counted in steps rather than seconds, and findings are bounded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest
import ruamel.yaml

import sipsync
from sipsync.config.names import NameLook
from sipsync.config.reader.mask import clean, shown_key
from sipsync.config.reader.nodes import MAX_FINDINGS
from sipsync.config.reader.source import Source
from sipsync.config.writer.layout import format_text
from sipsync.model.problems import Code, ConfigError
from support.files import HEAD, load_text

if TYPE_CHECKING:
    from _typeshed import TraceFunction

CODE = (str(Path(sipsync.__file__).parent), str(Path(ruamel.yaml.__file__).parent))
SHAPES: dict[str, Callable[[int], str]] = {
    "mistakes": lambda n: "".join(f"  l{i}: {{title: T{i}, config_id: {i + 1}, nope: 1}}\n" for i in range(n)),
    "mistakes in one line": lambda n: f"  a: {{{', '.join(f'b{i}: 1' for i in range(n))}}}\n",
    "duplicate keys in one line": lambda n: f"  a: {{{'title: 1, ' * n}}}\n",
    "duplicate keys before an error": lambda n: "  a: {title: x}\n" * n + "  '\n",
    "tags before an error": lambda n: "".join(f"  b{i}: !x y\n" for i in range(n)) + "  '\n",
    "merge keys of no mappings": lambda n: f"  a: {{<<: [{'1, ' * n}]}}\n",
    "comments": lambda n: "  a: {title: x}\n" + "  # c\n" * n,
    "carriage returns": lambda n: "".join(f"\r  a{i}:\r    title: t{i}" for i in range(n)),
    "one word": lambda n: f"  a: {{title: {'pass' * n}}}\n",
    "one number": lambda n: f"  a: {{title: {'1_' * n}x}}\n",
    "one key": lambda n: f"  {'pass=' * 10 * n}: {{title: x}}\n",  # long enough that libyaml takes neither
    "one glob": lambda n: f"  a: {{title: x}}\npolicy: {{protected: ['{'[a' * n}']}}\n",
    "globs": lambda n: f"  a: {{title: x}}\npolicy: {{protected: [{'a*, ' * n}]}}\n",
    "one long line": lambda n: f"  a: {{title: x, {' ' * 90 * n}nope: 1}}\n",
    "lines in one line": lambda n: f"  ? {{{', '.join(f'a{i}: {{title: T{i}}}' for i in range(n))}}}\n  : x\n",
    "one text of many lines": lambda n: "  a:\n    title: >\n" + "      a\n" * n,
    "an open quote": lambda n: "  a: 'x\n" + "    y\n" * n,
    "one path": lambda n: f"  a: {{title: x, password: 'file:{'a/' * n}'}}\n",
    "directories of an include": lambda n: f"  a: {{title: x}}\ninclude: ['{'a/' * n}']\n",
    "documents": lambda n: "".join(f"---\n{HEAD.replace('acme', f'a{i}')}" for i in range(n)),
    "asterisks": lambda n: f"  a: {{title: '{'*' * n}'}}\n  b: {{title: '{'*x: ' * n}'}}\n",
    "one config_id": lambda n: "".join(f"  a{i}: {{config_id: 1}}\n" for i in range(n)),
}


def steps(work: Callable[[], object]) -> int:
    """Lines of our own code, and of what reads YAML, that are run."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> TraceFunction | None:
        nonlocal count
        if not frame.f_code.co_filename.startswith(CODE):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()  # who measures coverage
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def laid_out(text: str) -> None:
    with suppress(ConfigError):
        format_text(text, "acme.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_ten_times_the_text_takes_no_square_of_the_steps(tmp_path: Path, shape: Callable[[int], str]) -> None:
    few, many = (f"{HEAD}lines:\n{shape(n)}" for n in (30, 300))
    load_text(tmp_path, few)  # what is made once in a process
    assert steps(lambda: load_text(tmp_path, many)) < 15 * steps(lambda: load_text(tmp_path, few))
    assert steps(lambda: laid_out(many)) < 15 * steps(lambda: laid_out(few))
    assert steps(lambda: load_text(tmp_path, many, portals=("x",))) < 15 * steps(
        lambda: load_text(tmp_path, few, portals=("x",))
    )


@pytest.mark.parametrize("word", ["*", "* ", "*x", "? ", "include: [", "name :", "\n\n", " #"])
def test_a_text_of_any_length_is_looked_at_for_a_name(tmp_path: Path, word: str) -> None:
    names = NameLook(tmp_path, ("x",)).names(Source("acme.yaml", word * (2_000_000 // len(word))))
    assert names in (None, {"acme"})


@pytest.mark.parametrize("word", ["pass", "a", "1_", "//a:", "/rest/1", " ", "ab "])
def test_a_text_of_any_length_is_masked(word: str) -> None:
    text = word * 100_000
    assert clean(f"{text}= hunter2").endswith("***" if word == "pass" else "hunter2")
    assert len(shown_key(text)) < 300


def test_a_thousand_findings_of_a_file_are_told_and_errors_before_warnings(tmp_path: Path) -> None:
    lines = "".join(f"  l{i}: {{title: T{i}, password: env:PW}}\n" for i in range(MAX_FINDINGS + 50))
    loaded = load_text(tmp_path, f"{HEAD}lines:\n{lines}  bad: {{title: T0}}\n")
    assert len(loaded.diagnostics) == MAX_FINDINGS
    assert loaded.diagnostics[0].code is Code.DUPLICATE_TITLE
    assert loaded.diagnostics[-1].code is Code.TOO_LARGE
    assert loaded.diagnostics[-1].severity == "error"
    assert loaded.portals == ()


def test_includes_are_merged_a_bounded_number_of_times_for_each_portal(tmp_path: Path) -> None:
    one, three = "include: [_a.yaml]\n", "include: [" + "_b.yaml, " * 40 + "]\n"
    files = {"_a.yaml": three, "_b.yaml": three.replace("_b", "_c"), "_c.yaml": "defaults: {server: a}\n"}
    (diagnostic,) = load_text(tmp_path, HEAD + one, files).diagnostics
    assert diagnostic.code is Code.INCLUDE
    assert "more than 255 includes" in diagnostic.summary
