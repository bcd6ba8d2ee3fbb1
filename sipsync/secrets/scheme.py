"""What a scheme says of each reference: a secret, or a finding at the place where the reference is written.

Inside a scheme a failure is a `SecretError`, so that the way to one secret reads straight; `each` makes it an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SecretError
from sipsync.model.secret import Secret, SecretRef

if TYPE_CHECKING:
    from sipsync.model.operator import Operator

Answer: TypeAlias = Secret | Diagnostic

OWN_SECRETS: Final = frozenset({"SIPSYNC_PLAN_KEY", "SIPSYNC_FORGE_TOKEN"})
"""Variables that are sipsync's own: no reference reaches them, and no other program is given them."""


def each(refs: Sequence[SecretRef], get: Callable[[SecretRef], Secret]) -> dict[SecretRef, Answer]:
    """An answer for each reference; one that can't be had does not stop the others."""
    answers: dict[SecretRef, Answer] = {}
    for ref in refs:
        try:
            answers[ref] = get(ref)
        except SecretError as error:
            answers[ref] = error.diagnostics[0]
    return answers


def spread(refs: Sequence[SecretRef], error: SecretError) -> dict[SecretRef, Answer]:
    """One failure as the answer for all these references, each at its own place."""
    return {ref: replace(error.diagnostics[0], at=ref.at) for ref in refs}


def problem(ref: SecretRef, code: Code, summary: Message, hint: Message) -> SecretError:
    """The error for one reference, at its place."""
    return SecretError(Diagnostic(code, summary, hint=hint, at=ref.at))


def malformed(ref: SecretRef, form: str) -> SecretError:
    """The error for a reference that does not have its scheme's form."""
    return problem(
        ref,
        Code.BAD_VALUE,
        Message("this {scheme}: reference is not complete", scheme=ref.scheme),
        Message("Write it as {form}.", form=form),
    )


def missing_extra(ref: SecretRef, extra: str) -> SecretError:
    """The error for a scheme whose packages are not installed."""
    return problem(
        ref,
        Code.SECRET_EXTRA,
        Message("{scheme}: references need an extra of sipsync that is not installed", scheme=ref.scheme),
        Message('Install it: `pip install "sipsync[{extra}]"`.', extra=extra),
    )


def text_of(ref: SecretRef, value: object, what: str) -> Secret:
    """The secret, if this value is a text; `what` names the value in the error."""
    if value is None or value == "":
        raise problem(
            ref,
            Code.SECRET_UNSET,
            Message("{what} is empty", what=what),
            Message("Store a value there, or change the reference."),
        )
    if not isinstance(value, str):
        raise problem(
            ref,
            Code.SECRET_VALUE,
            Message("{what} is not a text", what=what),
            Message("Store it as text, in quotes: as a number it would lose leading zeros."),
        )
    return Secret(value)


def environ_for_others(operator: Operator) -> dict[str, str]:
    """The operator's environment as other programs are given it.

    It is passed on whole, as password managers need it (sessions, sockets, proxies), but for sipsync's own secrets.
    """
    return {name: value for name, value in operator.environ.items() if name not in OWN_SECRETS}


def grouped(refs: Sequence[SecretRef], key: Callable[[SecretRef], str]) -> Mapping[str, list[SecretRef]]:
    """The references by what they have in common, in their order."""
    groups: dict[str, list[SecretRef]] = {}
    for ref in refs:
        groups.setdefault(key(ref), []).append(ref)
    return groups
