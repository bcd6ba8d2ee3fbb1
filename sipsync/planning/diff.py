"""Which managed fields of a line differ, and what could not be compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase

from sipsync.model.fields import FIELDS, REGISTERING, SECRET, FieldName
from sipsync.model.lines import CurrentLine, DesiredLine, RemovedLine
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning.inputs import Create, Delete, LineChange, PlanInput, Update, matches
from sipsync.planning.match import Match


@dataclass(slots=True)
class Diff:
    """What is to change, and what could not be compared."""

    changes: list[LineChange] = field(default_factory=list)
    unchanged: list[tuple[DesiredLine, CurrentLine]] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)


def diff(given: PlanInput, found: Match, today: date) -> Diff:
    """The selected lines that differ, with the differing fields only."""
    result = Diff()
    uncompared: list[DesiredLine] = []
    for line, current in found.pairs:
        if not given.selects(line.address):
            continue
        if line.type is not None and line.type != current.type:
            result.problems.append(_type_differs(line, current))
            continue
        ignored, notes = _ignored_fields(given, line, today)
        result.warnings += notes
        again = matches(line.address, given.selection.reregister)
        wanted = _wanted(given, line, current, ignored, again=again)
        if given.known_refs is None and any(name in SECRET for name in line.values.keys() - ignored - wanted.keys()):
            uncompared.append(line)
        fields = _differing(wanted, current)
        if again:
            fields = tuple(name for name in FIELDS if name in fields or name in REGISTERING)
            wanted = {**{name: current.values[name] for name in REGISTERING if name in current.values}, **wanted}
        if fields:
            result.changes.append(
                Update(
                    line.address,
                    line.at,
                    current,
                    {name: wanted[name] for name in fields if name in wanted},
                    len(line.values.keys() - set(fields)),
                )
            )
        else:
            result.unchanged.append((line, current))
    for line in found.adds:
        result.changes.append(Create(line.address, line.at, line.type or "cloud", _wanted(given, line, None, ())))
    for removed, current in found.deletes:
        if not given.selects(removed.address):
            continue
        if removed.title == current.title:
            result.changes.append(Delete(removed.address, removed.at, current))
        else:
            result.problems.append(_removed_differs(removed, current))
    if uncompared:
        result.warnings.append(_not_compared(given, uncompared))
    return result


def _wanted(
    given: PlanInput,
    line: DesiredLine,
    current: CurrentLine | None,
    ignored: Collection[FieldName],
    *,
    again: bool = False,
) -> dict[FieldName, str | Secret]:
    """The line's managed values, its secrets looked up; without the fields that can't or need not be compared.

    `again`: they are sent in any case, so none has to be compared.
    """
    wanted: dict[FieldName, str | Secret] = {}
    for name, value in line.values.items():
        if name in ignored:
            continue
        if not isinstance(value, SecretRef):
            wanted[name] = value
        elif given.known_refs is not None:
            # Only references are known: another one stands for another value, whatever it is.
            if current is None or given.known_refs.get(current.config_id, {}).get(name) != str(value):
                wanted[name] = Secret("")
        elif value in given.secrets and (current is None or again or name in current.values):
            wanted[name] = given.secrets[value]
        elif current is None:
            wanted[name] = Secret("")  # planned without secrets: shown, and not applied without its value
    return wanted


def _differing(wanted: Mapping[FieldName, str | Secret], current: CurrentLine) -> tuple[FieldName, ...]:
    """The fields whose values differ, in the table's order. `==` decides first: most lines do not differ."""
    before = {name: current.values.get(name, "") for name in wanted}
    if before == wanted:
        return ()
    from deepdiff import DeepDiff

    # A secret is replaced by whether it differs, since the tree would print values.
    tree = DeepDiff(
        {name: _comparable(value, wanted[name]) for name, value in before.items()},
        {name: _comparable(value, value) for name, value in wanted.items()},
        view="tree",
        threshold_to_diff_deeper=0,
    )
    differing = {level.path(output_format="list")[0] for levels in tree.values() for level in levels}
    return tuple(name for name in FIELDS if name in differing)


def _comparable(value: str | Secret, wanted: str | Secret) -> str:
    if isinstance(value, str) and isinstance(wanted, str):
        return value
    return "as wanted" if value == wanted else "other"


def _ignored_fields(given: PlanInput, line: DesiredLine, today: date) -> tuple[set[FieldName], list[Diagnostic]]:
    """The fields that the policy leaves alone on this line; those whose time is over count again, with a warning."""
    ignored: set[FieldName] = set()
    notes = []
    for rule in given.desired.policy.ignore_fields:
        if rule.field not in line.values or not fnmatchcase(line.address.key, rule.line):
            continue
        if rule.until is None or today <= rule.until:
            ignored.add(rule.field)
        else:
            notes.append(
                Diagnostic(
                    Code.IGNORED_FIELD,
                    Message(
                        "ignore_fields for {field} ended on {until} ({reason}): the field counts again",
                        field=rule.field,
                        until=rule.until,
                        reason=rule.reason,
                    ),
                    hint=Message("Remove the entry, or give it a later `until`."),
                    at=line.at,
                    address=line.address,
                    severity="warning",
                )
            )
    return ignored, notes


def _type_differs(line: DesiredLine, current: CurrentLine) -> Diagnostic:
    return Diagnostic(
        Code.TYPE_DIFFERS,
        Message(
            "line {config_id} is of type {type}, the file says {type2}",
            config_id=current.config_id,
            type=current.type,
            type2=line.type,
        ),
        hint=Message(
            "Bitrix24 can't change a line's type. A replacement is a new line: config_id, queue, "
            "voice menu, recording, working hours, CRM rules and access rights of this one would be "
            "lost. Correct `type`, or make a new line and move the old one to `removed`."
        ),
        at=line.at,
        address=line.address,
    )


def _removed_differs(removed: RemovedLine, current: CurrentLine) -> Diagnostic:
    return Diagnostic(
        Code.REMOVED_DIFFERS,
        Message(
            'line {config_id} has the title "{title}", not "{title2}": not deleted',
            config_id=current.config_id,
            title=current.title,
            title2=removed.title,
        ),
        hint=Message("Check that config_id names the line that is to go, and give its current title."),
        at=removed.at,
        address=removed.address,
    )


def _not_compared(given: PlanInput, lines: list[DesiredLine]) -> Diagnostic:
    count = f"{len(lines)} password{'s were' if len(lines) > 1 else ' was'}"
    if not given.selection.secrets:
        return Diagnostic(
            Code.PASSWORDS_NOT_COMPARED,
            Message("{count} not compared, since secrets are not read", count=count),
            hint=Message("Plan without --no-secrets to compare them."),
            at=lines[0].places.get("password", lines[0].at),
            address=given.desired.name,
            severity="warning",
        )
    return Diagnostic(
        Code.PASSWORDS_NOT_COMPARED,
        Message("{count} not compared: this portal does not return passwords", count=count),
        hint=Message("A password that has to be set again can be sent with --reregister ADDRESS."),
        at=lines[0].places.get("password", lines[0].at),
        address=given.desired.name,
        severity="warning",
    )
