"""ruamel.yaml's event stream, and its errors in words that an administrator understands.

Its own messages are never shown: some quote the text, and that may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from sipsync.config.reader.blame import CLOSE, NO_COLON, blame
from sipsync.config.reader.source import Source
from sipsync.model.message import Message
from sipsync.model.problems import Code

Kind = Literal["document", "scalar", "alias", "mapping", "sequence", "end"]
_KINDS: dict[type, Kind] = {
    yaml.DocumentStartEvent: "document",
    yaml.ScalarEvent: "scalar",
    yaml.AliasEvent: "alias",
    yaml.MappingStartEvent: "mapping",
    yaml.SequenceStartEvent: "sequence",
    yaml.MappingEndEvent: "end",
    yaml.SequenceEndEvent: "end",
}
_HARMLESS_TAGS = ("", "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Event(NamedTuple):
    """One step through a file; `plain` is without quotes or brackets, `tag` only where it would change the meaning."""

    kind: Kind
    start: int
    end: int
    text: str = ""
    plain: bool = False
    anchor: str = ""
    tag: str = ""


class Refused(Exception):
    """The file can't be read from `at` on."""

    def __init__(self, code: Code, summary: Message, hint: Message, at: int) -> None:
        super().__init__(summary)
        self.code, self.summary, self.hint, self.at = code, summary, hint, at


def events(source: Source) -> Iterator[Event]:
    """The events of a text, one by one; raises Refused where it is not YAML."""
    text, at = source.text, 0
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            at = event.end_mark.index
            if kind := _KINDS.get(type(event)):
                yield _event(kind, event)
    except ReaderError as error:
        code = error.character if isinstance(error.character, int) else 0
        summary = Message("the character U+{code:04X} may not stand in YAML as it is", code=code)
        hint = Message('Delete it, or write it with an escape in double quotes: "\\u0007".')
        raise Refused(Code.SYNTAX, summary, hint, error.position) from None
    except MarkedYAMLError as error:
        summary, hint = _words(f"{error.context or ''}: {error.problem or ''}")
        mark, stuck = _mark(error), error.problem_mark
        at = mark.index if mark else 0
        if stuck and (culprit := blame(source, stuck.index)):
            summary, hint, at = culprit
        raise Refused(Code.SYNTAX, summary, hint, at) from None
    except AssertionError:
        directive = _VERSION.search(text, at)
        at = directive.start() if directive else at
        raise Refused(Code.SYNTAX, Message("a version of YAML that is unknown"), _DIRECTIVE, at) from None
    except (YAMLError, ValueError, OverflowError):  # an escape beyond Unicode is a ValueError, or an OverflowError
        raise Refused(Code.SYNTAX, _NOT_YAML, _GENERAL, at) from None


def _mark(error: MarkedYAMLError) -> Any:
    """Where to point: at the bracket or quote that was left open, else at what could not be read."""
    opened, stuck = error.context_mark, error.problem_mark
    across = opened and stuck and "flow" in (error.context or "") and opened.line != stuck.line
    left_open = across or any(part in (error.problem or "") for part in ("unexpected", "stream end", "expected ':'"))
    return (opened or stuck) if left_open else (stuck or opened)


def _event(kind: Kind, event: Any) -> Event:
    tag = str(getattr(event, "tag", None) or "")
    return Event(
        kind,
        event.start_mark.index,
        event.end_mark.index,
        getattr(event, "value", ""),
        not (getattr(event, "style", None) or getattr(event, "flow_style", None)),
        getattr(event, "anchor", None) or "",
        "" if tag in _HARMLESS_TAGS else tag,
    )


_GENERAL = Message(
    "Each line is `key: value`, indented with blanks; a text with special characters goes into double quotes."
)
_NOT_YAML = Message("this is not valid YAML")
_QUOTE_IT = Message("Put the value into double quotes.")
_DIRECTIVE = Message("Only `%YAML 1.2` may stand there; delete the line.")
_VERSION = re.compile(r"^%YAML", re.MULTILINE)
_WORDS: tuple[tuple[str, Message, Message], ...] = (
    (
        "'\\t'",
        Message("a tab stands where YAML wants blanks"),
        Message("Indent with blanks: YAML does not allow tabs there."),
    ),
    (
        "cannot start any token",
        Message("a value can't begin with this character"),
        _QUOTE_IT,
    ),
    (
        "mapping values are not allowed",
        Message("a colon with a blank after it, inside of a value"),
        Message("Put the value into double quotes, or correct the indentation."),
    ),
    (
        "quoted scalar: found unexpected",
        Message("the quote that opens here is never closed"),
        CLOSE,
    ),
    (
        "double-quoted scalar: found unknown escape",
        Message("a backslash in double quotes begins an escape that YAML does not know"),
        Message("Use single quotes, where a backslash is a backslash, or write two backslashes."),
    ),
    (
        "escape sequence",
        Message("an escape that is not complete"),
        Message("Use single quotes, where a backslash is a backslash."),
    ),
    (
        "flow mapping",
        Message("a `{` that is not closed, or a comma that is missing"),
        Message("Write `{key: value, key: value}`, with a blank after each colon."),
    ),
    ("flow sequence", Message("a `[` that is not closed, or a comma that is missing"), Message("Write `[one, two]`.")),
    (
        "flow node",
        Message("a bracket that is not closed, or closed by one of another kind"),
        Message("Close each bracket by its own kind."),
    ),
    (
        "could not find expected ':'",
        *NO_COLON,
    ),
    (
        "expected <block end>",
        Message("this line does not fit the lines above"),
        Message(
            "Give the keys of one mapping the same indentation, and put a text with special characters into quotes."
        ),
    ),
    (
        "the node content",
        Message("a bracket that was never opened"),
        Message("Delete it, or put the value into double quotes."),
    ),
    (
        "alias",
        Message("an asterisk begins an alias, and no name follows"),
        _QUOTE_IT,
    ),
    (
        "anchor",
        Message("an ampersand begins an anchor, and no name follows"),
        _QUOTE_IT,
    ),
    ("tag", Message("an exclamation mark begins a tag"), _QUOTE_IT),
    (
        "directive",
        Message("a percent sign at the beginning of a line"),
        _DIRECTIVE,
    ),
    (
        "document",
        Message("a `---` is missing, or stands at a wrong place"),
        Message("Separate documents with a line `---`."),
    ),
    (
        "block scalar",
        Message("`|` and `>` begin a text of several lines"),
        _QUOTE_IT,
    ),
)
"""Part of ruamel's message → what to say."""


def _words(message: str) -> tuple[Message, Message]:
    return next(((said, hint) for part, said, hint in _WORDS if part in message), (_NOT_YAML, _GENERAL))
