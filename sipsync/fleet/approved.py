"""Whether a plan is the one that was approved, and if not, why it may be another one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sipsync.model.fields import SECRET
from sipsync.model.lines import Address, Fleet
from sipsync.model.message import Message
from sipsync.model.options import ApplyOptions
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Diagnostic, StalePlan
from sipsync.model.secret import SecretRef

_PLAN_AGAIN = Message(
    "What was approved is not what would be applied. Make a new plan (`sipsync plan --out FILE`) and have its digest "
    "approved."
)
_NO_DIGEST = Message("A digest is 64 hexadecimal digits: copy the whole of it from the plan.")
_DIGEST = re.compile("[0-9a-f]{64}")
_NAMED = 10
"""Lines whose names are told."""


def check_approved(plan: Plan, fleet: Fleet, options: ApplyOptions) -> None:
    """Raises StalePlan where the plan, or what it changes, is not what was approved."""
    if options.expect is not None and options.expect not in (plan.digest, plan.plan_id):
        summary = Message(
            "the plan's digest is {digest}, expected was {digest2}", digest=plan.digest, digest2=options.expect
        )
        hint = _PLAN_AGAIN
        if options.expect == plan.changes_digest:
            hint = Message("That is the digest of the plan's changes: give it to --expect-changes.")
        elif not _DIGEST.fullmatch(options.expect) and len(options.expect) != len(plan.plan_id):
            hint = _NO_DIGEST
        raise StalePlan(Diagnostic(Code.PLAN_UNEXPECTED, summary, hint=hint))
    if options.expect_changes is not None and options.expect_changes != plan.changes_digest:
        summary = Message(
            "the digest of the plan's changes is {digest}, expected was {expected}",
            digest=plan.changes_digest,
            expected=options.expect_changes,
        )
        hint = _why(plan, fleet, options.expect_changes)
        raise StalePlan(Diagnostic(Code.PLAN_UNEXPECTED, summary, hint=hint))


def _why(plan: Plan, fleet: Fleet, expected: str) -> Message:
    if expected in (plan.digest, plan.plan_id):
        return Message("That is the digest of the saved plan: give it to --expect-plan.")
    if not _DIGEST.fullmatch(expected):
        return _NO_DIGEST
    if not plan.has_changes:
        return Message("There is nothing to change: what was approved may have been applied already.")
    differ, same = _compared_by_value(plan, fleet)
    if not differ and not same:
        return _PLAN_AGAIN
    return Message(
        "{again} If that was a plan against a snapshot, it compared passwords by reference, and this one by value: "
        "they differ on {differing}, and are equal on {equal}.",
        again=_PLAN_AGAIN,
        differing=_listed(differ),
        equal=_listed(same),
    )


def _compared_by_value(plan: Plan, fleet: Fleet) -> tuple[list[Address], list[Address]]:
    """The lines whose passwords were compared and differ, and those whose passwords do not."""
    sent = {
        change.address: change.action
        for part in plan.parts
        for change in part.changes
        if any(name in SECRET for name in change.change.after or ())
    }
    parts = {part.portal: part for part in plan.parts}
    same = [
        line.address
        for portal in fleet.portals
        if (part := parts.get(portal.name)) and part.selection.secrets
        for line in portal.lines
        if line.address not in sent and part.selection.selects(line.address)
        if any(name in SECRET and isinstance(value, SecretRef) for name, value in line.values.items())
    ]
    return [address for address, action in sent.items() if action == "update"], same


def _listed(addresses: Sequence[Address]) -> str:
    more = f" and {len(addresses) - _NAMED} more" if len(addresses) > _NAMED else ""
    return ", ".join(addresses[:_NAMED]) + more if addresses else "no line"
