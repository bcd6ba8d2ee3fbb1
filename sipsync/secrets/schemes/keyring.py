"""Secrets of the system's keyring: `keyring:SERVICE/USER`. The service may hold slashes, the user does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sipsync.model.message import Message
from sipsync.model.problems import Code
from sipsync.secrets.scheme import Answer, each, malformed, missing_extra, problem, text_of

if TYPE_CHECKING:
    from sipsync.model.operator import Operator
    from sipsync.model.secret import Secret, SecretRef


class KeyringScheme:
    """`keyring:SERVICE/USER`: what the system keeps for a user of a service."""

    def __init__(self, operator: Operator) -> None:
        """The keyring is the user's own; there is nothing to allow."""

    async def resolve(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        """What the keyring holds. It may ask its user to unlock it, so this does not block the event loop."""
        return await asyncio.to_thread(each, refs, _value)


def _value(ref: SecretRef) -> Secret:
    service, _, user = ref.rest.rpartition("/")
    if not service or not user:
        raise malformed(ref, "keyring:SERVICE/USER")
    keyring = module(ref)
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # backends are others' packages, and raise what they like
        raise problem(
            ref, Code.SECRET_SOURCE, Message("the keyring can't be read: {reason}", reason=reason(error)), HINT
        ) from None
    if value is None:
        raise problem(
            ref,
            Code.SECRET_UNSET,
            Message('the keyring has nothing for the user "{user}" of "{service}"', user=user, service=service),
            Message("Store it: `keyring set {service} {user}`.", service=service, user=user),
        )
    return text_of(ref, value, f'the keyring\'s value for the user "{user}" of "{service}"')


HINT = Message("Check it with `keyring diagnose`; servers and CI have none, use another kind of reference there")


def module(ref: SecretRef) -> Any:
    """The package `keyring`; raises SecretError where it is not installed."""
    try:
        return import_module("keyring")
    except ImportError:
        raise missing_extra(ref, "keyring") from None


def reason(error: Exception) -> str:
    """Why, by the error's kind: its text is a backend's own and may quote anything."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "NoKeyringError" in kinds:
        return "this machine has none"
    if kinds & {"KeyringLocked", "InitError"}:
        return "it is locked"
    return f"it failed ({type(error).__name__})"
