"""Findings as text: `Error: …` at the start of a line, the place, the line of the file with a caret, what to do.

What is said many times over is said once, with the places.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from textwrap import TextWrapper
from typing import TYPE_CHECKING

from sipsync.model.problems import Code, Diagnostic, Span
from sipsync.report import Style
from sipsync.report.causes import Cause, by_cause
from sipsync.report.escape import columns, visible
from sipsync.report.wording import Paint, count, where

if TYPE_CHECKING:
    from sipsync.model.plan import Plan

PLACES_SHOWN = 10
"""Of one finding that occurs at many places."""
ALIKE_SHOWN = 5
"""Of warnings that differ in their words only."""
_COMMAND = re.compile("`[^`]+`")
_BEFORE_CARET = 60
"""Columns of a very long line that are shown before the place."""


def told(findings: Sequence[Diagnostic], style: Style, paint: Paint) -> Iterator[str]:
    """The findings, warnings first: what is printed last is nearest to the eye. Each with an empty line before it."""
    for severity in ("warning", "error"):
        yield from _groups([found for found in findings if found.severity == severity], style, paint)


def _groups(findings: Sequence[Diagnostic], style: Style, paint: Paint) -> Iterator[str]:
    shown: Counter[Code] = Counter()
    rest: dict[Code, list[Diagnostic]] = defaultdict(list)
    for each in by_cause(findings, equal=True):
        code = each.told.code
        shown[code] += 1
        if style.all or each.told.severity == "error" or shown[code] <= ALIKE_SHOWN:
            yield from one(each, style, paint)
        else:
            rest[code] += each.diagnostics
    for code, left in rest.items():
        yield ""
        more = f"{len(left)} more of the kind {code} ({style.way_to_all} shows them)"
        yield paint("yellow bold", "Warning: ") + paint("bold", more)
        yield f"  {_listed(visible(found.address or '') or where(found) for found in left)}"


def one(cause: Cause, style: Style, paint: Paint) -> Iterator[str]:
    """One finding and all the places where it was made; an error names every portal."""
    first, places = cause.told, cause.places
    name, look = ("Error", "red bold") if first.severity == "error" else ("Warning", "yellow bold")
    yield ""
    yield paint(look, f"{name}: ") + paint("bold", visible(first.summary))
    code = paint("dim", f"[{first.code}]")
    if len(places) > 1:
        whole = style.all or (cause.is_of_portals and first.severity == "error")
        yield f"  {code} in {count(len(places), 'place')}:"
        yield from (f"    {text}" for text in (places if whole else places[:PLACES_SHOWN]))
        if not whole and len(places) > PLACES_SHOWN:
            named = first.severity == "error" and len(cause.portals) > 1
            names = f"; portals: {visible(', '.join(cause.portals))}" if named else ""
            yield f"    and {len(places) - PLACES_SHOWN} more ({style.way_to_all} shows them){names}"
    else:
        yield f"  {places[0]} {code}" if places else f"  {code}"
        if first.at is not None and first.at.excerpt:
            yield from excerpt(first.at, paint)
    yield from (f"  {line}" for line in wrapped(hint(first, style), style.width - 2))


def beyond_deletes(plan: Plan) -> list[Diagnostic]:
    """The plan's findings without what a report says about each delete anyway."""
    gone = {change.address for change in plan.resource_changes if change.action == "delete"}
    return [found for found in plan.diagnostics if found.code is not Code.LOST_FOR_GOOD or found.address not in gone]


_TO_TYPE = re.compile(r"""["`]|--[a-z]|[A-Z]=|: \d""")
"""A quoted word, an option, a variable, an id."""


def hint(found: Diagnostic, style: Style) -> str:
    """What to do, in the reader's language. A hint that names something to type is kept beside the translation."""
    own = visible(found.hint)
    if style.lang == "en" or not own:
        return own
    from sipsync.report.explain import explain

    general = explain(found.code, style.lang).action
    return f"{general} ({own})" if _TO_TYPE.search(own) else general


def excerpt(at: Span, paint: Paint) -> Iterator[str]:
    """The line of the file and a caret under the columns."""
    start = max(at.column - 1, 0)
    end = max(at.end_column - 1, start + 1)
    cut = max(start - _BEFORE_CARET, 0)
    text = at.excerpt[cut : cut + 2 * _BEFORE_CARET]
    lead = "…" if cut else ""
    tail = "…" if len(at.excerpt) > cut + 2 * _BEFORE_CARET else ""
    before = lead + visible(text[: start - cut])
    under = visible(text[start - cut : end - cut]) or " "
    number = str(at.line)
    yield f"  {number} | {before}{under if text[start - cut :] else ''}{visible(text[end - cut :])}{tail}"
    yield f"  {' ' * len(number)} | {' ' * columns(before)}{paint('red', '^' * columns(under))}"


def _listed(names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - PLACES_SHOWN} more" if len(unique) > PLACES_SHOWN else ""
    return ", ".join(unique[:PLACES_SHOWN]) + more


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines; commands, options and addresses stay whole, so that they can be copied."""
    whole = _COMMAND.sub(lambda match: match[0].replace(" ", "\0"), text)
    lines = TextWrapper(max(width, 20), break_long_words=False, break_on_hyphens=False).wrap(whole)
    return [line.replace("\0", " ") for line in lines]
