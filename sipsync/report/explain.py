"""What each finding means and what to do about it, in plain words: `sipsync explain CODE`, and SARIF's rules.

The texts are in `explanations.md`; it is read when the first of them is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sipsync.model.problems import Code
from sipsync.report.language import Language, translate


@dataclass(frozen=True, slots=True)
class Explanation:
    """One finding, explained to somebody who looks after phone lines and not after programs."""

    title: str
    meaning: str
    action: str


def explain(code: Code, lang: Language = "en") -> Explanation:
    """The explanation of a finding in a language. Every code has one."""
    english = explanations()[code]
    return Explanation(*(translate(text, lang) for text in (english.title, english.meaning, english.action)))


@cache
def explanations() -> dict[Code, Explanation]:
    """All explanations in English: a section each, headed `### code: Title`, with a paragraph of either kind."""
    text = files("sipsync.report").joinpath("explanations.md").read_text(encoding="utf-8")
    found = {}
    for section in text.split("\n### ")[1:]:
        heading, meaning, action = section.strip().split("\n\n")[:3]
        code, title = heading.split(": ", 1)
        found[Code(code)] = Explanation(title, meaning, action)
    return found
