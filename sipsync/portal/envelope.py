"""Typed commands to request bodies, answers to results or one typed error each; batches in and out.

What an answer means is decided by its `error` code alone: statuses disagree between the server's documents and its
source, and an error may come with status 200 (documented). Answers in which a command of a batch is missing, and
those that are not the server's JSON, tell nothing about what was carried out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import quote

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, PortalError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret
from sipsync.portal.errors import Unanswered, unusable
from sipsync.portal.transport import Response
from sipsync.rules.errors import ErrorRule, rule
from sipsync.rules.limits import is_rewritten

_CODE: Final = re.compile(r"[A-Z]+(_[A-Z]+)*|[a-z]+(_[a-z]+)+|-?[0-9]{1,3}")
"""What the server's codes look like: no digits among the letters, which secrets have (server source)."""

_FAR_FUTURE: Final = 1e12
_DIGITS: Final = 18
_NUMBER: Final = re.compile(rf"\s*-?[0-9]{{1,{_DIGITS}}}\s*")
_MOST_VALUES: Final = 1_000_000
"""A full batch has 50,000, and up to 700,000 signs in its titles that are counted with them."""
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")

Value: TypeAlias = "int | str | Secret | Sequence[int] | Mapping[str, Value]"


@dataclass(frozen=True, slots=True)
class Command:
    """One REST method and its parameters."""

    method: str
    params: Mapping[str, Value] = field(default_factory=dict)

    @property
    def travels_alone(self) -> bool:
        """Whether a batch would rewrite one of its values."""
        return is_rewritten(text for _, text in _flat(self.params))


@dataclass(frozen=True, slots=True)
class Result:
    """What a method returned."""

    value: object = field(repr=False)
    """May hold passwords, in clear."""
    total: int | None = None
    """Of a list: how many rows there are in all; absent where there is none."""
    reset_at: float | None = None
    """Unix time at which the method's budget of operating time is whole again, where the server says so."""
    sent_at: float = 0.0
    """The clock's time when it was asked for."""


class ServerError(PortalError):
    """The server's own error, and what its code means."""

    def __init__(self, diagnostic: Diagnostic, rule: ErrorRule) -> None:
        super().__init__(diagnostic, rule.error)
        self.rule = rule


Answer: TypeAlias = Result | PortalError
"""An error is a value here: in a batch, one command's error is not the others'."""


# --- requests ---


def body(command: Command, token: Secret | None) -> bytes:
    """The JSON body of one command.

    It carries an application's token: an address or a header would show it to more programs on the way (documented).
    """
    params = _revealed(command.params) | ({"auth": reveal(token)} if token else {})
    return json.dumps(params, ensure_ascii=False).encode()


def batch(commands: Sequence[Command], *, halt: bool) -> Command:
    """Several commands as one; `halt` stops at the first error.

    Keys are not numeric, as PHP would return numeric ones as a list (server source).
    """
    return Command(
        "batch",
        {
            "halt": int(halt),
            "cmd": {key: Secret(_line(command)) for key, command in zip(_keys(commands), commands, strict=True)},
        },
    )


def _keys(commands: Sequence[Command]) -> list[str]:
    return [f"c{number}" for number in range(len(commands))]


def _line(command: Command) -> str:
    """A command as it stands in a batch. Each name and value is percent-encoded: the server parses it as a URL."""
    query = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in _flat(command.params))
    return f"{command.method}?{query}" if query else command.method


def _flat(params: Mapping[str, Value], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names with PHP's brackets, and their texts."""
    for name, value in params.items():
        full = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, Mapping):
            yield from _flat(value, full)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from _flat({str(place): item for place, item in enumerate(value)}, full)
        else:
            yield full, reveal(value) if isinstance(value, Secret) else str(value)


def _revealed(params: Mapping[str, Value]) -> dict[str, object]:
    return {name: _plain(value) for name, value in params.items()}


def _plain(value: Value) -> object:
    if isinstance(value, Secret):
        return reveal(value)
    return _revealed(value) if isinstance(value, Mapping) else value


# --- answers ---


