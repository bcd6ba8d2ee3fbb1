"""What is there after the writes. Only what is read back counts: the server may accept an update and not do it."""

from __future__ import annotations

from collections.abc import Mapping

from sipsync.applying.bind import Bound, PlannedLine
from sipsync.applying.send import SendLog, touched
from sipsync.applying.unanswered import holds
from sipsync.model.lines import Address, CurrentLine
from sipsync.model.message import Message
from sipsync.model.outcome import LineOutcome, LineResult
from sipsync.model.problems import Code, PortalError
from sipsync.portal.protocol import Portal
from sipsync.rules.errors import rule

_NOTHING = Message()
_AGAIN = Message("Make a new plan.")


async def read_back(bound: Bound, log: SendLog, portals: Mapping[str, Portal]) -> dict[int, CurrentLine] | None:
    """The written lines as they are now, None where they can't be read.

    Where the last writing request brought them along, only lines that were added are left to read.
    """
    have = dict(log.read or {})
    missing: dict[str, list[int]] = {}
    for line in touched(bound, log):
        config_id = log.made.get(line.planned.address)
        if config_id is None and log.read is None:
            config_id = line.planned.config_id
        if config_id is not None:
            missing.setdefault(line.planned.portal, []).append(config_id)
    try:
        for portal, config_ids in missing.items():
            have.update(await portals[portal].lines(sorted(config_ids)))
    except PortalError:
        return None
    return have


def outcomes(bound: Bound, log: SendLog, lines: Mapping[int, CurrentLine] | None) -> dict[Address, LineOutcome]:
    """What became of each planned line, by address."""
    return {address: _outcome(line, log, lines) for address, line in bound.lines.items()}


def _outcome(line: PlannedLine, log: SendLog, lines: Mapping[int, CurrentLine] | None) -> LineOutcome:
    results = [log.results.get(call.id, "skipped") for call in line.calls]
    if line.state == "stale":
        return _told(line, log, "stale", line.diagnostic.summary if line.diagnostic else _NOTHING, _AGAIN)
    if line.state == "after":
        return _told(line, log, "done", Message("was already as planned"))
    if "stale" in results:
        return _told(line, log, "stale", Message("was changed in Bitrix24 while the plan was applied"), _AGAIN)
    for call, result in zip(line.calls, results, strict=True):
        error = log.errors.get(call.id)
        if result == "failed" and error is not None:
            return _failed(line, log, error)
        if result == "lost" and error is not None:
            return _told(
                line,
                log,
                "unverified",
                Message("{summary}: whether it was carried out is not known", summary=error.diagnostics[0].summary),
                Message("Run it again: it reads the line first and sends only what is missing."),
                error=error.error,
            )
    if not results or results[-1] != "done":
        return _skipped(line, log)
    return _verified(line, log, lines)


def _verified(line: PlannedLine, log: SendLog, lines: Mapping[int, CurrentLine] | None) -> LineOutcome:
    config_id = line.planned.config_id or log.made.get(line.planned.address)
    creates = line.planned.action == "create"
    if lines is None or config_id is None:
        message, advice = Message("written, but it could not be read back"), Message("Run `sipsync plan` to see it.")
        return _told(line, log, "unverified", message, advice)
    current = lines.get(config_id)
    code = Code.NOT_CARRIED_OUT
    if line.planned.action == "delete":
        if current is None:
            return _told(line, log, "applied")
        message, advice = Message("Bitrix24 accepted the delete and did not carry it out"), Message("Try again.")
    elif current is None:
        message, advice = Message("the line is gone"), Message("Somebody deleted it meanwhile. Make a new plan.")
    elif not holds(current, line.calls[-1]):
        message = Message(
            "Bitrix24 accepted the update and did not carry it out, or somebody changed the line meanwhile"
        )
        advice = Message("Make a new plan and look at what is left.")
    elif creates and current.type == "cloud" and not current.reg_id:
        code = Code.NEVER_REGISTERED
        message = Message(
            "the line was made (config_id {config_id}), but its registration could not be created (REG_ID 0)",
            config_id=config_id,
        )
        advice = Message(
            "Bitrix24 does not try again. Check server, login and password, delete the line and make it anew."
        )
    else:
        advice = Message("Add config_id: {config_id} to the file.", config_id=config_id) if creates else Message()
        return _told(line, log, "applied", advice=advice)
    return _told(line, log, "failed", message, advice, code=code)


def _failed(line: PlannedLine, log: SendLog, error: PortalError) -> LineOutcome:
    diagnostic = error.diagnostics[0]
    advice = rule(error.error).advice if error.error else diagnostic.hint
    return _told(line, log, "failed", diagnostic.summary, Message(advice), error=error.error)


def _skipped(line: PlannedLine, log: SendLog) -> LineOutcome:
    if log.stopped is not None:
        message = Message("not attempted: {reason}", reason=log.stopped.summary)
        return _told(line, log, "skipped", message, log.stopped.hint)
    message = Message("not attempted, since it waits for a line that was not written")
    return _told(line, log, "skipped", message, Message("Mend that one and run it again."))


def _told(
    line: PlannedLine,
    log: SendLog,
    result: LineResult,
    message: Message = _NOTHING,
    advice: Message = _NOTHING,
    *,
    error: str = "",
    code: Code | None = None,
) -> LineOutcome:
    planned, current = line.planned, line.current
    return LineOutcome(
        address=planned.address,
        portal=planned.portal,
        action=planned.action,
        result=result,
        config_id=planned.config_id or log.made.get(planned.address) or (current.config_id if current else None),
        source=planned.source,
        reregistered=planned.reregisters and result == "applied",
        calls=sum(log.sent[call.id] for call in line.calls),
        error=error,
        code=code,
        message=message,
        advice=advice,
    )
