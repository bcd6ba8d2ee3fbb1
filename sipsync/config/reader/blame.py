"""Which line is to blame where a file is not YAML: the parser gets stuck at a later one.

A quote that is never closed ends at the next one in the file, and a line that is indented too deep goes on with the
value above it. This looks at lines as people see them; where it finds nothing, the parser's own place stands.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sipsync.config.reader.source import Source
from sipsync.model.message import Message

_COMMENT_OR_QUOTED: Final = re.compile(
    r"""(?:(?<=\s)|^)\#[^\n]*|(?:^|[:-](?=[ \t])|[\[{,])[ \t]*(?P<text>"(?:[^"\\]++|\\.)*+"|'(?:[^']++|'')*+')""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_KEY: Final = re.compile(r"""([ ]*)(?:[\w.$~-]+|"[^"\n]*"|'[^'\n]*')[ ]*:(?=\s|\Z)""")
_BARE: Final = re.compile(r"([ ]*)[\w.$~-]+[ ]*")


class Blame(NamedTuple):
    """What to say, what to do, and the place."""

    summary: Message
    hint: Message
    at: int


CLOSE: Final = Message("Close it with the same kind of quote.")
NO_COLON: Final = Message("a key without a colon"), Message("Write `key: value`, with a blank after the colon.")


def blame(source: Source, stuck: int) -> Blame | None:
    """What is wrong before the place where the parser got stuck, if it can be told."""
    return _quoted(source, stuck) or _too_deep(source, stuck)


def _quoted(source: Source, stuck: int) -> Blame | None:
    """A quoted text that ends in the line where the parser is stuck: it began in an earlier one, or ends too soon."""
    text, begin = source.text, source.line_start(stuck)
    end = text.find("\n", stuck)
    for found in _COMMENT_OR_QUOTED.finditer(text, 0, end if end >= 0 else len(text)):
        opened, closed = found.span("text")
        if opened < begin < closed:
            line = source.line_of(closed - 1)
            summary = Message("the quote that opens here is closed in line {line} only", line=line)
            return Blame(summary, CLOSE, opened)
        if begin < closed <= stuck and not text[closed:stuck].strip():
            hint = Message("Write a quote that belongs to the text twice: `'It''s'`; or use double quotes around it.")
            return Blame(Message("the quoted text ends here, and more follows"), hint, closed - 1)
    return None


def _too_deep(source: Source, stuck: int) -> Blame | None:
    """A line that is indented deeper than the one above, which is no place for a key below it."""
    begin = at = source.line_start(stuck)
    key = _KEY.match(source.text, begin)
    if key is None or key.end() <= stuck:
        return None  # another colon of the line
    above = ""
    while at and (not above.strip() or above.lstrip().startswith("#")):
        end, at = at, source.line_start(at - 1)
        above = source.text[at:end]
    indent = len(above) - len(above.lstrip(" "))
    if indent >= len(key[1]):
        return None
    if _BARE.fullmatch(above.rstrip()):
        return Blame(*NO_COLON, at + indent)
    if not _KEY.match(above):
        return None
    line = source.line_of(at)
    summary = Message("this line is indented deeper than line {line}, which has a value", line=line)
    return Blame(summary, Message("Give both the same indentation."), begin + len(key[1]))
