"""One text file: its places by line and column, and its lines with secrets masked."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sipsync.config.reader.mask import broken_lines
from sipsync.model.message import Message
from sipsync.model.problems import Code, ConfigError, Diagnostic, Span

MAX_BYTES = 4 * 1024 * 1024
LONG_LINE = 200
HIDDEN = "***"
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_BREAK = re.compile(r"\r\n|\r|\n")
_FILLER = re.compile(r"[^\s{}\[\],:?'\"-]\S*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A scalar's place in the text, and what an excerpt shows there; None: its own text."""

    start: int
    end: int
    shown: str | None


@dataclass(slots=True, eq=False)
class Source:
    """A file's text."""

    name: str
    """As the user named it, with forward slashes."""
    text: str
    path: Path | None = None
    look: Callable[[Source], list[Piece]] | None = None
    """Gives the scalars' places, once it has been read as YAML; without it excerpts are masked coarsely."""
    _pieces: list[Piece] | None = None
    _starts: list[int] = field(default_factory=list)
    _broken: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Source({self.name})"

    @property
    def pieces(self) -> list[Piece]:
        """The scalars' places in their order; none where the text can't be read."""
        if self._pieces is None:
            self._pieces = self.look(self) if self.look else []
        return self._pieces

    def span(self, start: int, end: int | None = None) -> Span:
        """The place of a part of the text, with its line as far as it may be shown."""
        line = self._line(start)
        column = start - self.line_start(start) + 1
        same_line = end is not None and end > start and self._line(end) == line
        width = (end or 0) - start if same_line else 0
        excerpt, end_column = self._excerpt(line, column, column + width if width else 0)
        return Span(self.name, line + 1, column, end_column, excerpt)

    def place(self, start: int, end: int | None = None) -> Span:
        """The same, worked out when somebody asks for it."""
        place = _Place.__new__(_Place)
        object.__setattr__(place, "_where", (self, start, end))
        return place

    def line_of(self, index: int) -> int:
        """The number of the line, from 1."""
        return self._line(index) + 1

    def line_start(self, index: int) -> int:
        """Where the line begins."""
        line = self._line(index)
        return self._starts[line]

    def _line(self, index: int) -> int:
        if not self._starts:
            self._starts = [0, *(found.end() for found in _BREAK.finditer(self.text))]
        return bisect_right(self._starts, index) - 1

    def _excerpt(self, line: int, column: int, end_column: int) -> tuple[str, int]:
        """The line as it may be shown, and where the marked part ends in it.

        What stands before `column` keeps its width, for the caret's sake; the column tells that width anyway.
        """
        if column > LONG_LINE:
            return "", end_column
        if self.look is None:
            self._broken = self._broken or broken_lines(_BREAK.split(self.text))
            return self._broken[line][: column + LONG_LINE], 0
        begin = self._starts[line]
        stop = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        text = self.text[begin : min(stop, begin + column + LONG_LINE)].rstrip("\r\n")
        caret, shown, at = begin + column - 1, "", begin
        for piece in self._pieces_on(begin, begin + len(text)):
            gap = text[at - begin : max(piece.start, begin) - begin]
            shown += _structure(gap)
            own = text[max(piece.start, begin) - begin : piece.end - begin]
            part = own if piece.shown is None else piece.shown if piece.start >= begin else HIDDEN
            if piece.end <= caret:
                part = part[: len(own)].ljust(len(own), "*")
            elif piece.start == caret and part != own:
                end_column = column + len(part)
            shown, at = shown + part, min(piece.end, begin + len(text))
        return (shown + _structure(text[at - begin :])).rstrip()[: column + LONG_LINE], end_column

    def masked(self) -> str:
        """The whole text, line for line, with as much of each as its excerpt shows; a comment stays as a sign."""
        shown, at = [], 0
        for piece in self.pieces:
            own = self.text[piece.start : piece.end]
            shown.append(_gap(self.text[at : piece.start]))
            shown.append(own if piece.shown is None else piece.shown + "\n" * len(_BREAK.findall(own)))
            at = piece.end
        return "".join([*shown, _gap(self.text[at:])])

    def _pieces_on(self, begin: int, stop: int) -> list[Piece]:
        first = bisect_right(self.pieces, begin, key=lambda piece: piece.end)
        last = bisect_left(self.pieces, stop, key=lambda piece: piece.start)
        return self.pieces[first:last]


class _Place(Span):
    """A place that is worked out when somebody asks for it. Until then it keeps the file's text, and no node."""

    __slots__ = ("_where",)

    _where: tuple[Source, int, int | None]

    def __getattr__(self, name: str) -> Any:
        """What the place says; it is asked for here as long as it was not worked out."""
        if name not in Span.__slots__:
            raise AttributeError(name)
        source, start, end = self._where
        if name in ("file", "line", "column"):  # all that most ask for; an excerpt takes another reading of the file
            line, column = source.line_of(start), start - source.line_start(start) + 1
            known = {"file": source.name, "line": line, "column": column}
        else:
            span = source.span(start, end)
            known = {each: getattr(span, each) for each in Span.__slots__}
        for each, value in known.items():
            object.__setattr__(self, each, value)
        return known[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))

    def __reduce__(self) -> tuple[object, ...]:
        return Span, _values(self)


def _values(span: Span) -> tuple[object, ...]:
    return span.file, span.line, span.column, span.end_column, span.excerpt


def _structure(gap: str) -> str:
    """What stands between scalars: punctuation. Tags, anchors and comments are not shown."""
    return _FILLER.sub(lambda found: "*" * len(found[0]), gap.partition("#")[0])


def _gap(text: str) -> str:
    """What stands between scalars, over several lines."""
    return "\n".join(_structure(line) + ("# ***" if "#" in line else "") for line in _BREAK.split(text))


def decode(data: bytes, name: str, path: Path | None = None) -> Source:
    """A file's bytes as text. Raises ConfigError where they are too many, or not UTF-8 and no byte-order mark tells."""
    if len(data) > MAX_BYTES:
        summary, hint = Message("the file is larger than 4 MiB"), Message("Split it: one file for each portal.")
        raise ConfigError(Diagnostic(Code.TOO_LARGE, summary, hint=hint, at=Span(name, 1)))
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "")
    try:
        text = data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        summary = Message("the file is not {encoding} text", encoding=encoding or "UTF-8")
        raise _encoding(summary, Span(name, line, column)) from None
    if not encoding and "\0" in text:
        raise _encoding(Message("the file looks like UTF-16 without a byte-order mark"), Span(name, 1))
    return Source(name, text, path)


def _encoding(summary: Message, at: Span) -> ConfigError:
    hint = Message("Save it as UTF-8 (in Windows' Notepad: Save as, Encoding: UTF-8).")
    return ConfigError(Diagnostic(Code.ENCODING, summary, hint=hint, at=at))
