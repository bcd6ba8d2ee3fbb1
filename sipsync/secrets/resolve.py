"""References become values: once per run, all references of a scheme in one call, the schemes side by side.

A scheme is found by its name, as `known` knows it. None can take the place of one of ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.frames import forgetful
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, SecretError
from sipsync.model.reveal import reveal
from sipsync.model.secret import SCHEMES, Resolved, Secret, SecretRef
from sipsync.rules.php import BLANKS
from sipsync.secrets import known
from sipsync.secrets.scheme import Answer, Scheme, grouped, problem, spread

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the references stand for; each is in exactly one of the two."""

    values: Resolved
    failures: Mapping[SecretRef, Diagnostic]


@forgetful
async def resolve(refs: Iterable[SecretRef], operator: Operator) -> Resolution:
    """The values of all references, and a finding for each one that can't be had."""
    groups = grouped(list(dict.fromkeys(refs)), lambda ref: ref.scheme)
    answered = await asyncio.gather(*(_ask(name, group, operator) for name, group in groups.items()))
    answers = {ref: answer for group in answered for ref, answer in group.items()}
    return Resolution(
        values={ref: answer for ref, answer in answers.items() if isinstance(answer, Secret)},
        failures={ref: answer for ref, answer in answers.items() if isinstance(answer, Diagnostic)},
    )


async def _ask(name: str, refs: Sequence[SecretRef], operator: Operator) -> Mapping[SecretRef, Answer]:
    """A scheme's answers; whatever it does, each reference gets one."""
    try:
        scheme = _scheme(refs[0])
    except SecretError as error:
        return spread(refs, error)
    try:
        answers = await scheme(refs, operator)
        return {ref: _checked(ref, answers.get(ref)) for ref in refs}
    except Exception as error:
        # A package that we don't know; its error may quote secrets, so only its kind is told.
        kind = type(error).__name__
        _log.debug("the scheme %s failed: %s", name, kind)
        summary = Message('the kind of secret "{name}:" failed ({kind})', name=name, kind=kind)
        return spread(refs, _broken(refs[0], summary))


def _scheme(ref: SecretRef) -> Scheme:
    """The scheme of this reference; raises SecretError."""
    name = ref.scheme
    if name in SCHEMES:
        return cast("Scheme", import_module(f"sipsync.secrets.schemes.{name}").resolve)
    if name not in known.plugins():
        names = known.KnownSchemes()
        hint = did_you_mean(name, names, Message("There are {schemes}.", schemes=", ".join(sorted(names))))
        raise problem(ref, Code.SECRET_SCHEME, Message('there is no kind of secret "{name}:"', name=name), hint)
    try:
        return cast("Scheme", known.plugins()[name].load())
    except Exception as error:
        kind = type(error).__name__
        summary = Message('the package for "{name}:" can\'t be loaded ({kind})', name=name, kind=kind)
        hint = Message("Install it again, or ask its author.")
        raise problem(ref, Code.SECRET_SCHEME, summary, hint) from None


def _checked(ref: SecretRef, answer: object) -> Answer:
    """The answer, if it is one that the rest of the program can hold."""
    if isinstance(answer, Diagnostic):
        return answer
    if not isinstance(answer, Secret):
        summary = Message('the kind of secret "{scheme}:" gave no answer', scheme=ref.scheme)
        return _broken(ref, summary).diagnostics[0]
    try:
        reveal(answer).encode()
    except UnicodeEncodeError:
        summary = Message('the value of "{ref}" is not UTF-8 text', ref=ref)
        return Diagnostic(Code.SECRET_VALUE, summary, hint=Message("Store it as UTF-8."), at=ref.at)
    return answer


def _broken(ref: SecretRef, summary: Message) -> SecretError:
    return problem(ref, Code.SECRET_SOURCE, summary, Message("Ask the author of its package."))


@forgetful
def check_value(field: FieldName, ref: SecretRef, secret: Secret) -> Diagnostic | None:
    """What is wrong with a secret as the value of a SIP line's field.

    The server would store something else than it was sent, so the line would differ, and re-register, for ever.
    """
    value, longest = reveal(secret), FIELDS[field].max_length
    if not value:
        summary = Message('the {field} from "{ref}" is empty', field=field, ref=ref)
        hint = Message("Store a {field} there.", field=field)
    elif value != value.strip(BLANKS):
        summary = Message(
            'the {field} from "{ref}" begins or ends with white space, which Bitrix24 would cut off',
            field=field,
            ref=ref,
        )
        hint = Message("Store it without.")
    elif len(value) > longest:
        summary = Message(
            'the {field} from "{ref}" is longer than the {longest} characters that Bitrix24 stores',
            field=field,
            ref=ref,
            longest=longest,
        )
        hint = Message("Use a shorter one.")
    else:
        return None
    return Diagnostic(Code.SECRET_VALUE, summary, hint=hint, at=ref.at)
