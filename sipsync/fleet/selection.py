"""Which portals the operator means: globs of names, lines to take or leave out, findings that may pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sipsync.model.globs import fits
from sipsync.model.lines import Address, DesiredPortal, Fleet
from sipsync.model.message import Message
from sipsync.model.options import Selection, matches
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Diagnostic, UsageError
from sipsync.planning.guards import ALLOWABLE


def chosen(fleet: Fleet, globs: Sequence[str], selection: Selection, *, whole: bool = False) -> Fleet:
    """The portals that the options leave in, with what is wrong with their files.

    `whole` lets portals be excluded alone, for what is asked of a portal as a whole. Raises UsageError for a glob that
    names nothing, which is a typing error, and where no portal is left.
    """
    lines = {portal.name: _addresses(portal) for portal in fleet.portals}
    errors = [found for found in fleet.diagnostics if found.severity == "error"]
    left = _left(lines, fleet.broken, globs, selection, errors, whole=whole)
    check_allow(fleet, selection.allow)
    portals = tuple(portal for portal in fleet.portals if portal.name in left)
    broken = tuple(name for name in fleet.broken if name in left)
    return Fleet(portals, fleet.operator, _about(fleet.diagnostics, left), broken)


def check_lines(
    lines: Mapping[str, Sequence[Address]], others: Sequence[str], globs: Sequence[str], selection: Selection
) -> None:
    """Raises UsageError for a glob that names none of these portals and lines; of other portals no lines are known."""
    _left(lines, others, globs, selection, (), whole=False)


def chosen_parts(plan: Plan, globs: Sequence[str], selection: Selection) -> Plan:
    """The parts of a plan that the options leave in, each as a whole. Raises UsageError as `chosen` does."""
    lines = {part.portal: [change.address for change in part.resource_changes] for part in plan.parts}
    left = _left(lines, (), globs, selection, (), whole=True)
    parts = tuple(part for part in plan.parts if part.portal in left)
    return plan.model_copy(update={"parts": parts, "problems": _about(plan.problems, left)})


def _about(diagnostics: Iterable[Diagnostic], names: Iterable[str]) -> tuple[Diagnostic, ...]:
    """The findings that are about these portals, or about none; names that differ in letter case only are one."""
    meant = {name.lower() for name in names}
    return tuple(found for found in diagnostics if not found.portal or found.portal.lower() in meant)


def _left(
    lines: Mapping[str, Sequence[Address]],
    broken: Sequence[str],
    globs: Sequence[str],
    selection: Selection,
    errors: Sequence[Diagnostic],
    *,
    whole: bool,
) -> set[str]:
    """The names of the portals that are left; of those in `broken` files no lines are known."""
    names = [*lines, *broken]
    named = {name for name in names if not globs or _named(name, globs)}
    addresses = [address for name in lines if name in named for address in lines[name]]
    unknown = [name for name in broken if name in named]

    def is_line(glob: str) -> bool:
        return any(matches(address, (glob,)) for address in addresses) or any(
            _of_portal(glob, name) for name in unknown
        )

    def is_portal(glob: str) -> bool:
        return any(fits(name, glob) for name in names)

    problems = [_names_nothing("portal", glob, names) for glob in globs if not is_portal(glob)]
    problems += [_names_nothing("line", glob, addresses) for glob in selection.lines if not is_line(glob)]
    for glob in selection.exclude:
        if whole and not is_portal(glob):
            hint = Message("Give the name of a portal: each is asked as a whole.")
            summary = Message('--exclude "{glob}" names no portal', glob=glob)
            problems.append(Diagnostic(Code.NOTHING_SELECTED, summary, hint=hint))
        elif not is_portal(glob) and not is_line(glob):
            problems.append(_names_nothing("exclude", glob, addresses))
    problems += [_names_nothing("reregister", glob, addresses) for glob in selection.reregister if not is_line(glob)]
    if problems:  # what is sought may be in a file that could not be read
        raise UsageError(*problems, *errors)
    left = {name for name in named if not _named(name, selection.exclude) and _has_line(name, lines, selection.lines)}
    if named and not left:
        hint = Message("Exclude fewer.")
        raise UsageError(Diagnostic(Code.NOTHING_SELECTED, Message("no portal is left to ask"), hint=hint))
    return left


def _has_line(name: str, lines: Mapping[str, Sequence[Address]], globs: tuple[str, ...]) -> bool:
    """Whether the portal has one of the lines, or may have it where its lines are not known."""
    if not globs:
        return True
    if name in lines:
        return any(matches(address, globs) for address in lines[name])
    return any("." not in glob or _of_portal(glob, name) for glob in globs)


def _of_portal(glob: str, name: str) -> bool:
    """Whether a glob of addresses can mean a line of this portal, whose lines are not known."""
    head, dot, _ = glob.partition(".")
    return bool(dot) and fits(name, head)


def _named(name: str, globs: Sequence[str]) -> bool:
    return any(fits(name, glob) for glob in globs)


def check_allow(fleet: Fleet, allow: Sequence[str]) -> None:
    """Raises UsageError for an `--allow` that names no finding, or nothing of these files."""
    addresses = [address for portal in fleet.portals for address in _addresses(portal)]
    names = [*(portal.name for portal in fleet.portals), *fleet.broken]
    if problems := [problem for one in allow for problem in _wrong_allow(one, addresses, names, fleet.broken)]:
        raise UsageError(*problems, *(found for found in fleet.diagnostics if found.severity == "error"))


def _wrong_allow(
    allow: str, addresses: Sequence[Address], portals: Sequence[str], broken: Sequence[str]
) -> list[Diagnostic]:
    """What is wrong with one `--allow FINDING:ADDRESS`, if anything."""
    finding, _, address = allow.partition(":")
    if finding not in ALLOWABLE or not address:
        known = ", ".join(sorted(f"{code}:ADDRESS" for code in ALLOWABLE))
        summary = Message('--allow "{allow}" names no finding', allow=allow)
        return [Diagnostic(Code.UNKNOWN_ALLOW, summary, hint=Message("It takes {known}.", known=known))]
    if address not in {*addresses, *portals} and address.partition(".")[0] not in broken:
        return [_names_nothing("allow", address, addresses)]
    return []


def _addresses(portal: DesiredPortal) -> list[Address]:
    return [*(line.address for line in portal.lines), *(line.address for line in portal.removed)]


def _names_nothing(option: str, glob: str, known: Sequence[str]) -> Diagnostic:
    some = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    summary = Message('--{option} "{glob}" matches nothing', option=option, glob=glob)
    hint = Message("The files have: {some}.", some=some) if some else Message()
    return Diagnostic(Code.NOTHING_SELECTED, summary, hint=hint)
