"""What needs more than one key to be told: keys that exclude each other, and lines that claim the same thing.

All of it looks at nodes, not at validated models, so that a mistake in one line hides no other. Each function is
linear and gives findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, product

from sipsync.config.findings import missing
from sipsync.config.reader.mask import clean
from sipsync.config.reader.nodes import Mapping, Scalar
from sipsync.config.sense import slips
from sipsync.model.fields import FIELDS, SECRET, SHOWN
from sipsync.model.lines import ADDRESS_PART
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Span
from sipsync.rules.values import title_key

_WAYS = ("webhook", "oauth", "sandbox")
_RENEWING = ("client_id", "client_secret", "refresh_token")


def document(root: Mapping) -> Iterator[Diagnostic]:
    """What is wrong within one portal, besides what the models say."""
    portal = root.get("portal")
    if isinstance(portal, Mapping):
        yield from _ways(portal)
        oauth = portal.get("oauth")
        if isinstance(oauth, Mapping):
            yield from _tokens(oauth)
    lines, removed = _entries(root, "lines"), _entries(root, "removed")
    yield from _unfindable(lines)
    yield from _keys(lines, removed)
    yield from _config_ids(lines, removed)
    yield from _titles(lines)
    yield from _slips([root.section("defaults"), *(line for _, line in lines)])
    yield from _shared(lines)


def file_name(name: str, root: Mapping) -> Iterator[Diagnostic]:
    """Whether a file that gives its portal no name has one that can be an address's part."""
    if not re.fullmatch(ADDRESS_PART, name):
        hint = Message("Add `name: …` under `portal:`, of Latin letters, digits, `-` and `_`.")
        summary = Message("the file's name, \"{name}\", can't be the name of its portal", name=name)
        yield Diagnostic(Code.BAD_ADDRESS, summary, hint=hint, at=root.source.span(root.start))


def names(portals: list[tuple[str, Span]]) -> Iterator[Diagnostic]:
    """Portals of one name, given with the places that say them; names that differ in case only count as one."""
    first: dict[str, tuple[str, Span]] = {}
    for name, at in portals:
        other, place = first.setdefault(name.lower(), (name, at))
        if place is not at:
            if other == name:
                summary = Message('a portal of the name "{name}" is there already: {at}', name=name, at=place)
            else:
                summary = Message(
                    'a portal of the name "{name}" is there already, in another letter case: {at}',
                    name=name,
                    at=place,
                )
            hint = Message("Give one of them another `portal.name`.")
            yield Diagnostic(Code.DUPLICATE_PORTAL, summary, hint=hint, at=at, address=name)


def _ways(portal: Mapping) -> Iterator[Diagnostic]:
    given = [key for name, (key, _) in portal.entries.items() if name in _WAYS]
    if not given:
        hint = Message("Add one, as in `webhook: env:ACME_WEBHOOK`.")
        summary = Message("one of webhook, oauth and sandbox is missing")
        yield Diagnostic(Code.MISSING_KEY, summary, hint=hint, at=portal.at)
    for key in given[1:]:
        summary = Message('both "{one}" and "{other}" say how to reach the portal', one=given[0].text, other=key.text)
        yield Diagnostic(Code.BAD_VALUE, summary, hint=Message("Keep one of them."), at=key.at)


def _tokens(oauth: Mapping) -> Iterator[Diagnostic]:
    given = [name for name in _RENEWING if name in oauth.entries]
    if "access_token" in oauth.entries:
        if "member_id" in oauth.entries:
            # Only the answer to a renewal says whose token it is (documented).
            summary = Message('an "access_token" does not tell whose it is, so "member_id" can\'t be checked')
            hint = Message('Delete "member_id"; or delete "access_token", and sipsync renews it and checks that.')
            yield Diagnostic(Code.BAD_VALUE, summary, hint=hint, at=oauth.entries["member_id"][0].at)
        for name in (*given, *(name for name in ("token_url",) if name in oauth.entries)):
            summary = Message('"access_token" is renewed by another program, so "{name}" has no use', name=name)
            hint = Message('Delete "{name}"; or delete "access_token", and sipsync renews it by itself.', name=name)
            yield Diagnostic(Code.BAD_VALUE, summary, hint=hint, at=oauth.entries[name][0].at)
    else:
        for name in (name for name in _RENEWING if name not in given):
            hint = Message(
                "Give client_id, client_secret and refresh_token, or an access_token that another program renews."
            )
            yield Diagnostic(Code.MISSING_KEY, missing(name), hint=hint, at=oauth.at)


