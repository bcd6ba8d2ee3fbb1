"""Broken inputs from whole ones: pieces swapped, doubled, cut, and put in the place of each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

TOKENS = (
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        "- ",
        ",",
        "#",
        "&a ",
        "*a",
        "<<: *a\n",
        "!x ",
        "| ",
        ">\n",
        "%YAML 1.3\n",
        "---\n",
    ),
    *(
        "'",
        '"',
        "\\",
        "\\ud800",
        "\\x00",
        "\t",
        "\r",
        "\n",
        "\r\n",
        "\x85",
        "\u2028",
        "\ufeff",
        "\x00",
        "\x1b[2J",
        "? ",
    ),
    *(
        "~sipsync-",
        "env:",
        "file:../../etc/passwd",
        "exec:x",
        "vault:a/b#c",
        "sops:a#/b",
        "keyring:a/b",
        "null",
        "true",
    ),
    *(
        "policy: {protected: ['[a[a[a']}\n",
        "include: [a.yaml]\n",
        "1_1_1",
        "::error::x",
        "##[x]",
        "pass",
        "../",
        "a" * 300,
    ),
    *("9" * 5000, "[" * 70, "{a: " * 70, "1e400", "-0", "\U0001f600", "Ж", "...\n", "  ", "\n\n"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 69, 10**17, 10**18, 10**400, 0.5, -0.0, 1e308, float("inf"), float("nan")),
    *("", " ", "69", "²", "0x45", "1e9", "Ж" * 300, "\ud800", "\x00", "<b>", "$result[1]", [], {}, [[]], {"": {}}),
    *(
        "~sipsync-69",
        "error",
        "QUERY_LIMIT_EXCEEDED",
        "ACCESS_DENIED",
        "9" * 400,
        "2026-11-24T12:00:00+00:00",
        {"error": "x"},
    ),
)
LARGEST = 1_000_000
"""Characters of a changed document, about."""


def of_bytes(data: bytes, chance: Random) -> bytes:
    """The bytes with some pieces changed."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        start = chance.randrange(len(changed) + 1)
        end = min(len(changed), start + chance.choice((0, 1, 2, 8, 40)))
        match chance.randrange(6):
            case 0:
                changed[start:end] = chance.choice(TOKENS).encode("utf-8")
            case 1:
                changed[start:end] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 2, 5))))
            case 2:
                del changed[start:end]
            case 3:
                changed[start:start] = changed[start:end] * chance.choice((1, 2, 50))
            case 4:
                other = chance.randrange(len(changed) + 1)
                changed[start:start] = changed[other : other + chance.choice((1, 10, 60))]
            case 5 if chance.random() < 0.3:
                del changed[start:]
    return bytes(changed)


def of_json(document: Any, chance: Random) -> Any:
    """The document with some of its values in other places, missing, or of another kind."""
    changed = copy_of(document)
    for _ in range(chance.choice((1, 1, 2, 5))):
        places = list(_places(changed))
        if not places:
            return copy_of(chance.choice(VALUES))
        holder, key = chance.choice(places)
        match chance.randrange(5):
            case 0:
                holder[key] = copy_of(chance.choice(VALUES))
            case 1:
                other, name = chance.choice(places)
                holder[key] = copy_of(other[name])
            case 2:
                del holder[key]
            case 3 if isinstance(holder, list):
                holder[key:key] = [holder[key]] * chance.choice((1, 2, 60))
                changed = copy_of(changed)
            case _ if isinstance(holder, dict):
                holder[chance.choice(("", "x", "CONFIG_ID", "error", "next", "total", key))] = copy_of(
                    chance.choice(VALUES)
                )
            case _:
                holder[key] = [holder[key]]
        if len(encoded(changed)) > LARGEST:
            break
    return changed


def copy_of(document: Any) -> Any:
    """A copy; `copy.deepcopy` ends at fewer levels on newer Pythons."""
    return json.loads(json.dumps(document))


def encoded(document: Any) -> bytes:
    """The document as JSON that a hostile writer may send: NaN, half characters and numbers without end pass."""
    return json.dumps(document).encode("ascii")


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in a document that holds a value: its holder and its key there."""
    holders = [document]
    while holders:
        holder = holders.pop()
        if isinstance(holder, dict | list):
            for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
                yield holder, key
                holders.append(holder[key])
