"""Requests as PHP and the server's REST module read them: query strings, bodies, the commands of a batch.

What a client would call a list or an object is one thing here, an array: a dict with whole numbers and texts as keys.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any
from urllib.parse import unquote_to_bytes

from sipsync.rules.php import BLANKS, LARGEST, Array, key

_MOST_VARIABLES = 1000
_DEEPEST = 64
_DEEPEST_JSON = 512
_LONGEST_INTEGER = 20
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z0-9+.-]+")
_PORT = re.compile(r"[0-9]{1,5}(/|$)")
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_NAME = re.compile(r'[; ]name="([^"]*)"')


def parameters(query: str, content_type: str, body: bytes) -> Array:
    """The parameters of a request: those of the URL, replaced by those of the body."""
    found = parse_query(query)
    if body:
        found.update(_of_body(content_type, body))
    return found


def _of_body(content_type: str, body: bytes) -> Array:
    """A body that can't be read has no parameters, and that is no error (server source)."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or "+json" in kind:
        return parse_json(body)
    if kind == "multipart/form-data":
        return _of_form(content_type, body)
    return parse_query(body.decode(errors="replace").strip(BLANKS))


def parse_json(body: bytes) -> Array:
    """The array that a JSON text stands for; empty where it is malformed, nested too deep, or no array."""
    if _depth(body) > _DEEPEST_JSON:
        return {}
    try:
        text = body.decode().strip(BLANKS)
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_int=_number)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is malformed
        return array if isinstance(array := arrays(value), dict) else {}
    except (ValueError, RecursionError):
        return {}


def _object(pairs: list[tuple[str, Any]]) -> Array:
    return {key(name): value for name, value in pairs}


def _depth(body: bytes) -> int:
    """How many arrays and objects stand one in another."""
    steps = (1 if sign in b"[{" else -1 for sign in _QUOTED.sub(b"", body) if sign in b"[]{}")
    return max(accumulate(steps), default=0)


def _number(digits: str) -> int | float:
    """A whole number beyond 64 bits is a float (server source, run)."""
    if len(digits) > _LONGEST_INTEGER:
        return float(digits)
    number = int(digits)
    return number if -LARGEST <= number < LARGEST else float(digits)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def arrays(value: Any) -> Any:
    """The value with its lists as arrays."""
    if not isinstance(value, dict | list):
        return value
    found = dict(enumerate(value)) if isinstance(value, list) else dict(value)
    for name, item in found.items():  # no comprehension: a frame less for each level
        found[name] = arrays(item)
    return found


def _of_form(content_type: str, body: bytes) -> Array:
    """The fields of a multipart form, without its files."""
    found: Array = {}
    boundary = _BOUNDARY.search(content_type)
    for part in body.split(b"--" + boundary.group(1).encode())[1:] if boundary else ():
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head.decode(errors="replace"))
        if name and b"filename=" not in head:
            _register(found, name.group(1), content.removesuffix(b"\r\n").decode(errors="replace"))
    return found


def parse_query(text: str) -> Array:
    """What PHP's parse_str makes of a query string: brackets become arrays, dots and blanks in names underscores."""
    found: Array = {}
    for pair in [pair for pair in text.split("&") if pair][:_MOST_VARIABLES]:
        name, _, value = pair.partition("=")
        _register(found, _decoded(name), _decoded(value))
    return found


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode(errors="replace")


def _register(found: Array, full: str, value: str) -> None:
    full = full.partition("\0")[0].lstrip(" ")
    name, bracket, rest = full.partition("[")
    name = name.replace(" ", "_").replace(".", "_")
    if not name:
        return
    if bracket and "]" not in rest:
        name = f"{name}_{rest}".replace(" ", "_").replace(".", "_").replace("[", "_")
        bracket = ""
    keys: list[int | str | None] = [key(name)]
    while bracket and "]" in rest:
        index, _, rest = rest.partition("]")
        keys.append(None if index in ("", " ", "\t", "\n", "\v", "\f", "\r") else key(index))
        bracket, rest = rest[:1] if rest[:1] == "[" else "", rest[1:]
    if len(keys) > _DEEPEST:
        return
    target = found
    for step in keys[:-1]:
        place = _next(target) if step is None else step
        inner = target.get(place)
        if not isinstance(inner, dict):
            inner = target[place] = {}
        target = inner
    target[_next(target) if keys[-1] is None else keys[-1]] = value


def _next(array: Array) -> int:
    return max((place for place in array if isinstance(place, int)), default=-1) + 1 if array else 0


def split_command(call: str) -> tuple[str | None, str]:
    """Method and query of a batch's command, as PHP's parse_url tells them apart; None where it finds no method."""
    scheme, colon, rest = call.partition(":")
    if colon and scheme:
        if _SCHEME.fullmatch(scheme):
            if not rest or _PORT.match(rest):  # only a scheme; or a host and its port
                return None, ""
            call = rest
        elif _PORT.match(rest) and not re.search("[?#]", scheme):
            return None, ""
    elif colon and (not rest or _PORT.match(rest)):
        return None, ""
    if call.startswith("//"):  # a host; its path would begin with a slash
        return None, ""
    path, _, query = call.partition("#")[0].partition("?")
    return _CONTROL.sub("_", path), _CONTROL.sub("_", query)
