"""What a text becomes when the server stores it, and when its database takes two titles for the same.

Titles are compared as MariaDB's `utf8mb4_unicode_ci` does (measured, 10.11): letter case, accents, trailing blanks
and invisible characters do not count, and all characters beyond the basic plane, every emoji among them, are equal.
`unicode_ci.bin` has the weights that it gives to characters. Which collation the cloud uses is not known.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache, lru_cache
from importlib.resources import files

from sipsync.model.fields import FieldName
from sipsync.rules.php import BLANKS

_BEYOND = "\ufffd"
"""The weight of every character beyond the basic plane."""
_BLANK = "\u0209"
"""The weight of a blank. Comparing pads with blanks, so trailing ones do not count."""


def stored(field: FieldName, text: str) -> str:
    """What a sent text becomes in the database: trimmed, and a server without `http://` and `https://`.

    These are taken out wherever they stand, in this order, and the rest is not trimmed again (server source).
    """
    trimmed = text.strip(BLANKS)
    return trimmed.replace("http://", "").replace("https://", "") if field == "server" else trimmed


@lru_cache(maxsize=8192)
def title_key(title: str) -> str:
    """The title's weights, one character each: equal for equal titles, and in the order in which they are sorted."""
    return title.translate(_table()).rstrip(_BLANK)


def weights(text: str) -> list[str]:
    """What each character weighs in a comparison; equal ones match each other in a LIKE."""
    table = _table()
    return [table[ord(char)] for char in text]


class _Table(dict[int, str]):
    """Code point → weights."""

    def __missing__(self, code: int) -> str:
        """The weight of a character that the table leaves out (Chinese, Korean, unassigned): it follows the code."""
        if code > 0xFFFF:
            return _BEYOND
        base = 0xFB80 if 0x3400 <= code <= 0x4DB5 else 0xFB40 if 0x4E00 <= code <= 0x9FA5 else 0xFBC0
        return chr(base + (code >> 15)) + chr(code & 0x7FFF | 0x8000)


@cache
def _table() -> _Table:
    """The table, unpacked on first use: code points and weights are kept as steps from the one before."""
    raw = zlib.decompress(files(__package__).joinpath("unicode_ci.bin").read_bytes())
    (count,) = struct.unpack_from(">H", raw)
    gaps = struct.unpack_from(f">{count}H", raw, 2)
    lengths = raw[2 + 2 * count : 2 + 3 * count]
    steps = iter(struct.unpack_from(f">{sum(lengths)}H", raw, 2 + 3 * count))
    table = _Table()
    code = weight = 0
    for gap, length in zip(gaps, lengths, strict=True):
        code += gap
        weights = []
        for _ in range(length):
            weight = (weight + next(steps)) & 0xFFFF
            weights.append(chr(weight))
        table[code] = "".join(weights)
    return table
