"""Where passwords are put that a portal returned, or somebody typed: files, a SOPS file or the system's keyring.

Each function keeps its values and gives, for each name, the reference to write into the portal's file. What a store
holds besides is left as it is.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sipsync.disk.files import is_device, private_folder, read_private, refuse_outside, write_private
from sipsync.model.frames import forgetful
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.problems import Code, Diagnostic, SecretError, SipsyncError
from sipsync.model.reveal import reveal
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.process import SECONDS
from sipsync.secrets.resolve import check_value
from sipsync.secrets.schemes import keyring as keyrings
from sipsync.secrets.schemes import sops

_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_HEAD: Final = "# Never commit this file. To use it: set -a; . ./{name}; set +a\n"


@forgetful
def store_env(values: Mapping[str, Secret], out: Path) -> dict[str, str]:
    """Write variables into a file that a shell can read, for this user alone; lines of other variables are kept."""
    lines = []
    for name, secret in values.items():
        value = reveal(secret)
        if not _VARIABLE.fullmatch(name) or any(sign in value for sign in "\n\r\0"):
            summary = Message("{name} can't be kept in an environment file", name=name)
            raise _failed(Code.SECRET_VALUE, summary, Message("Keep it with sops."))
        lines.append(f"{name}={shlex.quote(value)}\n")
    kept = read_private(out)
    try:
        before = _HEAD.format(name=out.name) if kept is None else kept.decode()
    except UnicodeDecodeError:
        summary = Message("{out} is not UTF-8 text", out=out)
        raise _failed(Code.UNWRITABLE, summary, Message("Name another file.")) from None
    others = [line for line in before.splitlines(keepends=True) if line.partition("=")[0] not in values]
    if others and not others[-1].endswith("\n"):
        others.append("\n")
    write_private(out, "".join([*others, *lines]).encode())
    return {name: f"env:{name}" for name in values}


@forgetful
def keep(name: str, secret: Secret, folder: Path, service: str | None) -> str:
    """Keep one password, for this user alone, in a file below `.sipsync` or in the keyring; the reference to it."""
    scheme, rest = ("file", f".sipsync/secrets/{name}") if service is None else ("keyring", f"{service}/{name}")
    ref = SecretRef(scheme, rest)
    if problem := check_value("password", ref, secret):
        raise SecretError(problem)
    if service is not None:
        return store_keyring({name: secret}, service)[name]
    if is_device(name):
        summary = Message("{name} is a device on Windows", name=name)
        raise _failed(Code.SECRET_VALUE, summary, Message("Give it another name."))
    place = folder / ref.rest
    refuse_outside(place)
    private_folder(folder / ".sipsync")
    private_folder(place.parent)
    write_private(place, f"{reveal(secret)}\n".encode())
    return str(ref)


@forgetful
def store_keyring(values: Mapping[str, Secret], service: str) -> dict[str, str]:
    """Keep values in the system's keyring, as users of this service."""
    keyring = keyrings.module(SecretRef("keyring", service))
    for name, secret in values.items():
        try:
            keyring.set_password(service, name, reveal(secret))
        except Exception as error:  # backends are others' packages, and raise what they like
            summary = Message("the keyring can't be written: {reason}", reason=keyrings.reason(error))
            raise _failed(Code.UNWRITABLE, summary, keyrings.HINT) from None
    return {name: f"keyring:{service}/{name}" for name in values}


@forgetful
def store_sops(values: Mapping[str, Secret], file: Path, operator: Operator) -> dict[str, str]:
    """Keep values at the top of a file that SOPS encrypts; a new one is made by the rules of the nearest .sops.yaml."""
    binary = sops.binary(SecretRef("sops", str(file)), operator)
    plain = {name: reveal(secret) for name, secret in values.items()}
    if file.exists():
        for name, value in plain.items():
            place = [str(file.absolute()), json.dumps([name])]
            _run([binary, "set", "--value-stdin", *place], json.dumps(value), file, operator)
    else:
        kind = "json" if file.suffix == ".json" else "yaml"
        formats = ["--input-type", "json", "--output-type", kind, "--filename-override", str(file.absolute())]
        write_private(file, _run([binary, "encrypt", *formats], json.dumps(plain), file, operator))
    root = Path(operator.root).resolve()
    path = file.resolve()
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return {name: f"sops:{shown}#/{name.replace('~', '~0').replace('/', '~1')}" for name in values}


def _run(command: Sequence[str], stdin: str, file: Path, operator: Operator) -> bytes:
    """What `sops` writes; the plain text goes to its standard input, never to the disk or a list of arguments."""
    try:
        ended = subprocess.run(
            command,
            input=stdin.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=sops.environ(operator),
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        summary = Message("sops can't be run, or did not end")
        raise _failed(
            Code.UNWRITABLE, summary, Message("Try `{program} --version` by hand.", program=command[0])
        ) from None
    if ended.returncode != 0:
        summary = Message("sops can't encrypt into {file} (status {status})", file=file, status=ended.returncode)
        hint = Message(
            "An existing file needs its key (SOPS_AGE_KEY_FILE); a new one a rule in .sops.yaml or SOPS_AGE_RECIPIENTS."
        )
        raise _failed(Code.UNWRITABLE, summary, hint)
    return ended.stdout


def _failed(code: Code, summary: Message, hint: Message) -> SipsyncError:
    return SecretError(Diagnostic(code, summary, hint=hint))
