"""YAML text → nodes with positions. Every scalar keeps its source text; nothing becomes a number, date or boolean.

The only door to portals' files and policies, with two readers behind it: the quick one, and ruamel.yaml, which has the
last word.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sipsync.config.reader.mask import SECTIONS, shown_key, shown_value
from sipsync.config.reader.nodes import MAX_FINDINGS, Mapping, Node, Scalar, Sequence, Tree
from sipsync.config.reader.quick import quick_tree
from sipsync.config.reader.source import HIDDEN, Piece, Source
from sipsync.model.problems import Diagnostic


def read(source: Source) -> tuple[list[Node], list[Diagnostic]]:
    """The documents of a file (empty ones left out), and what is wrong with it as YAML."""
    tree = _tree(source)
    if tree.readable:
        source.look = partial(_pieces, tree)
    problems = [
        Diagnostic(each.code, each.summary, hint=each.hint, at=source.span(each.start, each.end))
        for each in tree.problems[:MAX_FINDINGS]
    ]
    return tree.roots, problems


def forget(source: Source) -> None:
    """Let go of a file's nodes. Its text stays, and is read again for an excerpt."""
    if source.look:
        source.look = partial(_pieces, None)


def _tree(source: Source) -> Tree:
    tree = quick_tree(source)
    if tree is None:
        from sipsync.config.reader.compose import compose  # dear, and most files do not need it

        tree = compose(source)
    return tree


def _pieces(tree: Tree | None, source: Source) -> list[Piece]:
    """The scalars of a file, with what excerpts show of each; it is read again if its nodes are gone."""
    tree = tree or _tree(source)
    shown: dict[int, str] = {}
    for scalar, text in _ways(tree, source):
        if shown.setdefault(scalar.start, text) != text:  # one with an alias: the other way shows it otherwise
            shown[scalar.start] = HIDDEN
    return [
        Piece(scalar.start, scalar.end, None if (text := shown.get(scalar.start, HIDDEN)) == scalar_text else text)
        for scalar in tree.scalars
        if (scalar_text := source.text[scalar.start : scalar.end])
    ]


def _ways(tree: Tree, source: Source) -> Iterator[tuple[Scalar, str]]:
    """Every way to every scalar, with what excerpts may show of it there."""
    todo: list[tuple[Node, str | None]] = [(root, "") for root in tree.roots]
    todo += [(node, None) for node in tree.strays]  # None: nothing in there is shown
    while todo:
        node, key = todo.pop()
        if isinstance(node, Scalar):
            raw = source.text[node.start : node.end]
            text = None if key is None else shown_value(key, raw, one_line="\n" not in raw)
            yield node, HIDDEN if text is None else text
        elif isinstance(node, Sequence):
            todo += [(item, key if key in SECTIONS else None) for item in node.items]
        else:
            known = key in SECTIONS or key in ("", "*")
            for scalar, value in node.written:
                yield scalar, shown_key(source.text[scalar.start : scalar.end]) if known else HIDDEN
                if scalar.plain and scalar.text == "<<":
                    merged = value.items if isinstance(value, Sequence) else (value,)
                    todo += [(each, key if isinstance(each, Mapping) else None) for each in merged]
                else:
                    below = "*" if key in ("lines", "removed") else scalar.text
                    todo.append((value, below if known else None))
