"""The query language of a filter's operator `?` (server source, run).

`word "some words"` are looked for one by one, each anywhere in the text; a blank, `+` and `&` mean and, `|` means or,
`~` not, and brackets group. Signs that join nothing are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Check = Callable[["str | None"], bool]
"""Of SQL's NULL it is False, and so its opposite True."""

_TOKEN = re.compile(r""""(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<sign>[+&|~()])|(?P<word>[^\s+&|~()"']+|["'])""")


class Unbalanced(Exception):
    """A query without a word, or with a bracket too many."""


def asked(query: str, contains: Callable[[str], Check]) -> Check:
    """Whether a text is what the query asks for; `contains` looks for one word. Raises `Unbalanced`."""
    tokens = _tokens(query)
    check = _any(tokens, contains)
    if tokens:
        raise Unbalanced
    return check


def _tokens(query: str) -> list[tuple[str, str]]:
    """Signs and words, the next one last."""
    found: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(query):
        sign, word = match["sign"], match["double"] or match["single"] or match["word"]
        if sign:
            found.append(("&" if sign == "+" else sign, ""))
        elif word and word.strip():
            found.append(("word", word))
    return found[::-1]


def _any(tokens: list[tuple[str, str]], contains: Callable[[str], Check]) -> Check:
    """Alternatives, to the end or to a bracket that closes."""
    either: list[list[Check]] = [[]]
    negated = False
    while tokens and tokens[-1][0] != ")":
        kind, word = tokens.pop()
        if kind == "|":
            either.append([])
        elif kind == "~":
            negated = not negated
        elif kind != "&":
            check = contains(word) if kind == "word" else _group(tokens, contains)
            either[-1].append(_not(check) if negated else check)
            negated = False
    alternatives = [checks for checks in either if checks]
    if not alternatives:
        raise Unbalanced
    return lambda text: any(all(check(text) for check in checks) for checks in alternatives)


def _group(tokens: list[tuple[str, str]], contains: Callable[[str], Check]) -> Check:
    check = _any(tokens, contains)
    if not tokens:
        raise Unbalanced
    tokens.pop()
    return check


def _not(check: Check) -> Check:
    return lambda text: not check(text)
