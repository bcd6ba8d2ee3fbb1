"""`exec:NAME` and `exec:NAME#KEY`: what a command of the operator's writes. A file only names the command.

It is run at most once for each way of using it, the commands side by side:

- `exec:NAME`: nothing on standard input; the secret is all of standard output, without one line end.
- `exec:NAME#KEY`: all keys of the run as one JSON array on standard input, `["KEY", …]`; on standard output one JSON
  object, `{"KEY": "secret", …}`. A key that it leaves out is an error of that reference alone.

It is UTF-8 both ways. An exit status other than 0 fails all its references; where they stand in several files, it is
run again for each half of these, down to the one whose key it fails for. The command is given the operator's
environment, and its standard error is not shown, as it may quote secrets.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, SecretError
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.files import without_line_end
from sipsync.secrets.process import SECONDS, NotRun, output
from sipsync.secrets.scheme import Answer, each, grouped, malformed, problem, spread, text_of

MOST_TRIES: Final = 32
"""Runs of one command: enough to find one bad key among the files of 10,000 portals, and no storm where all fail."""


async def resolve(
    refs: Sequence[SecretRef], operator: Operator, *, seconds: float = SECONDS
) -> Mapping[SecretRef, Answer]:
    """What the commands give."""
    uses = grouped(refs, lambda ref: (ref.source, "#" in ref.rest)).values()
    answered = await asyncio.gather(*(_answers(use, operator, seconds) for use in uses))
    return {ref: answer for answers in answered for ref, answer in answers.items()}


async def _answers(refs: Sequence[SecretRef], operator: Operator, seconds: float) -> dict[SecretRef, Answer]:
    """What one command gives. A key that it fails for must not fail the other files', so they are halved."""
    left = [list(grouped(refs, lambda ref: ref.at.file if ref.at else "").values())]
    answers: dict[SecretRef, Answer] = {}
    tries = 0
    while left:
        tries += 1
        files = left.pop(0)
        some = [ref for file in files for ref in file]
        try:
            values = await _values(some, operator, seconds)
        except SecretError as error:
            half = len(files) // 2
            if half and isinstance(error, _Failed) and tries + len(left) < MOST_TRIES:
                left += [files[:half], files[half:]]
            else:
                answers |= spread(some, error)
        else:
            answers |= each(some, partial(_value, values))
    return answers


class _Failed(SecretError):
    """The command ran and failed: perhaps for one of its keys."""


async def _values(refs: Sequence[SecretRef], operator: Operator, seconds: float) -> Mapping[str, object]:
    """What one command gives for each key; for the key "" where it is used without."""
    name, keyed = refs[0].source, "#" in refs[0].rest
    command = operator.commands.get(name)
    if not command:
        raise _unknown(refs[0], operator)
    keys = list(dict.fromkeys(ref.key for ref in refs))
    program = Message('the command "{name}"', name=name)
    no_object = Message("{program} did not write a JSON object", program=program)
    hint = Message("Run it by hand to see why; its messages are not shown here, as they may quote secrets.")
    try:
        stdin = json.dumps(keys, ensure_ascii=False).encode() if keyed else None
        ended = await output(program, command, operator.environ_for_others(), stdin, seconds=seconds)
        text = ended.stdout.decode()
        values = json.loads(text) if keyed and ended.status == 0 else {"": without_line_end(text)}
        if ended.status != 0:
            summary = Message("{program} ended with status {status}", program=program, status=ended.status)
        elif isinstance(values, dict):
            return values
        else:
            summary = no_object
    except NotRun as error:
        raise problem(refs[0], Code.SECRET_SOURCE, error.summary, hint) from None
    except UnicodeEncodeError:
        summary = Message("{program} can't be asked for a key that is not UTF-8 text", program=program)
    except UnicodeDecodeError:
        summary = Message("{program} wrote what is not UTF-8 text", program=program)
    except (ValueError, RecursionError):
        summary = no_object
    raise _Failed(Diagnostic(Code.SECRET_SOURCE, summary, hint=hint, at=refs[0].at))


def _unknown(ref: SecretRef, operator: Operator) -> SecretError:
    name = ref.source
    if not name:
        return malformed(ref)
    hint = Message("Define it: --secret-command {name}=COMMAND.", name=name)
    summary = Message('the operator defines no command "{name}"', name=name)
    return problem(ref, Code.SECRET_FORBIDDEN, summary, did_you_mean(name, operator.commands, hint, 0.8))


def _value(values: Mapping[str, object], ref: SecretRef) -> Secret:
    name, key = ref.source, ref.key
    if key not in values:
        summary = Message('the command "{name}" gives nothing for "{key}"', name=name, key=key)
        raise problem(ref, Code.SECRET_UNSET, summary, Message("Check the key."))
    what = Message('what the command "{name}" gives for "{key}"', name=name, key=key)
    return text_of(ref, values[key], what if key else Message('what the command "{name}" gives', name=name))
