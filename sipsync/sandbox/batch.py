"""`batch`: commands as texts, run one after the other, each with the answers of earlier ones put in for references.

A reference such as `$result[c0][ID]` is looked for in every value and can't be escaped. What it does where it leads
nowhere, stands inside a longer text or is written in other letters was measured on the server's own source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sipsync.rules.errors import refusal
from sipsync.rules.limits import BATCH_SIZE
from sipsync.rules.php import Array, is_numeric, is_true, key, text, upper_keys
from sipsync.sandbox.parsing import arrays, parse_query, split_command

_NOT_ALLOWED = ("batch", "download")
_INDEX = re.compile(r"\[([^\]]+)\]")
_OFFSET = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_KINDS = ("result", "error", "total", "next", "time")
_REFERENCE = re.compile(rf"\$({'|'.join(_KINDS)})(\S*)", re.IGNORECASE | re.ASCII)

Answers = dict[str, dict[Any, Any]]


def run_batch(given: Array, call: Callable[[str, Array], Mapping[str, Any]]) -> dict[str, Any]:
    """The five maps of a batch; `call` runs one method and gives its envelope."""
    params = upper_keys(given)
    halt = is_true(params.get("HALT"))
    commands = params.get("CMD")
    answers: Answers = {kind: {} for kind in _KINDS}
    for place, (name, command) in enumerate(commands.items() if isinstance(commands, dict) else ()):
        answer: Mapping[str, Any]
        if place >= BATCH_SIZE:
            answer = refusal("ERROR_BATCH_LENGTH_EXCEEDED").body
        elif not isinstance(command, str):
            continue
        else:
            answer = _run(command, answers, call)
        for kind in answers.keys() & answer.keys():
            answers[kind][name] = answer if kind == "error" else answer[kind]
        if "error" in answer and halt:
            break
    return {"result" if kind == "result" else f"result_{kind}": _shown(answers[kind]) for kind in _KINDS}


def _run(command: str, answers: Answers, call: Callable[[str, Array], Mapping[str, Any]]) -> Mapping[str, Any]:
    method, query = split_command(command)
    params = _filled(parse_query(query), answers)
    if method in _NOT_ALLOWED:  # in small letters only (measured)
        return refusal("ERROR_BATCH_METHOD_NOT_ALLOWED").body
    return call((method or "").lower(), params)


def _shown(answers: dict[Any, Any]) -> Any:
    """A map as PHP writes it: a list where the keys are 0, 1, 2…, also where there are none."""
    return list(answers.values()) if list(answers) == list(range(len(answers))) else answers


def _filled(value: Any, answers: Answers) -> Any:
    """The value with what its references lead to, if they lead somewhere."""
    if isinstance(value, dict):
        return {name: _filled(item, answers) for name, item in value.items()}
    filled = value
    for found in _REFERENCE.finditer(value):
        path = _INDEX.findall(found.group(2))
        if not path:
            continue
        target = _reached(answers.get(found.group(1)), path)
        if found.group() == filled:
            return arrays(target)
        if is_numeric(target):
            target = text(target)
        if isinstance(target, str):
            filled = filled.replace(found.group(), target)
    return filled


def _reached(target: Any, path: list[str]) -> Any:
    """What the path leads to, or the last thing on the way where it leads too deep."""
    for step in path:
        inner = _at(target, step)
        if inner is None:
            break
        target = inner
    return target


def _at(target: Any, step: str) -> Any:
    if isinstance(target, dict):
        return target.get(key(step), target.get(step))
    if isinstance(target, list | str) and _OFFSET.fullmatch(step):
        place = int(step)
        if isinstance(target, list) and (place < 0 or str(place) != step):
            return None
        return target[place] if -len(target) <= place < len(target) else None
    return None
