"""Which managed fields of a line differ, and what could not be compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from sipsync.model.fields import FIELDS, REGISTERING, SECRET, FieldName
from sipsync.model.globs import fits
from sipsync.model.lines import CurrentLine, DesiredLine, RemovedLine
from sipsync.model.message import Message, counted
from sipsync.model.options import matches
from sipsync.model.policy import IgnoredField
from sipsync.model.problems import Code, Diagnostic
from sipsync.model.secret import Secret, SecretRef
from sipsync.planning.inputs import Create, Delete, LineChange, PlanInput, Update, about
from sipsync.planning.match import Match


@dataclass(slots=True)
class Diff:
    """What is to change, and what could not be compared."""

    changes: list[LineChange] = field(default_factory=list)
    unchanged: list[tuple[DesiredLine, CurrentLine]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)


def diff(given: PlanInput, matched: Match, today: date) -> Diff:
    """The selected lines that differ, with the differing fields only."""
    result = Diff()
    uncompared: list[DesiredLine] = []
    for line, current in matched.pairs:
        if not given.selection.selects(line.address):
            continue
        if current.type == "other":
            result.diagnostics.append(_unknown_type(line, current))
            continue
        if line.type is not None and line.type != current.type:
            result.diagnostics.append(_type_differs(line, current))
            continue
        rules = [rule for rule in given.desired.policy.ignore_fields if rule.field in line.values]
        rules = [rule for rule in rules if fits(line.address.key, rule.line)]
        ended = [rule for rule in rules if rule.until is not None and today > rule.until]
        result.warnings += [_ended(rule, line) for rule in ended]
        ignored = {rule.field for rule in rules if rule not in ended}
        again = matches(line.address, given.selection.reregister)
        values = _desired_values(given, line, current, ignored, again=again)
        if given.known_refs is None and any(name in SECRET for name in line.values.keys() - ignored - values.keys()):
            uncompared.append(line)
        sent = _differing(values, current)
        if again:
            sent = {name for name in FIELDS if name in sent or name in REGISTERING}
            values = {**{name: current.values[name] for name in REGISTERING if name in current.values}, **values}
        if sent:
            in_order = {name: values[name] for name in FIELDS if name in sent and name in values}
            result.changes.append(Update(line, current, in_order))
        else:
            result.unchanged.append((line, current))
    result.changes += [Create(line, _desired_values(given, line, None, ())) for line in matched.adds]
    if given.known_refs is None:
        uncompared += [line for line in matched.adds if _unread(given, line)]
    _add_deletes(given, matched, result)
    if uncompared:
        result.warnings.append(_not_compared(given, uncompared))
    return result


def _add_deletes(given: PlanInput, matched: Match, result: Diff) -> None:
    for removed, current in matched.deletes:
        if not given.selection.selects(removed.address):
            continue
        if current.type == "other":
            result.diagnostics.append(_unknown_type(removed, current))
        elif removed.title == current.title:
            result.changes.append(Delete(removed, current))
        else:
            result.diagnostics.append(_removed_differs(removed, current))


def _desired_values(
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
    values: dict[FieldName, str | Secret] = {}
    for name, value in line.values.items():
        if name in ignored:
            continue
        if not isinstance(value, SecretRef):
            values[name] = value
        elif given.known_refs is not None:
            # Only references are known: another one stands for another value, whatever it is.
            if current is None or given.known_refs.get(current.config_id, {}).get(name) != str(value):
                values[name] = Secret("")
        elif value in given.secrets and (current is None or again or name in current.values):
            values[name] = given.secrets[value]
        elif current is None:
            values[name] = Secret("")  # planned without secrets: shown, and not applied without its value
    return values


def _unread(given: PlanInput, line: DesiredLine) -> bool:
    """Whether the line has a secret that was not read."""
    return any(isinstance(value, SecretRef) and value not in given.secrets for value in line.values.values())


def _differing(values: Mapping[FieldName, str | Secret], current: CurrentLine) -> set[FieldName]:
    """The fields whose values differ. `==` decides first: most lines do not differ."""
    before = {name: current.values.get(name, "") for name in values}
    if before == values:
        return set()
    from deepdiff import DeepDiff

    # A secret is replaced by whether it differs, since the tree would print values.
    tree = DeepDiff(
        {name: _comparable(value, values[name]) for name, value in before.items()},
        {name: _comparable(value, value) for name, value in values.items()},
        view="tree",
        threshold_to_diff_deeper=0,
    )
    return {level.path(output_format="list")[0] for levels in tree.values() for level in levels}


def _comparable(value: str | Secret, desired: str | Secret) -> str:
    if isinstance(value, str) and isinstance(desired, str):
        return value
    return "as desired" if value == desired else "other"


def _ended(rule: IgnoredField, line: DesiredLine) -> Diagnostic:
    summary = Message(
        "ignore_fields for {field} ended on {until} ({reason}): the field counts again",
        field=rule.field,
        until=rule.until,
        reason=rule.reason,
    )
    hint = Message("Remove the entry, or give it a later `until`.")
    return about(line, Code.IGNORED_FIELD, summary, hint=hint, severity="warning")


def _unknown_type(line: DesiredLine | RemovedLine, current: CurrentLine) -> Diagnostic:
    summary = Message("line {config_id} is neither a cloud nor an office line", config_id=current.config_id)
    hint = Message(
        "No line of another type is written. Take it out of the file, or leave it out with --exclude {address}.",
        address=line.address,
    )
    return about(line, Code.TYPE_DIFFERS, summary, hint=hint)


def _type_differs(line: DesiredLine, current: CurrentLine) -> Diagnostic:
    summary = Message(
        "line {config_id} is of type {current}, the file says {desired}",
        config_id=current.config_id,
        current=current.type,
        desired=line.type,
    )
    hint = Message(
        "Bitrix24 can't change a line's type. A replacement is a new line: config_id, queue, "
        "voice menu, recording, working hours, CRM rules and access rights of this one would be "
        "lost. Correct `type`, or make a new line and move the old one to `removed`."
    )
    return about(line, Code.TYPE_DIFFERS, summary, hint=hint)


def _removed_differs(removed: RemovedLine, current: CurrentLine) -> Diagnostic:
    summary = Message(
        'line {config_id} has the title "{current}", not "{removed}": not deleted',
        config_id=current.config_id,
        current=current.title,
        removed=removed.title,
    )
    hint = Message("Check that config_id names the line that is to go, and give its current title.")
    return about(removed, Code.REMOVED_DIFFERS, summary, hint=hint)


def _not_compared(given: PlanInput, lines: list[DesiredLine]) -> Diagnostic:
    if given.selection.secrets:
        one = "1 password was not compared: this portal does not return passwords"
        many = "{count} passwords were not compared: this portal does not return passwords"
        hint = Message("A password that has to be set again can be sent with --reregister ADDRESS.")
    else:
        one = "1 password was not compared, since secrets are not read"
        many = "{count} passwords were not compared, since secrets are not read"
        hint = Message("Plan without --no-secrets to compare them.")
        if given.desired.access.embedded:
            hint = Message("For an embedded portal, real secrets are read with --sandbox-secrets only.")
    at = lines[0].places.get("password", lines[0].at)
    summary = counted(len(lines), one, many)
    return about(given.desired, Code.PASSWORDS_NOT_COMPARED, summary, hint=hint, at=at, severity="warning")
