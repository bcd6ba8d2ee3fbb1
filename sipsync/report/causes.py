"""Findings by cause: what many portals have in common is told once, with the name and the file of each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from itertools import compress
from typing import NamedTuple

from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.report.escape import visible
from sipsync.report.wording import count, where

_OWN = re.compile(
    r"(?<![\w.-])(?:[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/[\w.-]+)?|\d+|(?!SIPSYNC_)[A-Z][A-Z0-9]*_[A-Z0-9_]+)(?![\w-])"
)
"""What is a portal's own in a text about it: its host, a number, the name of its variable."""
_TO_THE_LETTER = {Code.HOST_TWICE}
"""Findings whose text is that of all whom it is about, and of nobody else."""


class Cause(NamedTuple):
    """Findings that are one fact."""

    told: Diagnostic
    """What to say: of several portals, what they have in common and how many they are."""
    places: tuple[str, ...]
    """Where, in words that are harmless already; with what stands there in the place of each mark."""
    diagnostics: tuple[Diagnostic, ...]
    words: str
    """What it is, however many portals have it."""

    @property
    def portals(self) -> list[str]:
        """The portals that it is about."""
        return list(dict.fromkeys(found.portal for found in self.diagnostics if found.portal))

    @property
    def is_of_portals(self) -> bool:
        """Whether it is about several portals as a whole, and not about their lines."""
        return len(self.diagnostics) > 1 and all(map(_of_portal, self.diagnostics))


def by_cause(findings: Iterable[Diagnostic], *, equal: bool = False) -> list[Cause]:
    """The findings, those of portals grouped by what they have in common; `equal` groups equal ones of lines, too."""
    groups: dict[Hashable, list[Diagnostic]] = defaultdict(list)
    for number, found in enumerate(findings):
        words: Hashable = number
        if _of_portal(found) and found.code not in _TO_THE_LETTER:
            words = (_OWN.sub("…", found.summary), _OWN.sub("…", _hint(found)))
        elif equal or _of_portal(found):
            words = (found.summary, found.hint)
        groups[found.severity, found.code, words].append(found)
    return [cause(part) for group in groups.values() for part in _parted(group)]


def _parted(group: list[Diagnostic]) -> list[list[Diagnostic]]:
    """What is one fact: different findings of one portal are several, as nothing stands for what differs in them."""
    alike = len({(found.summary, found.hint) for found in group}) == 1
    return [group] if alike or len({found.portal for found in group}) > 1 else [[found] for found in group]


def cause(group: Sequence[Diagnostic]) -> Cause:
    """The cause that these findings are."""
    first = group[0]
    summary, *own = _common([found.summary for found in group])
    said = [": ".join(filter(None, (where(found), words))) for found, words in zip(group, own, strict=True)]
    made = Cause(first, tuple(dict.fromkeys(filter(None, said))), tuple(group), summary)
    if len(group) == 1:
        return made
    if len(made.portals) > 1:
        summary = f"{summary}: {count(len(made.portals), 'portal')}"
    hint = first.hint
    if any(found.hint != hint for found in group):  # one that can be followed to the letter
        hint = Message("For {portal}: {hint}", portal=first.portal, hint=hint)
    return made._replace(told=replace(first, summary=Message(summary), hint=hint))


def _common(texts: Sequence[str]) -> list[str]:
    """The text that these are, with a mark in the place of what is each portal's own; and that of each."""
    own = [_OWN.findall(text) for text in texts]
    differ = [len(set(words)) > 1 for words in zip(*own, strict=True)]
    marks = iter(differ)
    common = _OWN.sub(lambda found: "…" if next(marks) else found[0], texts[0])
    return [common, *(visible(", ".join(compress(words, differ))) for words in own)]


def _of_portal(found: Diagnostic) -> bool:
    return bool(found.address) and found.address == found.portal


def _hint(found: Diagnostic) -> str:
    """The hint, which may name the portal in a finding's own name."""
    return re.sub(rf":{re.escape(found.portal)}(?![\w-])", ":PORTAL", found.hint)
