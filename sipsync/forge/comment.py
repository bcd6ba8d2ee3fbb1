"""One comment in a pull or merge request, found again by a hidden mark and edited in place.

Only a comment of our own is edited: anybody may write the mark, and who wrote a comment may change it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sipsync.forge.dialects import DIALECTS, Dialect
from sipsync.forge.http import Api, Unavailable
from sipsync.forge.target import Target, no_api
from sipsync.model.frames import forgetful
from sipsync.model.message import Message
from sipsync.model.problems import SipsyncError

_PAGE: Final = 100
_WAITS: Final = (1.0, 4.0, 15.0)


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of the comment."""

    result: Literal["created", "updated", "unchanged", "planned"]
    """`planned`: a dry run; nothing was sent."""
    body: str
    """The comment's whole text."""
    url: str = ""
    """Where it can be seen, where the forge says it."""


@forgetful
def post(target: Target, body: str, marker: str, *, dry_run: bool = False, sleep: Callable[[float], None]) -> Posted:
    """Write the comment, or edit the one that begins with this mark; raises SipsyncError FORGE.

    After a failure that may pass, the whole is done again, beginning with the search, so that a comment whose writing
    was not answered is found and not written twice.
    """
    text = body if body.startswith(marker) else f"{marker}\n{body}"
    if dry_run:
        return Posted("planned", text)
    for wait in _WAITS:
        try:
            return _put(target, text, marker)
        except Unavailable as error:
            sleep(max(wait, error.wait))
    return _put(target, text, marker)


def _put(target: Target, text: str, marker: str) -> Posted:
    dialect = DIALECTS[target.kind]
    header, prefix = dialect.header(target)
    with Api(target.api, target.token, header, prefix, dialect.hints) as api:
        found = next((row for row in _ours(api, target, dialect) if _body(row).startswith(marker)), None)
        if found is None:
            made = api.send("POST", dialect.comments(target), {"body": text})
            return Posted("created", text, _url(made))
        if _body(found) == text:
            return Posted("unchanged", text, _url(found))
        made = api.send(dialect.edit, dialect.comment(target, found["id"]), {"body": text})
        return Posted("updated", text, _url(made))


def _ours(api: Api, target: Target, dialect: Dialect) -> Iterator[Mapping[str, Any]]:
    """The comments that were written with this token, oldest first."""
    us = _who_we_are(api, dialect)
    for row in _rows(api, target, dialect):
        author = row.get(dialect.author)
        name = author.get(dialect.name) if isinstance(author, Mapping) else None
        if dialect.writable(row) if us is None else name in (None, us):
            yield row


def _who_we_are(api: Api, dialect: Dialect) -> str | None:
    """The name that the token stands for; None where the forge does not tell."""
    try:
        name = api.get("/user").get(dialect.name)
    except Unavailable:
        raise
    except (SipsyncError, AttributeError):
        return None
    return name if isinstance(name, str) else None


def _rows(api: Api, target: Target, dialect: Dialect) -> Iterator[Mapping[str, Any]]:
    page = 1
    while True:
        rows = api.get(dialect.comments(target), per_page=_PAGE, page=page, **dialect.oldest_first)
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and isinstance(row.get("id"), int) for row in rows
        ):
            raise no_api(Message("no list of comments"))
        yield from rows
        if len(rows) < _PAGE:
            return
        page += 1


def _body(row: Mapping[str, Any]) -> str:
    """A comment's text with the line ends that we write; GitHub keeps others where browsers sent them."""
    return str(row.get("body") or "").replace("\r\n", "\n")


def _url(row: object) -> str:
    url = row.get("html_url") if isinstance(row, Mapping) else None
    return url if isinstance(url, str) else ""
