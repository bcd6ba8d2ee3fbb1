"""A saved state: what portals were, without secrets, so that a plan can be made where no credential may be."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sipsync.model.document import canonical
from sipsync.model.fields import SHOWN, FieldName
from sipsync.model.lines import CurrentLine, DesiredPortal, Snapshot
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import PlanOptions
from sipsync.model.plan import PortalPlan
from sipsync.model.problems import Code, Diagnostic, SipsyncError
from sipsync.model.secret import SecretRef
from sipsync.model.snapshot import SavedLine, SavedPortal
from sipsync.planning.inputs import PlanInput
from sipsync.planning.match import match
from sipsync.planning.plan import build
from sipsync.portal.credential import seal_by

_SKEW = timedelta(minutes=5)
"""By which clocks of two machines may differ."""


def save(given: PlanInput, operator: Operator, now: datetime) -> SavedPortal:
    """The portal as it is, with the references of the day in the place of secrets; without a key it has no seal."""
    references: dict[int, dict[FieldName, str]] = {
        current.config_id: {name: str(value) for name, value in line.values.items() if isinstance(value, SecretRef)}
        for line, current in match(given).pairs
    }
    saved = SavedPortal(
        portal=given.desired.name,
        host=given.host,
        owner=given.owner,
        taken=now.isoformat(timespec="seconds"),
        lines=tuple(_saved(line, references.get(line.config_id, {})) for line in given.current.lines),
        names=given.current.names,
        default_line=given.current.default_line,
    )
    seal = seal_by(operator.snapshot_key)
    return saved.model_copy(update={"seal": seal(canonical(saved.substance()))}) if seal else saved


def _saved(line: CurrentLine, references: Mapping[FieldName, str]) -> SavedLine:
    return SavedLine(
        config_id=line.config_id,
        type=line.type,
        values={**{name: str(line.values[name]) for name in SHOWN}, **references},
        reg_id=line.reg_id,
        line_id=line.line_id,
        status_code=line.status_code,
        status_message=line.status_message,
    )


def plan_against(
    portals: Sequence[DesiredPortal], operator: Operator, options: PlanOptions, now: datetime
) -> tuple[dict[str, PortalPlan], dict[str, SipsyncError]]:
    """By portal, its plan against the saved state, or why there is none. It is for review: nothing applies it.

    No socket is opened and no secret read.
    """
    saved = {one.portal: one for one in options.against.portals} if options.against else {}
    parts, failed = {}, {}
    for portal in portals:
        try:
            parts[portal.name] = _plan_against(portal, saved.get(portal.name), operator, options, now)
        except SipsyncError as error:
            failed[portal.name] = error
    return parts, failed


def _plan_against(
    desired: DesiredPortal, saved: SavedPortal | None, operator: Operator, options: PlanOptions, now: datetime
) -> PortalPlan:
    if saved is None:
        summary = Message("the snapshot does not have this portal")
        hint = Message("Make a new one with `sipsync snapshot`, where the credential is.")
        raise SipsyncError(Diagnostic(Code.SNAPSHOT, summary, hint=hint, at=desired.at, address=desired.name))
    unverified = _check_seal(desired, saved, operator)
    taken = _time(desired, saved)
    if taken - now > _SKEW:
        summary = Message("the snapshot says that it was taken on {taken}, which is yet to come", taken=saved.taken)
        hint = Message("Make a new one with `sipsync snapshot`, on a machine whose clock is right.")
        raise SipsyncError(Diagnostic(Code.SNAPSHOT, summary, hint=hint, at=desired.at, address=desired.name))
    if now - taken > options.max_age:
        summary = Message("the snapshot was taken on {taken}, which is too long ago", taken=saved.taken)
        days = (now - taken).days + 1
        hint = Message("Make a new one with `sipsync snapshot --out FILE`, or allow this one: --max-age {n}d.", n=days)
        raise SipsyncError(Diagnostic(Code.SNAPSHOT, summary, hint=hint, at=desired.at, address=desired.name))
    given = PlanInput(
        desired,
        Snapshot(tuple(_current(line) for line in saved.lines), saved.names, saved.default_line),
        {},
        lambda _data: "",
        saved.host,
        saved.owner,
        options.selection,
        {line.config_id: line.values for line in saved.lines},
    )
    (part,) = build([given], now, no_ops=options.no_ops)
    return part.model_copy(update={"diagnostics": (*unverified, *part.diagnostics)})


def _check_seal(desired: DesiredPortal, saved: SavedPortal, operator: Operator) -> tuple[Diagnostic, ...]:
    """Nothing where the seal holds; a warning where there is no key to check it with."""
    seal = seal_by(operator.snapshot_key)
    if seal is None:
        summary = Message("compared with the snapshot of {taken}, which anybody may have made", taken=saved.taken)
        hint = Message(
            "Let only the snapshot's job write its branch. Print a key with `sipsync secret plan-key`, and set "
            "it as SIPSYNC_SNAPSHOT_KEY there and here; keep SIPSYNC_PLAN_KEY out of this job."
        )
        return (Diagnostic(Code.SNAPSHOT_UNVERIFIED, summary, hint=hint, address=desired.name, severity="warning"),)
    # As bytes, since an edited seal may be any text.
    if not hmac.compare_digest(
        saved.seal.encode("utf-8", "surrogatepass"), seal(canonical(saved.substance())).encode()
    ):
        raise _edited(desired)
    return ()


def _time(desired: DesiredPortal, saved: SavedPortal) -> datetime:
    try:
        taken = datetime.fromisoformat(saved.taken)
    except ValueError:
        raise _edited(desired) from None
    return taken if taken.tzinfo else taken.replace(tzinfo=UTC)


def _edited(desired: DesiredPortal) -> SipsyncError:
    summary = Message("the snapshot was edited, or sealed with another SIPSYNC_SNAPSHOT_KEY, or with none")
    hint = Message("Make a new one with `sipsync snapshot`.")
    return SipsyncError(Diagnostic(Code.SNAPSHOT, summary, hint=hint, address=desired.name))


def _current(line: SavedLine) -> CurrentLine:
    return CurrentLine(
        line.config_id,
        line.type,
        {name: line.values[name] for name in SHOWN if name in line.values},
        line.reg_id,
        line.line_id,
        line.status_code,
        line.status_message,
    )
