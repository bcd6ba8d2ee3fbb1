"""One planned change as rows of Terraform's layout; the text puts the marks before the words, a diff at column 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from sipsync.model.fields import FIELDS
from sipsync.report.escape import quoted, visible
from sipsync.report.wording import ACTIONS, LOST_WITH_A_LINE, SECRET, count, effects, place, unseen_difference, value

if TYPE_CHECKING:
    from sipsync.model.plan import Change, PortalPlan, ResourceChange


class Row(NamedTuple):
    """One line of a block."""

    indent: int
    mark: str
    """`+`, `~`, `-` or nothing."""
    text: str
    kind: str = ""
    """`head` or `note`, for colours."""

    def __str__(self) -> str:
        return f"{' ' * self.indent}{self.mark}{' ' if self.mark else ''}{self.text}"


def block(change: ResourceChange, part: PortalPlan) -> Iterator[Row]:
    """The rows of one change."""
    address = visible(change.address)
    if change.action == "no-op":
        yield Row(2, "", f"# {address} {ACTIONS[change.action].will_be}", "head")
        yield Row(2, "", f"# ({place(change)})", "note")
        yield from _title(change)
        return
    mark = ACTIONS[change.action].mark
    evidence = part.evidence.get(change.address)
    notes = "; ".join([place(change), *effects(change, evidence.temporary if evidence else None)])
    yield Row(2, "", f"# {address} {ACTIONS[change.action].will_be}", "head")
    yield Row(2, "", f"# ({notes})", "note")
    yield from _title(change)
    yield Row(2, mark, f"resource {quoted(change.type)} {quoted(change.address)} {{")
    names = fields(change.change)
    width = max(map(len, names), default=0)
    for name in names:
        yield Row(6, mark, f"{visible(name):{width}} = {difference(change.change, name)}")
    if change.action == "delete":
        yield Row(8, "", f"# its {LOST_WITH_A_LINE} are lost for good", "note")
    if change.unchanged_fields:
        yield Row(8, "", f"# ({count(change.unchanged_fields, 'unchanged field')} hidden)", "note")
    yield Row(4, "", "}")


def _title(change: ResourceChange) -> Iterator[Row]:
    """Which line it is to people, where no field says so."""
    if change.title and "title" not in fields(change.change):
        yield Row(2, "", f"# title {quoted(change.title)}", "note")


def fields(change: Change) -> list[str]:
    """The fields that a change names, in the table's order; such that this version does not know come last."""
    named = dict.fromkeys((*(change.before or ()), *(change.after or ())))
    return [*(name for name in FIELDS if name in named), *(name for name in named if name not in FIELDS)]


def difference(change: Change, name: str, show: Callable[[str], str] = quoted) -> str:
    """What happens to one field, behind the `=`; `show` makes values harmless."""
    before, after = change.before, change.after
    if change.before_sensitive.get(name) or change.after_sensitive.get(name):
        return SECRET
    if before is None:
        return value((after or {}).get(name), show)
    if after is None:
        return f"{value(before.get(name), show)} -> null"
    old, new = before.get(name), after.get(name)
    if old == new:
        return f"{value(new, show)} (sent again)"
    return f"{value(old, show)} -> {value(new, show)}{unseen_difference(change, name)}"
