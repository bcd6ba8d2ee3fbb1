"""Text to nodes: scalars keep their text, bombs are refused, positions are right."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipsync.config.reader.compose import MAX_ALIASES
from sipsync.config.reader.nodes import MAX_DEPTH, Mapping, Scalar, Sequence
from sipsync.config.reader.source import Source
from sipsync.config.reader.yaml import read
from sipsync.config.writer.layout import meaning
from sipsync.model.problems import Code

TEXTS = [
    "0045281811",
    "+74951234567",
    "1_000",
    "1e3",
    "yes",
    "2024-01-01",
    "0x1F",
    "12:30:00",
    "null",
    "~",
    "true",
    "08",
]


def parsed(text: str) -> object:
    roots, found = read(Source("f.yaml", text))
    assert not found
    return [meaning(root) for root in roots]


def refused(text: str) -> tuple[Code, str]:
    _, found = read(Source("f.yaml", text))
    (diagnostic,) = found
    assert diagnostic.hint
    return diagnostic.code, str(diagnostic)


@pytest.mark.parametrize("text", TEXTS)
def test_a_scalar_keeps_its_source_text_in_block_and_flow_style(text: str) -> None:
    assert parsed(f"a: {text}\nb: {{c: {text}, d: [{text}]}}") == [
        [("a", text), ("b", [("c", text), ("d", [text])])],
    ]


def test_merge_keys_and_aliases_are_resolved_and_own_keys_win() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  z: own\nd: *a\n"
    assert dict(parsed(text)[0])["c"] == [("x", "1"), ("y", "2"), ("z", "own")]  # type: ignore[index]  # tests
    assert dict(parsed(text)[0])["d"] == [("x", "1"), ("y", "2")]  # type: ignore[index]  # tests


def test_empty_documents_are_left_out() -> None:
    assert parsed("---\na: 1\n---\n---\nb: 2\n...\n") == [[("a", "1")], [("b", "2")]]
    assert parsed("") == []


def test_places_count_lines_and_columns_from_one() -> None:
    (root,), _ = read(Source("f.yaml", "a:\r\n  b: [x, 'y']\r\n"))
    assert isinstance(root, Mapping)
    inner = root.get("a")
    assert isinstance(inner, Mapping)
    items = inner.get("b")
    assert isinstance(items, Sequence)
    assert isinstance(items.items[1], Scalar)
    span = items.items[1].at
    assert (str(span), span.end_column) == ("f.yaml:2:10", 13)
    assert str(items.at) == "f.yaml:2:6"
    assert str(root.at) == "f.yaml:1:1"
    assert root.get("nothing") is None
    assert repr(root.source) == "Source(f.yaml)"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1\nb: 2\n", "1:4", "never|not closed"),
        ("a: {b: 1\n", "1:4", "not closed"),
        ('a: 1\nb: "x\n', "2:4", "never closed"),
        ("\ta: 1", "1:1", "tab"),
        ("a: @x", "1:4", "begin with this character"),
        ("a: b: c", "1:5", "colon"),
        ("a: *", "1:5", "asterisk"),
        ("a: *nobody", "1:4", "anchor that is not there"),
        ("a: &a [*a]", "1:8", "inside"),
        ('a: "\\q"', "1:6", "backslash"),
        ('a: "\\xZZ"', "1:7", "escape"),
        ("a: x\nb\n", "2:1", "without a colon"),
        ("a: x\n# c\nb y\nc: z\n", "3:1", "without a colon"),
        ("a:\n  b\n    c: 1\n", "2:3", "without a colon"),
        ("a:\n  b: 1\n\n  # c: d\n    c: 2\n  d: 3\n", "5:5", "deeper than line 2"),
        ("a:\n  b: 1\n    c: d: 2\n", "3:5", "deeper than line 2"),
        ("a:\n  b\n  - x\n    c: 1\n", "4:6", "colon"),
        ('a: "x\nb: y\nc: "z"\nd: 1\n', "1:4", "closed in line 3 only"),
        ("# it's\na: 'x\nb: [1, 'z']\n", "2:4", "closed in line 3 only"),
        ('a: [b, "c]\nd: "e"\n', "1:8", "closed in line 2 only"),
        ('a: "\u2028\x85"\nb: 1\n  c: 2\n', "3:3", "deeper than line 2,"),
        ("a: 1\r  b: 2\r", "2:3", "deeper than line 1,"),
        ('a: "x\rb: y\rc: "z"\rd: 1\r', "1:4", "closed in line 3 only"),
        ("a: 'It's ours'\nb: 1\n", "1:7", "ends here, and more follows"),
        ('a: say "x\nb: "y\n', "2:4", "never closed"),
        ("a:\n  b: 1\n c: 2", "3:2|3:3", "does not fit"),
        ("- a\nb: 1", "2:1", "does not fit"),
        ("a: ]", "1:4", "never opened"),
        ("a: & x", "1:5", "ampersand"),
        ("a: !hh!x y", "1:4", "exclamation"),
        ("%YAML 9.9\n---\na: 1", "1:1", "---"),
        ("a: |x\n b", "1:5", "several lines"),
        ("a: \x07", "1:4", "U+0007"),
        ('a: "\\UFFFFFFFF"', "1:2", "valid"),
        ('a: "\\U00110000"', "1:2", "valid"),
    ],
)
def test_a_syntax_error_says_where_and_what_to_do(text: str, place: str, words: str) -> None:
    code, said = refused(text)
    assert code is Code.SYNTAX
    assert any(said.startswith(f"f.yaml:{one}: ") for one in place.split("|")), said
    assert any(word in said for word in words.split("|")), said


def test_all_duplicate_keys_are_found() -> None:
    _, found = read(Source("f", "a: 1\na: 2\nb: {c: 1, c: 2}\n"))
    assert [(d.code, str(d.at)) for d in found] == [(Code.DUPLICATE_KEY, "f:2:1"), (Code.DUPLICATE_KEY, "f:3:11")]
    assert "line 1" in found[0].summary


def test_tags_complex_keys_and_wrong_merges_are_errors_but_harmless_tags_are_not() -> None:
    _, found = read(Source("f", "a: !env X\n? [b]\n: c\n<<: text\nd: !!str 5\n"))
    assert [d.code for d in found] == [Code.WRONG_TYPE] * 3
    assert [d.at.line for d in found if d.at] == [1, 2, 4]


def test_nesting_is_bounded() -> None:
    deep = MAX_DEPTH - 1
    assert parsed("[" * deep + "]" * deep)
    code, said = refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    assert code is Code.TOO_LARGE
    assert "64" in said


def test_aliases_are_bounded() -> None:
    base = "a: &a {x: y}\nb:\n"
    assert parsed(base + "".join("  - *a\n" for _ in range(MAX_ALIASES)))
    code, said = refused(base + "".join("  - *a\n" for _ in range(MAX_ALIASES + 1)))
    assert (code, said.split(":")[1]) == (Code.TOO_LARGE, str(MAX_ALIASES + 3))


LAUGHS = "\n".join(
    ["a0: &a0 [lol]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))],
)
MONSTERS = {
    "billion laughs": LAUGHS,
    "merges": "a: &a {x: 1}\n" + "".join(f"m{n}:\n  <<: [*a, *a, *a]\n" for n in range(500)),
    "wide merges": "a: &a {"
    + ", ".join(f"k{n}: 1" for n in range(5000))
    + "}\n"
    + "".join(f"m{n}: {{<<: *a}}\n" for n in range(250)),
    "deep": "".join(" " * n + f"k{n}:\n" for n in range(1000)),
    "brackets": "[" * 50_000,
    "braces": "{a: " * 50_000,
    "many": "[" + "a," * 600_000 + "]",
}


@pytest.mark.parametrize("name", [name for name in MONSTERS if name != "many"])
def test_monsters_are_refused_within_little_memory(name: str) -> None:
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\n"
        "from sipsync.config.reader.source import Source\n"
        "from sipsync.config.reader.yaml import read\n"
        "roots, found = read(Source('f', sys.stdin.read()))\n"
        "print(found[0].code, len(roots))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], input=MONSTERS[name], text=True, capture_output=True, timeout=60, check=False
    )
    assert run.stderr == ""
    assert run.stdout == "too-large 0\n"


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    _, (found,) = read(Source("f", 'a: "\\ud800"'))
    assert (found.code, str(found.at)) == (Code.BAD_VALUE, "f:1:4")


PARTS = [
    *"ab:-?#&*!|>%@'\"{}[],~\\\n\t .0<",
    "---",
    "\\U",
    "\\x",
    "%YAML ",
    "%TAG ",
    "<<",
    "\n  ",
    "- ",
    ": ",
    "\ufeff",
]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    source = Source("f", text)
    roots, found = read(source)
    for diagnostic in found:
        assert diagnostic.at is not None
        assert diagnostic.at.line >= 1
        assert diagnostic.hint
    for root in roots:
        assert root.at.column >= 1
