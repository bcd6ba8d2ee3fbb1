"""What of a file may be shown in an excerpt or a message: keys, and values of fields that are never secret.

It is a list of what is shown, not of what is hidden, so that a misspelt `pasword: hunter2` shows no more than a
`password:` does. A file that could not be read to its end is masked line by line, more coarsely.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields

from sipsync.model.fields import SECRET, SHOWN
from sipsync.model.lines import ADDRESS_PART
from sipsync.model.nearest import nearest
from sipsync.model.policy import IgnoredField, Limits, OperatorPolicy
from sipsync.model.secret import SCHEMES

_PORTAL = ("name", "sandbox", "domain", "member_id", "token_url")
_POLICY = tuple(row.name for row in fields(OperatorPolicy))
_MORE = tuple(row.name for section in (Limits, IgnoredField) for row in fields(section))
PUBLIC = frozenset(("$schema", "sipsync", "include", "config_id", "type", *SHOWN, *_PORTAL, *_POLICY, *_MORE))
"""Keys whose values are shown."""

SECTIONS = frozenset(("portal", "oauth", "limits", "defaults", "lines", "removed", "policy", "include", *_POLICY))
"""Keys whose mappings and lists are looked into."""

_SECRET_WORDS = (*SECRET, "passwd", "webhook", "secret", "token", "refresh_token", "access_token", "client_secret")
_SECRET_PART = re.compile(r"pass|pwd|secret|token|hook", re.IGNORECASE)
_LONGEST = 200
"""Characters of a key that are looked at and shown."""
VARIABLE = r"[\w.()-]+"
"""The name of a variable; `ProgramFiles(x86)` is one on Windows."""
_REFERENCE = re.compile(rf"env:{VARIABLE}|(?!env:)(?:{'|'.join(SCHEMES)}):[^\s@]+")
_IN_URL = re.compile(r"(/rest/++\d++/++)[^/\s\"']+|(//[^/\s:@]*+:)[^/\s@]++(?=@)", re.IGNORECASE)
_ASSIGNED = re.compile(r"(?<!\w)(?=\w*?(?:pass|pwd|secret|token|hook|auth))(\w++\s*+[=:]\s*+)[^\s,;}&]+", re.IGNORECASE)
"""Each word is looked at once, from its beginning."""

_KEY = re.compile(
    r"^(?P<lead>[ ]*(?:-[ ]+)*)(?P<key>\"[\w.$~-]+\"|'[\w.$~-]+'|[\w.$~-]+)(?P<colon>[ ]*:)(?P<rest>([ ].*)?)$"
)
_MARKED = re.compile(r"#|(?<![^\s\[{,:])[&!]")
"""A comment, an anchor (whose value may be a password elsewhere), or a tag."""


def clean(text: str) -> str:
    """A value that may be shown, without a webhook's secret or a password that somebody put inside it."""
    text = _IN_URL.sub(lambda hit: f"{hit[1] or hit[2]}***", text)
    return _ASSIGNED.sub(r"\1***", text)


def holds_secret(text: str) -> bool:
    """Whether a text has the form of a webhook's URL, or of one with a password."""
    return bool(_IN_URL.search(text))


def secret_like(word: str) -> bool:
    """Whether a key is meant to hold a secret, also where it is misspelt."""
    return bool(_SECRET_PART.search(word) or nearest(word, _SECRET_WORDS, 0.7))


def shown_key(text: str) -> str:
    """A key as it may be shown: `password:hunter2`, where a blank was forgotten, is a key for YAML."""
    first = re.match(r"[\w.$~-]*", text)
    name = first[0] if first else ""
    if len(text) > _LONGEST:
        return f"{name[:_LONGEST]}***"
    if name == text or not (re.search(r"[:=]", text) or any(map(secret_like, re.findall(r"\w+", text)))):
        return clean(text)
    return f"{name}***"


def shown_value(key: str, text: str, *, one_line: bool = True) -> str | None:
    """The value of a key as it may be shown; None where it may not."""
    if key == "name" and not re.fullmatch(ADDRESS_PART, text.strip("\"'")):
        return None  # what can be no name may be a secret in the wrong place
    if key in PUBLIC:
        return clean(text)
    return text if one_line and _REFERENCE.fullmatch(text.strip("\"'")) and clean(text) == text else None


def broken_lines(lines: Sequence[str]) -> list[str]:
    """The lines of a file that is not YAML: of each its key, and its value where the key's are shown."""
    shown: list[str] = []
    above: list[tuple[int, bool]] = []
    """The lines that this one may be inside of: their indentation, and whether they open a mapping."""
    for line in lines:
        indent = len(line) - len(line.lstrip(" \t"))
        while above and above[-1][0] >= indent:
            above.pop()
        key = _KEY.match(line.rstrip())
        inside = not above or above[-1][1]  # else it belongs to a value that goes over several lines
        shown.append(_broken(key) if key and inside else _blank(line))
        if line.strip():
            above.append((indent, key is not None and not key["rest"]))
    return shown


def _broken(key: re.Match[str]) -> str:
    value = key["rest"].strip()
    shown = shown_value(key["key"].strip("\"'"), value) if value else ""
    rest = "***" if shown is None or _MARKED.search(value) else shown
    return f"{key['lead']}{key['key']}{key['colon']}{f' {rest}' if value else ''}"


def _blank(line: str) -> str:
    body = line.lstrip(" \t")
    return line[: len(line) - len(body)] + ("***" if body.strip("[]{},- \t") else body)
