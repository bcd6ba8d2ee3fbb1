"""`exec:NAME` and `exec:NAME#KEY`: what a command of the operator's writes. A file only names the command.

It is run at most once for each way of using it, the commands side by side:

- `exec:NAME`: nothing on standard input; the secret is all of standard output, without one line end.
- `exec:NAME#KEY`: all keys of the run as one JSON array on standard input, `["KEY", …]`; on standard output one JSON
  object, `{"KEY": "secret", …}`. A key that it leaves out is an error of that reference alone.

It is UTF-8 both ways. An exit status other than 0 fails all its references. The command is given the operator's
environment, and its standard error is not shown, as it may quote secrets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, SecretError
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.files import without_line_end
from sipsync.secrets.process import SECONDS, NotRun, output
from sipsync.secrets.scheme import Answer, each_source, malformed, problem, text_of


async def resolve(
    refs: Sequence[SecretRef], operator: Operator, *, seconds: float = SECONDS
) -> Mapping[SecretRef, Answer]:
    """What the commands give."""
    return await each_source(
        refs, lambda ref: (ref.source, "#" in ref.rest), lambda group: _values(group, operator, seconds), _value
    )


async def _values(refs: Sequence[SecretRef], operator: Operator, seconds: float) -> Mapping[str, object]:
    """What one command gives for each key; for the key "" where it is used without."""
    name, keyed = refs[0].source, "#" in refs[0].rest
    command = operator.commands.get(name)
    if not command:
        raise _unknown(refs[0], operator)
    keys = list(dict.fromkeys(ref.key for ref in refs))
    stdin = json.dumps(keys, ensure_ascii=False).encode() if keyed else None
    program = Message('the command "{name}"', name=name)
    try:
        ended = await output(program, command, operator.environ_for_others(), stdin, seconds=seconds)
        if ended.status != 0:
            raise NotRun(Message("{program} ended with status {status}", program=program, status=ended.status))
        text = ended.stdout.decode()
        if not keyed:
            return {"": without_line_end(text)}
        if isinstance(values := json.loads(text), dict):
            return values
        summary = Message("{program} did not write a JSON object", program=program)
    except NotRun as error:
        summary = error.summary
    except UnicodeDecodeError:
        summary = Message("{program} wrote what is not UTF-8 text", program=program)
    except (ValueError, RecursionError):
        summary = Message("{program} did not write a JSON object", program=program)
    hint = Message("Run it by hand to see why; its messages are not shown here, as they may quote secrets.")
    raise problem(refs[0], Code.SECRET_SOURCE, summary, hint) from None


def _unknown(ref: SecretRef, operator: Operator) -> SecretError:
    name = ref.source
    if not name:
        return malformed(ref)
    hint = Message("Define it: --secret-command {name}=COMMAND.", name=name)
    summary = Message('the operator defines no command "{name}"', name=name)
    return problem(ref, Code.SECRET_FORBIDDEN, summary, did_you_mean(name, operator.commands, hint, 0.8))


def _value(ref: SecretRef, values: Mapping[str, object]) -> Secret:
    name, key = ref.source, ref.key
    if key not in values:
        summary = Message('the command "{name}" gives nothing for "{key}"', name=name, key=key)
        raise problem(ref, Code.SECRET_UNSET, summary, Message("Check the key."))
    what = Message('what the command "{name}" gives for "{key}"', name=name, key=key)
    return text_of(ref, values[key], what if key else Message('what the command "{name}" gives', name=name))
