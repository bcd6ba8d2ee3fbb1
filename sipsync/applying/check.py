"""Whether a part of a plan may be applied at all: it is whole, ours, young enough, and of the file as it is."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from sipsync.model.document import digest_of
from sipsync.model.message import Message
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Code, Diagnostic
from sipsync.planning.evidence import desired_digest
from sipsync.planning.inputs import PlanInput
from sipsync.planning.plan import seal_of


def check_plan(part: PortalPlan, given: PlanInput, now: datetime, max_age: timedelta) -> Diagnostic | None:
    """Why this part of a plan may not be applied at all: edited, another credential's, too old, another file's."""
    name = given.desired.name
    if not part.seal:
        summary = Message("this plan was compared with a snapshot: it is there to be reviewed, not to be applied")
        hint = Message("Run `sipsync apply --expect-changes DIGEST`, with the changes digest that was approved.")
        return Diagnostic(Code.PLAN_SEAL, summary, hint=hint, address=name)
    if (part.host, part.owner) != (given.host, given.owner) or not _seal_holds(part, given):
        summary = Message(
            "the plan was sealed with another key: by another credential, on another machine without "
            "SIPSYNC_PLAN_KEY, by another version of sipsync, or it was edited"
        )
        hint = Message(
            "Make a new plan here; or print a key with `sipsync secret plan-key`, set it as SIPSYNC_PLAN_KEY "
            "where plans are made and where they are applied, and make a new plan there."
        )
        return Diagnostic(Code.PLAN_SEAL, summary, hint=hint, address=name)
    age = now - datetime.fromisoformat(part.created)
    if age > max_age:
        summary = Message("the plan was made on {created}, which is too long ago", created=part.created)
        hint = Message("Make a new plan, or allow this one: --max-plan-age {days}d.", days=age.days + 1)
        return Diagnostic(Code.PLAN_TOO_OLD, summary, hint=hint, address=name)
    if part.desired != desired_digest(given.desired):
        summary = Message("the file no longer says what it said when the plan was made")
        hint = Message("Make a new plan, or apply from the commit that was planned.")
        return Diagnostic(Code.STALE_FILE, summary, hint=hint, at=given.desired.at, address=name)
    return None


def _seal_holds(part: PortalPlan, given: PlanInput) -> bool:
    whole = part.digest == digest_of(part.substance())
    # As bytes, since an edited seal may be any text.
    return whole and hmac.compare_digest(part.seal.encode("utf-8", "surrogatepass"), seal_of(part, given).encode())
