"""`keyring:SERVICE/USER`: what the system keeps for a user of a service. The service may hold slashes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.scheme import Answer, each, malformed, missing_extra, problem, text_of

HINT = Message("Check it with `keyring diagnose`; servers and CI have none, use another kind of reference there.")


async def resolve(refs: Sequence[SecretRef], _operator: Operator) -> Mapping[SecretRef, Answer]:
    """What the keyring holds. It may ask its user to unlock it, so this does not block the event loop."""
    return await asyncio.to_thread(each, refs, _value)


def _value(ref: SecretRef) -> Secret:
    service, _, user = ref.rest.rpartition("/")
    if not service or not user:
        raise malformed(ref)
    keyring = module(ref)
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # backends are others' packages, and raise what they like
        summary = Message("the keyring can't be read: {reason}", reason=reason(error))
        raise problem(ref, Code.SECRET_SOURCE, summary, HINT) from None
    if value is None:
        summary = Message('the keyring has nothing for the user "{user}" of "{service}"', user=user, service=service)
        hint = Message("Store it: `keyring set {service} {user}`.", service=service, user=user)
        raise problem(ref, Code.SECRET_UNSET, summary, hint)
    return text_of(
        ref, value, Message('the keyring\'s value for the user "{user}" of "{service}"', user=user, service=service)
    )


def module(ref: SecretRef) -> Any:
    """The package `keyring`; raises SecretError where it is not installed."""
    try:
        return import_module("keyring")
    except ImportError:
        raise missing_extra(ref) from None


def reason(error: Exception) -> Message:
    """Why, by the error's kind: its text is a backend's own and may quote anything."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "NoKeyringError" in kinds:
        return Message("this machine has none")
    if kinds & {"KeyringLocked", "InitError"}:
        return Message("it is locked")
    return Message("it failed ({kind})", kind=type(error).__name__)
