"""What each finding means and what to do about it, in plain words: `sipsync explain CODE`, and SARIF's rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sipsync.model.problems import Code

Language = Literal["en", "ru"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One finding, explained to somebody who looks after phone lines and not after programs."""

    title: str
    meaning: str
    action: str


def explain(code: Code, lang: Language = "en") -> Explanation:
    """The explanation of a finding in a language. Every code has one in both."""
    if lang == "ru":
        from sipsync.model.explain_ru import EXPLANATIONS
    else:
        from sipsync.model.explain_en import EXPLANATIONS
    return EXPLANATIONS[code]