def document_of(body: bytes) -> object:
    """A body's JSON, of whole characters only; a number without bounds stays a text. Raises ValueError."""
    if sum(map(body.count, b",[{")) > _MOST_VALUES:  # an empty list takes thirty times as much as its two signs
        raise ValueError
    document: object = json.loads(body.decode("utf-8-sig"), parse_int=_int, parse_float=_float, parse_constant=str)
    if _HALF.search(body):
        json.dumps(document, ensure_ascii=False).encode()
    return document


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS else digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def read(response: Response, host: str, method: str) -> Result:
    """The method's result; raises `ServerError`, or `Unanswered` where the body is not the server's JSON.

    An answer with a result and an error is of no use: believing the error would call undone what was done.
    """
    try:
        document = document_of(response.body)
    except (ValueError, RecursionError):
        raise _not_json(response, host) from None
    if not isinstance(document, dict) or ("error" not in document and "result" not in document):
        raise _not_json(response, host)
    if "error" in document:
        if document.get("result") is not None:
            raise unusable(host, Message("it has both a result and an error"))
        raise server_error(document, host, method, response.status)
    return _result(document["result"], document.get("total"), document.get("time"), response.sent_at)


def read_batch(result: Result, host: str, commands: Sequence[Command]) -> list[Answer | None]:
    """What became of each command of a batch; None where the answer does not say, or says two things."""
    maps = result.value if isinstance(result.value, dict) else {}
    results, errors, totals, times = (
        _map(maps.get(name)) for name in ("result", "result_error", "result_total", "result_time")
    )
    answers: list[Answer | None] = []
    for key, command in zip(_keys(commands), commands, strict=True):
        if key in errors and results.get(key) is None:
            answers.append(server_error(errors[key], host, command.method))
        elif key in results and key not in errors:
            answers.append(_result(results[key], totals.get(key), times.get(key), result.sent_at))
        else:
            answers.append(None)
    return answers


def server_error(document: object, host: str, method: str, status: int | None = None) -> ServerError:
    """The typed error of an answer. The server's own words are left out: they are localised, and may quote values."""
    row = rule(code(_map(document).get("error")), status)
    what = Message("the request") if method == "batch" else method
    if row.error:
        summary = Message(
            "{host} refused {what} ({error}): {text}", host=host, what=what, error=row.error, text=row.text
        )
    else:
        summary = Message("{host} refused {what}: {text}", host=host, what=what, text=row.text)
    return ServerError(Diagnostic(row.code, summary, hint=row.advice), row)


def code(error: object) -> str:
    """The code of an error, "" where it has not the form of one: what is no code may quote the request."""
    return str(error) if isinstance(error, str | int) and _CODE.fullmatch(str(error)) else ""


def missing(host: str, method: str) -> Unanswered:
    """The error for a command that the answer of its batch does not mention."""
    summary = Message("{host} did not say what became of {method}", host=host, method=method)
    hint = Message("Read the lines again to see what was carried out.")
    return Unanswered(Diagnostic(Code.NOT_BITRIX24, summary, hint=hint))


def _map(value: object) -> Mapping[str, object]:
    """A map of the answer; PHP writes an empty one as a list."""
    return value if isinstance(value, dict) else {}


def _result(value: object, total: object, time: object, sent_at: float) -> Result:
    reset_at = _map(time).get("operating_reset_at")
    known = float(reset_at) if isinstance(reset_at, int | float) and 0 < reset_at < _FAR_FUTURE else None
    return Result(value, total=whole(total), reset_at=known, sent_at=sent_at)


def whole(value: object) -> int | None:
    """A number that the server gave as a number or as text."""
    if isinstance(value, str):
        return int(value) if _NUMBER.fullmatch(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_HTML: Final = (b"<!doctype", b"<html")


def _not_json(response: Response, host: str) -> Unanswered:
    html = response.content_type == "text/html" or response.body.lstrip()[:9].lower().startswith(_HTML)
    form = Message("a web page") if html else Message("something that is not its JSON")
    if response.status >= 500:
        hint = Message("The portal may be overloaded or under maintenance; try again later.")
    elif html:
        hint = Message(
            "Check the host and that the whole webhook URL was copied; a login page or firewall may stand in front."
        )
    else:
        hint = Message("Try again; if it happens again, check that the host is a Bitrix24 portal.")
    summary = Message("{host} answered with {form} (status {status})", host=host, form=form, status=response.status)
    return Unanswered(
        Diagnostic(Code.NOT_BITRIX24, summary, hint=hint),
        temporary=not html or response.status == 429 or response.status >= 500,
    )
