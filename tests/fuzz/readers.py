"""Random and hostile documents, and both readers of YAML held against each other: their trees with all places."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from fuzz.mutate import of_bytes
from sipsync.config.reader.compose import compose
from sipsync.config.reader.nodes import Mapping, Node, Scalar
from sipsync.config.reader.quick import quick_tree
from sipsync.config.reader.source import Source

KEYS = ("sipsync", "portal", "lines", "a", "b1", "x-y", "$schema", "title", "0", "<<", "null", "k.v", "'q'", '"d"', "?")
PLAIN = (
    *("1", "acme", "env:HOOK", "sip.example:5060", "http://x/y?z#w", "a b  c", "Отдел продаж", "😀 x", "0045", "true"),
    *("+7 (495)", "~x", "a#b", "x:y", "-5", "a :b", "x # c", "a\u00a0b", "a,b", "a]b", "x}", "é\u0301", "=x", "<y"),
    *("a'b", 'a"b', "$x", "(a)", "/p/q", "x;y", "a\\b", "null", "1_000", "2026-01-01", "x?", "x - y", "a %"),
)
QUOTED = ("'q'", "'x # y'", '"d: e"', "'x' # c", '""', "''", "'a\\b'", "'it''s'", '"a\\tb"', '"\\u00e9\\U0001f600"')
FLOWS = (
    *("[]", "{}", "[a, b]", '[ a , "b c" ]', "{a: b}", "{ a: 1, b: 'x y' }", '[vip-*, "Директор*"]', "[env:X]"),
    *('{line: shop, field: server, reason: "trial until June", until: 2027-06-01}', "[a b, c]", "{a: env:X}"),
    *("[a:b]", "{a:b}", "[*x]", "[a, ]", "{a: }", "[a,b]", "{a: b,c: d}", "[- a]", "[-5, -a]", "[a #b]", "[a, b] # c"),
    *("[a]#c", "[a] b", "{a: b, a: c}", "[[a]]", "{a: [b]}", "[a: b]", '{"a": b}', '{"a":b}', "[é, 😀]", "[a\tb]"),
    *("[a*b, a&b]", "[http://x]", "[a? b]", "[~, null]", "{<<: a}", "[a,\u00a0b]", "{? a : b}", "{a, b: c}", "[,]"),
)
ODD = (
    *("'un", '"un', "|", ">-", "|2", "*al", "&an x", "!t", "!!str x", "! x", "%x", "@x", "`", "# c", "? y", "- 5"),
    *("", "  ", "'x'y", '"x"#c', "a\u2028b", "\ufeffx", "a\tb", "x ", "...", " ---", "-", "--", "-\u00a0x", "a: b"),
    *('"\\ud800"', '"\\x"', "\x85", "\x07", "a\rb", "{", "}", "[", "]", ",", ": ", "<<: *a", "&a", "\\", "'", '"'),
)
ENDS = (*["\n"] * 7, "\r\n", "\r\n", "\r")


def document(chance: Random, kept: list[bytes]) -> str:
    """A text that may be YAML: one that mostly is, one of odd lines, or a kept file that was changed."""
    kind = chance.random()
    if kind < 0.2:
        return of_bytes(chance.choice(kept), chance).decode("utf-8", "replace").removeprefix("\ufeff")
    lines = _block(chance, 0, 0) if kind < 0.85 else _odd_lines(chance)
    text = chance.choice(("", "", "---\n", "# h\n", "\n", "--- # h\n")) + chance.choice(ENDS).join(lines)
    text += chance.choice(("\n", "\n", "", "\n\n", "\n# end", "\n  ", "\n---\n", "\n...\n"))
    return _changed(text, chance) if chance.random() < 0.4 else text


def _block(chance: Random, indent: int, depth: int) -> Iterator[str]:
    for _ in range(chance.randint(1, 4)):
        if chance.random() < 0.1:
            yield chance.choice(("", " ", f"{'':{indent}}# c", "# c: d", "        # deep"))
        key = f"k{chance.randrange(99)}" if chance.random() < 0.9 else chance.choice(KEYS)
        head = f"{'':{indent}}{key}:"
        kind = chance.random()
        if kind < 0.25 and depth < 4:
            yield head + chance.choice(("", "", " ", "  # note"))
            yield from _block(chance, indent + chance.choice((1, 2, 2, 2, 4)), depth + 1)
        elif kind < 0.4:
            yield head
            below = indent + chance.choice((0, 2))
            yield from (f"{'':{below}}- {_value(chance)}" for _ in range(chance.randint(1, 3)))
        else:
            yield head + chance.choice((" ", " ", "  ")) + _value(chance) + chance.choice(("", "", "", " ", "  # c"))


def _value(chance: Random) -> str:
    kind = chance.random()
    return chance.choice(PLAIN if kind < 0.65 else QUOTED if kind < 0.85 else FLOWS if kind < 0.99 else ODD)


def _odd_lines(chance: Random) -> Iterator[str]:
    indents = [0]
    for _ in range(chance.randint(1, 12)):
        indent = chance.choice(indents) if chance.random() < 0.9 else chance.randint(0, 6)
        kind = chance.random()
        if kind < 0.1:
            yield chance.choice(("", " ", "# comment", "  # c", "---", "...", "\t", "%YAML 1.2", "%TAG ! x"))
        elif kind < 0.25:
            yield f"{'':{indent}}- {chance.choice((*PLAIN, *ODD))}"
        elif kind < 0.5:
            yield f"{'':{indent}}{chance.choice(KEYS)}:{chance.choice(('', ' ', '  # c'))}"
            indents.append(indent + 2)
        else:
            gap = chance.choice((" ", " ", "  ", ""))
            yield f"{'':{indent}}{chance.choice(KEYS)}:{gap}{chance.choice((*PLAIN, *ODD))}"


def _changed(text: str, chance: Random) -> str:
    for _ in range(chance.randint(1, 2)):
        start = chance.randint(0, len(text))
        match chance.randrange(3):
            case 0:
                text = text[:start] + chance.choice((*ODD, "\n", " ", ":", "-")) + text[start:]
            case 1:
                text = text[:start] + text[start + chance.randint(1, 3) :]
            case 2:
                other = chance.randint(0, len(text))
                text = text[:start] + text[other : other + chance.randint(1, 10)] + text[start:]
    return text


def compare(text: str) -> bool:
    """Whether the quick reader takes the text; what it takes has to be what the careful one reads, to the character."""
    quick = quick_tree(Source("x", text))
    if quick is None:
        return False
    careful = compose(Source("x", text))
    assert careful.readable
    assert not any((careful.problems, careful.strays))
    assert list(map(_told, quick.roots)) == list(map(_told, careful.roots))
    assert list(map(_told, quick.scalars)) == list(map(_told, careful.scalars))
    return True


def _told(node: Node) -> object:
    """All that a node knows but how many it is."""
    where = (type(node), node.start, node.end, node.plain)
    if isinstance(node, Scalar):
        return where, node.text
    if isinstance(node, Mapping):
        entries = [(name, _told(key), _told(value)) for name, (key, value) in node.entries.items()]
        return where, entries, node.written == tuple(node.entries.values())
    return where, list(map(_told, node.items))
