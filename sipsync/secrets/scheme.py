"""What a scheme says of each reference: a secret, or a finding at the place where the reference is written.

Inside a scheme a failure is a `SecretError`, so that the way to one secret reads straight; `each` makes it an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias, TypeVar

from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, SecretError
from sipsync.model.secret import SCHEMES, Secret, SecretRef

Answer: TypeAlias = Secret | Diagnostic
_Key = TypeVar("_Key", bound=Hashable)
_Source = TypeVar("_Source")


class Scheme(Protocol):
    """A function that knows one kind of reference.

    A package registers its own under the entry-point group `sipsync.secrets`, by the scheme's name.
    """

    async def __call__(self, refs: Sequence[SecretRef], operator: Operator) -> Mapping[SecretRef, Answer]:
        """A value or a finding for each reference; nothing in a finding may quote a secret."""
        ...


def each(refs: Sequence[SecretRef], get: Callable[[SecretRef], Secret]) -> dict[SecretRef, Answer]:
    """An answer for each reference; one that can't be had does not stop the others."""
    answers: dict[SecretRef, Answer] = {}
    for ref in refs:
        try:
            answers[ref] = get(ref)
        except SecretError as error:
            answers[ref] = error.diagnostics[0]
    return answers


async def each_source(
    refs: Sequence[SecretRef],
    source_of: Callable[[SecretRef], Hashable],
    load: Callable[[Sequence[SecretRef]], Awaitable[_Source]],
    get: Callable[[SecretRef, _Source], Secret],
) -> dict[SecretRef, Answer]:
    """An answer for each reference, where a source is loaded once for all of its own; sources load side by side."""

    async def answers(group: Sequence[SecretRef]) -> dict[SecretRef, Answer]:
        try:
            source = await load(group)
        except SecretError as error:
            return spread(group, error)
        return each(group, lambda ref: get(ref, source))

    groups = await asyncio.gather(*map(answers, grouped(refs, source_of).values()))
    return {ref: answer for group in groups for ref, answer in group.items()}


def spread(refs: Sequence[SecretRef], error: SecretError) -> dict[SecretRef, Answer]:
    """One failure as the answer for all these references, each at its own place."""
    return {ref: replace(error.diagnostics[0], at=ref.at) for ref in refs}


def grouped(refs: Sequence[SecretRef], key: Callable[[SecretRef], _Key]) -> dict[_Key, list[SecretRef]]:
    """The references by what they have in common, in their order."""
    groups: dict[_Key, list[SecretRef]] = {}
    for ref in refs:
        groups.setdefault(key(ref), []).append(ref)
    return groups


def problem(ref: SecretRef, code: Code, summary: Message, hint: Message) -> SecretError:
    """The error for one reference, at its place."""
    return SecretError(Diagnostic(code, summary, hint=hint, at=ref.at))


def malformed(ref: SecretRef) -> SecretError:
    """The error for a reference that does not have its scheme's form."""
    summary = Message("this {scheme}: reference is not complete", scheme=ref.scheme)
    return problem(ref, Code.BAD_VALUE, summary, Message("Write it as {form}.", form=SCHEMES[ref.scheme]))


def missing_extra(ref: SecretRef) -> SecretError:
    """The error for a scheme whose packages are not installed; the extra has its name."""
    from sipsync.disk.extras import how_to_install

    summary = Message("{scheme}: references need a part of sipsync that is not installed", scheme=ref.scheme)
    return problem(ref, Code.SECRET_EXTRA, summary, how_to_install(ref.scheme))


def text_of(ref: SecretRef, value: object, what: Message) -> Secret:
    """The secret, if this value is a text; `what` names the value in the error."""
    if value is None or value == "":
        hint = Message("Store a value there, or change the reference.")
        raise problem(ref, Code.SECRET_UNSET, Message("{what} is empty", what=what), hint)
    if not isinstance(value, str):
        hint = Message("Store it as text, in quotes: as a number it would lose leading zeros.")
        raise problem(ref, Code.SECRET_VALUE, Message("{what} is not a text", what=what), hint)
    return Secret(value)
