"""References become values: once per run, all references of a scheme in one call, the schemes side by side.

A scheme is found by its name: ours in the table below, others among the entry points `sipsync.secrets` of installed
packages, which are looked for only when a name is not ours. None can take the place of one of ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from sipsync.model.fields import FIELDS, FieldName
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.problems import Code, Diagnostic, SecretError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Resolved, Secret, SecretRef
from sipsync.rules.php import BLANKS
from sipsync.secrets.scheme import Answer, grouped, problem, spread

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from sipsync.model.operator import Operator

BUILT_IN: Final = {
    "env": "sipsync.secrets.schemes.local:EnvScheme",
    "file": "sipsync.secrets.schemes.local:FileScheme",
    "exec": "sipsync.secrets.schemes.local:ExecScheme",
    "sops": "sipsync.secrets.schemes.sops:SopsScheme",
    "vault": "sipsync.secrets.schemes.vault:VaultScheme",
    "keyring": "sipsync.secrets.schemes.keyring:KeyringScheme",
}
_GROUP: Final = "sipsync.secrets"

_log = logging.getLogger(__name__)


class Scheme(Protocol):
    """What a package registers under the entry-point group `sipsync.secrets`, by the scheme's name."""

    def __init__(self, operator: Operator) -> None: ...

    async def resolve(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Secret | Diagnostic]:
        """A value or a finding for each reference; nothing in a finding may quote a secret."""
        ...


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the references stand for; each is in exactly one of the two."""

    values: Resolved
    failures: Mapping[SecretRef, Diagnostic]


class KnownSchemes(Set[str]):
    """The names of all schemes; installed packages are searched only for a name that is not ours."""

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN or name in _plugins()

    def __iter__(self) -> Iterator[str]:
        return iter({**BUILT_IN, **_plugins()})

    def __len__(self) -> int:
        return len({**BUILT_IN, **_plugins()})


def known_schemes() -> KnownSchemes:
    """The names of the schemes that references may have."""
    return KnownSchemes()


@cache
def _plugins() -> Mapping[str, EntryPoint]:
    from importlib.metadata import entry_points  # dear, and most runs do not need it

    return {entry.name: entry for entry in entry_points(group=_GROUP)}


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
        scheme = _scheme(name)
    except SecretError as error:
        return spread(refs, error)
    try:
        answers = await scheme(operator).resolve(refs)
        return {ref: _checked(ref, answers.get(ref)) for ref in refs}
    except Exception as error:
        # A package that we don't know; its error may quote secrets, so only its kind is told.
        kind = type(error).__name__
        _log.debug("the scheme %s failed: %s", name, kind)
        return {ref: _broken(ref, f"failed ({kind})") for ref in refs}


def _scheme(name: str) -> type[Scheme]:
    """The scheme of this name; raises SecretError."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return cast("type[Scheme]", getattr(import_module(module), attribute))
    ref = SecretRef(name, "…")
    if name not in _plugins():
        raise problem(
            ref,
            Code.SECRET_SCHEME,
            Message('there is no kind of secret "{name}:"', name=name),
            did_you_mean(
                name, KnownSchemes(), Message("There are {schemes}.", schemes=", ".join(sorted(KnownSchemes())))
            ),
        )
    try:
        return cast("type[Scheme]", _plugins()[name].load())
    except Exception as error:
        raise problem(
            ref,
            Code.SECRET_SCHEME,
            Message('the package for "{name}:" can\'t be loaded ({name2})', name=name, name2=type(error).__name__),
            Message("Install it again, or ask its author."),
        ) from None


def _checked(ref: SecretRef, answer: object) -> Answer:
    """The answer, if it is one that the rest of the program can hold."""
    if isinstance(answer, Diagnostic):
        return answer
    if not isinstance(answer, Secret):
        return _broken(ref, "gave no answer")
    try:
        reveal(answer).encode()
    except UnicodeEncodeError:
        return Diagnostic(
            Code.SECRET_VALUE,
            Message('the value of "{ref}" is not UTF-8 text', ref=ref),
            hint=Message("Store it as UTF-8."),
            at=ref.at,
        )
    return answer


def _broken(ref: SecretRef, what: str) -> Diagnostic:
    return Diagnostic(
        Code.SECRET_SOURCE,
        Message('the kind of secret "{scheme}:" {what}', scheme=ref.scheme, what=what),
        hint=Message("Ask the author of its package."),
        at=ref.at,
    )


def check_value(field: FieldName, ref: SecretRef, secret: Secret) -> Diagnostic | None:
    """What is wrong with a secret as the value of a SIP line's field.

    The server would store something else than it was sent, so the line would differ, and re-register, for ever.
    """
    value, longest = reveal(secret), FIELDS[field].max_length
    if not value:
        what, hint = "is empty", Message("Store a {field} there.", field=field)
    elif value != value.strip(BLANKS):
        what, hint = "begins or ends with white space, which Bitrix24 would cut off", Message("Store it without.")
    elif len(value) > longest:
        what, hint = f"is longer than the {longest} characters that Bitrix24 stores", Message("Use a shorter one.")
    else:
        return None
    return Diagnostic(
        Code.SECRET_VALUE,
        Message('the {field} from "{ref}" {what}', field=field, ref=ref, what=what),
        hint=hint,
        at=ref.at,
    )
