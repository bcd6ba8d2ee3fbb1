"""What each finding means and what to do about it, in plain words: `sipsync explain CODE`, and SARIF's rules.

The texts are in `explanations.md`, and in `reference.md` those of whole pages (`sipsync explain policy`); each file is
read when the first of its texts is asked for.
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


@dataclass(frozen=True, slots=True)
class Page:
    """A reference page: what it is about, and its entries, each a name and what it means."""

    title: str
    about: str
    entries: tuple[tuple[str, str], ...]


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


def pages(lang: Language = "en") -> dict[str, Page]:
    """All reference pages by name: a section each, headed `## name: Title`, with a subsection for each entry."""
    text = files("sipsync.report").joinpath("reference.md").read_text(encoding="utf-8")
    found = {}
    for section in text.split("\n## ")[1:]:
        head, *entries = [part.strip().split("\n\n") for part in section.split("\n### ")]
        name, title = head[0].split(": ", 1)
        rows = tuple((names, translate(meaning, lang)) for names, meaning in entries)
        found[name] = Page(translate(title, lang), translate(head[1], lang), rows)
    return found