def _entries(root: Mapping, section: str) -> list[tuple[Scalar, Mapping]]:
    return [(key, value) for key, value in root.section(section).entries.values() if isinstance(value, Mapping)]


def _unfindable(lines: list[tuple[Scalar, Mapping]]) -> Iterator[Diagnostic]:
    for key, line in lines:
        if "title" not in line.entries and "config_id" not in line.entries:
            hint = Message("Give its `title` or its `config_id`; `sipsync import` lists both.")
            yield Diagnostic(Code.MISSING_KEY, Message("nothing tells which line this is"), hint=hint, at=key.at)


def _keys(lines: list[tuple[Scalar, Mapping]], removed: list[tuple[Scalar, Mapping]]) -> Iterator[Diagnostic]:
    there = {key.text: key for key, _ in lines}
    for key, _ in removed:
        if key.text in there:
            summary = Message("both under `lines` (line {line}) and under `removed`", line=_line(there[key.text]))
            yield Diagnostic(
                Code.DUPLICATE_KEY,
                summary,
                hint=Message("Keep it under `lines`, or under `removed` to delete the line."),
                at=key.at,
            )


def _config_ids(lines: list[tuple[Scalar, Mapping]], removed: list[tuple[Scalar, Mapping]]) -> Iterator[Diagnostic]:
    first: dict[str, Scalar] = {}
    for key, line in chain(lines, removed):
        text = line.text("config_id")
        if text.isdecimal():
            number = text.lstrip("0")
            other = first.setdefault(number, key)
            if other is not key:
                summary = Message(
                    'config_id {number} is claimed by "{text}" (line {line}) already',
                    number=number,
                    text=other.text,
                    line=_line(other),
                )
                hint = Message("One of the two is another line; `sipsync import` lists them all.")
                yield Diagnostic(Code.DUPLICATE_CONFIG_ID, summary, hint=hint, at=line.entries["config_id"][1].at)


def _titles(lines: list[tuple[Scalar, Mapping]]) -> Iterator[Diagnostic]:
    first: dict[str, tuple[Scalar, str]] = {}
    for key, line in lines:
        node = line.get("title")
        if isinstance(node, Scalar) and node.text:
            other, title = first.setdefault(title_key(node.text), (key, node.text))
            if other is key:
                continue
            if title == node.text:
                summary = Message('the same title as "{key}" (line {line})', key=other.text, line=_line(other))
                hint = Message("A title is unique on a portal; change one of them.")
                yield Diagnostic(Code.DUPLICATE_TITLE, summary, hint=hint, at=node.at)
            else:
                summary = Message(
                    'the portal\'s database may take this title for that of "{key}" (line {line}), "{title}"',
                    key=other.text,
                    line=_line(other),
                    title=clean(title),
                )
                hint = Message(
                    "It compares without letter case, accents and emoji; make the titles differ in more than that."
                )
                yield Diagnostic(Code.SIMILAR_TITLES, summary, hint=hint, at=node.at, severity="warning")


def _slips(sections: list[Mapping]) -> Iterator[Diagnostic]:
    """What looks right and may be meant; what can't be is an error of the value."""
    for section, name in product(sections, SHOWN):
        node = section.get(name)
        if isinstance(node, Scalar) and len(node.text) <= FIELDS[name].max_length:
            for slip in slips(name, node.text):
                if not slip.error:
                    at = node.at_character(slip.at)
                    yield Diagnostic(Code.LOOK_ALIKE, slip.summary, hint=slip.hint, at=at, severity="warning")


def _shared(lines: list[tuple[Scalar, Mapping]]) -> Iterator[Diagnostic]:
    """One reference written at several lines, which often is a copy that was not edited; aliases are meant."""
    first: dict[str, tuple[Scalar, Scalar]] = {}
    for (key, line), name in product(lines, SECRET):
        node = line.get(name)
        if isinstance(node, Scalar) and ":" in node.text:
            other, same = first.setdefault(node.text, (key, node))
            if same is not node:
                summary = Message(
                    'the same {field} reference as "{text}" (line {line})',
                    field=name,
                    text=other.text,
                    line=_line(other),
                )
                hint = Message(
                    "Name another secret; if all lines have one {field}, write it once under `defaults`.", field=name
                )
                yield Diagnostic(Code.SHARED_SECRET, summary, hint=hint, at=node.at, severity="warning")


def _line(key: Scalar) -> str:
    return str(key.source.line_of(key.start))
