"""The one door out of a `Secret`. The import contract in pyproject.toml lists who may open it."""

from __future__ import annotations

from typing import cast

from sipsync.model.secret import VALUE, Secret


def reveal(secret: Secret) -> str:
    """The value of a secret, for a request, a keyed fingerprint or the rule book."""
    return cast("str", VALUE.__get__(secret))
