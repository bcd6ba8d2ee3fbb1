"""`file:PATH`: the text of a file inside the operator's folders, without one line end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sipsync.model.operator import Operator
from sipsync.model.secret import Secret, SecretRef
from sipsync.secrets.files import locate, read_secret
from sipsync.secrets.scheme import Answer, each, malformed


async def resolve(refs: Sequence[SecretRef], operator: Operator) -> Mapping[SecretRef, Answer]:
    """The files' texts."""

    def value(ref: SecretRef) -> Secret:
        if not ref.rest:
            raise malformed(ref)
        return read_secret(ref, locate(ref, ref.rest, operator), ref.rest)

    return each(refs, value)
