"""Secrets of this machine: `env:NAME`, `file:PATH` and `exec:NAME` or `exec:NAME#KEY`.

A command for `exec:` is the operator's; the file only names it. It is run at most once for each way of using it:

- `exec:NAME`: nothing on standard input; the secret is all of standard output, without one line end.
- `exec:NAME#KEY`: all keys of the run as one JSON array on standard input, `["KEY", …]`; on standard output one JSON
  object, `{"KEY": "secret", …}`. A key that it leaves out is an error of that reference alone.

It is UTF-8 both ways. An exit status other than 0 fails all its references. The command is given the operator's
environment, and its standard error is not shown, as it may quote secrets.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.problems import Code, SecretError
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.files import locate, read_text, without_line_end
from sipsync.secrets.process import SECONDS, NotRun, output
from sipsync.secrets.scheme import (
    OWN_SECRETS,
    Answer,
    each,
    environ_for_others,
    grouped,
    malformed,
    problem,
    spread,
    text_of,
)

if TYPE_CHECKING:
    from sipsync.model.operator import Operator


class EnvScheme:
    """`env:NAME`: a variable of the operator's environment, or the file that `NAME_FILE` names."""

    def __init__(self, operator: Operator) -> None:
        self._environ = operator.environ
        self._globs = operator.env

    async def resolve(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        """The variables' values."""
        return each(refs, self._value)

    def _value(self, ref: SecretRef) -> Secret:
        name = ref.rest
        if not self._allowed(name):
            raise problem(
                ref,
                Code.SECRET_FORBIDDEN,
                Message("the environment variable {name} is not one that files may read", name=name),
                Message("The operator names those: SIPSYNC_ENV, with globs such as ACME_*."),
            )
        if value := self._environ.get(name):
            return Secret(value)
        if path := self._environ.get(f"{name}_FILE"):
            # The operator's environment names this file, so it may be anywhere.
            return Secret(read_text(ref, Path(path), f"{path} (from {name}_FILE)"))
        state = "is set, but empty" if name in self._environ else "is not set"
        others = (other for other in self._environ if other != name and self._allowed(other))
        otherwise = Message("Set it to the secret, or {name}_FILE to a file that holds it.", name=name)
        raise problem(
            ref,
            Code.SECRET_UNSET,
            Message("the environment variable {name} {state}", name=name, state=state),
            did_you_mean(name, others, otherwise, 0.8),
        )

    def _allowed(self, name: str) -> bool:
        return name not in OWN_SECRETS and any(fnmatchcase(name, glob) for glob in self._globs)


class FileScheme:
    """`file:PATH`: the text of a file inside the operator's folders, without one line end."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    async def resolve(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        """The files' texts."""
        return each(refs, self._value)

    def _value(self, ref: SecretRef) -> Secret:
        if not ref.rest:
            raise malformed(ref, "file:PATH")
        return Secret(read_text(ref, locate(ref, ref.rest, self._operator), ref.rest))


class ExecScheme:
    """`exec:NAME` and `exec:NAME#KEY`: what a command of the operator's writes."""

    def __init__(self, operator: Operator, *, seconds: float = SECONDS) -> None:
        self._operator = operator
        self._seconds = seconds

    async def resolve(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        """What the commands give; they run side by side."""
        groups = grouped(refs, lambda ref: "#".join(ref.rest.partition("#")[:2]))
        answered = await asyncio.gather(*(self._run(group) for group in groups.values()))
        return {ref: answer for answers in answered for ref, answer in answers.items()}

    async def _run(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        """The answers of one command, used in one way."""
        name, keyed, _ = refs[0].rest.partition("#")
        try:
            values = await self._values(refs, name, bool(keyed))
        except SecretError as error:
            return spread(refs, error)
        return each(refs, lambda ref: _value_of(ref, name, values))

    async def _values(self, refs: Sequence[SecretRef], name: str, keyed: bool) -> Mapping[str, object]:
        """What the command gives for each key; for the key "" where it is used without."""
        command = self._operator.commands.get(name)
        if not command:
            raise self._unknown(refs[0], name)
        keys = list(dict.fromkeys(ref.rest.partition("#")[2] for ref in refs))
        stdin = json.dumps(keys, ensure_ascii=False).encode() if keyed else None
        try:
            ended = await output(command, environ_for_others(self._operator), stdin, seconds=self._seconds)
            if ended.status != 0:
                raise NotRun(f"ended with status {ended.status}")
            text = ended.stdout.decode()
            return _json_object(text) if keyed else {"": without_line_end(text)}
        except (NotRun, UnicodeDecodeError) as error:
            raise problem(
                refs[0],
                Code.SECRET_SOURCE,
                Message(
                    'the command "{name}" {error}',
                    name=name,
                    error=error if isinstance(error, NotRun) else "wrote what is not UTF-8 text",
                ),
                Message("Run it by hand to see why; its messages are not shown here, as they may quote secrets."),
            ) from None

    def _unknown(self, ref: SecretRef, name: str) -> SecretError:
        if not name:
            return malformed(ref, "exec:NAME or exec:NAME#KEY")
        return problem(
            ref,
            Code.SECRET_FORBIDDEN,
            Message('the operator defines no command "{name}"', name=name),
            did_you_mean(
                name, self._operator.commands, Message("Define it: --secret-command {name}=COMMAND.", name=name)
            ),
        )


def _json_object(text: str) -> Mapping[str, object]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise NotRun("did not write a JSON object")
    return values


def _value_of(ref: SecretRef, name: str, values: Mapping[str, object]) -> Secret:
    key = ref.rest.partition("#")[2]
    if key not in values:
        raise problem(
            ref,
            Code.SECRET_UNSET,
            Message('the command "{name}" gives nothing for "{key}"', name=name, key=key),
            Message("Check the key."),
        )
    what = f' for "{key}"' if key else ""
    return text_of(ref, values[key], f'what the command "{name}" gives{what}')
