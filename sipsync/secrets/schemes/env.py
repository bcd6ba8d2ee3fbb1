"""`env:NAME`: a variable of the operator's environment, or the text of the file that `NAME_FILE` names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sipsync.disk.files import for_shell, read_regular
from sipsync.model.globs import fits
from sipsync.model.message import Message
from sipsync.model.nearest import did_you_mean
from sipsync.model.operator import Operator, is_own_secret
from sipsync.model.problems import Code
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.files import MAX_BYTES, locate, read_secret
from sipsync.secrets.scheme import Answer, each, problem


async def resolve(refs: Sequence[SecretRef], operator: Operator) -> Mapping[SecretRef, Answer]:
    """The variables' values."""
    return each(refs, lambda ref: _value(ref, operator))


def _value(ref: SecretRef, operator: Operator) -> Secret:
    name, environ = ref.rest, operator.environ
    if not _allowed(name, operator):
        summary = Message("the environment variable {name} is not one that files may read", name=name)
        hint = Message("The operator names those: SIPSYNC_ENV, with globs such as ACME_*.")
        raise problem(ref, Code.SECRET_FORBIDDEN, summary, hint)
    if value := environ.get(name):
        return Secret(value)
    if path := environ.get(f"{name}_FILE"):
        # The operator named this file, but who writes references chooses among all variables that end so.
        shown = Message("{path} (from {name}_FILE)", path=path, name=name)
        return read_secret(ref, locate(ref, os.path.abspath(path), operator, shown), shown)
    if name in environ:
        summary = Message("the environment variable {name} is set, but empty", name=name)
    else:
        summary = Message("the environment variable {name} is not set", name=name)
    if file := _not_loaded(ref, operator):
        hint = Message("It stands in {file}. Load that into this shell: `set -a; . {file}; set +a`.", file=file)
        raise problem(ref, Code.SECRET_UNSET, summary, hint)
    others = [other for other in environ if other != name and _allowed(other, operator)]
    hint = Message("Set it to the secret, or {name}_FILE to a file that holds it.", name=name)
    raise problem(ref, Code.SECRET_UNSET, summary, did_you_mean(name, others, hint, 0.8))


def _not_loaded(ref: SecretRef, operator: Operator) -> str:
    """The file `.env` beside the YAML or at the root that sets the variable, as a shell takes its path; "" for none."""
    beside = Path(ref.at.file if ref.at else "").parent
    for folder in dict.fromkeys((beside, Path(operator.root))):
        try:
            text = (read_regular(folder / ".env", MAX_BYTES) or b"").decode("utf-8", "replace")
        except OSError:
            continue
        if re.search(rf"^(?:export )?{re.escape(ref.rest)}=", text, re.MULTILINE):
            return for_shell(folder / ".env", sourced=True)
    return ""


def _allowed(name: str, operator: Operator) -> bool:
    return not is_own_secret(name) and any(fits(name, glob) for glob in operator.env)
