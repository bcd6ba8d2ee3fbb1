"""What is there after the writes. Only what is read back counts: the server may accept an update and not do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sipsync.applying.bind import PlannedLine
from sipsync.applying.send import SendLog
from sipsync.applying.unanswered import holds
from sipsync.model.lines import Address, CurrentLine
from sipsync.model.message import Message
from sipsync.model.outcome import LineOutcome, LineResult
from sipsync.model.problems import Code, PortalError
from sipsync.portal.protocol import Portal

_NOTHING = Message()
_PLAN_AGAIN = Message("Make a new plan.")


async def read_back(log: SendLog, portals: Mapping[str, Portal]) -> dict[int, CurrentLine] | None:
    """The written lines as they are now, None where they can't be read.

    Where the last writing request brought them along, only lines that were added are left to read.
    """
    lines = dict(log.read or {})
    missing: dict[str, list[int]] = {}
    for line in log.touched():
        config_id = log.made.get(line.planned.address)
        if config_id is None and log.read is None:
            config_id = line.planned.config_id
        if config_id is not None:
            missing.setdefault(line.planned.portal, []).append(config_id)
    try:
        for portal, config_ids in missing.items():
            lines.update(await portals[portal].lines(sorted(config_ids)))
    except PortalError:
        return None
    return lines


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of one line, in words."""

    result: LineResult
    message: Message = _NOTHING
    advice: Message = _NOTHING
    error: str = ""
    """The server's own code."""
    code: Code | None = None


def outcomes(log: SendLog, lines: Mapping[int, CurrentLine] | None) -> dict[Address, LineOutcome]:
    """What became of each planned line, by address; `lines` are those that were read back."""
    return {address: _outcome(line, log, lines) for address, line in log.bound.lines.items()}


def _outcome(line: PlannedLine, log: SendLog, lines: Mapping[int, CurrentLine] | None) -> LineOutcome:
    verdict = _sent(line, log) or _read(line, log, lines)
    return line.outcome(
        verdict.result,
        config_id=line.planned.config_id
        or log.made.get(line.planned.address)
        or (line.current and line.current.config_id),
        reregistered=line.planned.reregisters and verdict.result == "applied",
        calls=sum(log.sent[call.id] for call in line.calls),
        error=verdict.error,
        code=verdict.code,
        message=verdict.message,
        advice=verdict.advice,
    )


def _sent(line: PlannedLine, log: SendLog) -> _Verdict | None:
    """What sending says of the line; None where all of it was carried out, as far as the server says."""
    results = {call.id: log.results.get(call.id, "skipped") for call in line.calls}
    if line.diagnostic is not None:
        return _Verdict("stale", line.diagnostic.summary, _PLAN_AGAIN)
    if line.state == "after":
        return _Verdict("done", Message("was already as planned"))
    if "stale" in results.values():
        return _Verdict("stale", Message("was changed in Bitrix24 while the plan was applied"), _PLAN_AGAIN)
    for call_id, result in results.items():
        if result in ("failed", "lost"):
            return _refused(log.errors[call_id]) if result == "failed" else _unanswered(log.errors[call_id])
    if log.stopped is not None and "skipped" in results.values():
        return _Verdict("skipped", Message("not attempted: {why}", why=log.stopped.summary), log.stopped.hint)
    if not results or "skipped" in results.values():
        message = Message("not attempted, since it waits for a line that was not written")
        return _Verdict("skipped", message, Message("Mend that one and run it again."))
    return None


def _refused(error: PortalError) -> _Verdict:
    diagnostic = error.diagnostics[0]
    return _Verdict("failed", diagnostic.summary, diagnostic.hint, error.error)


def _unanswered(error: PortalError) -> _Verdict:
    message = Message("{why}: whether it was carried out is not known", why=error.diagnostics[0].summary)
    advice = Message("Run it again: it reads the line first and sends only what is missing.")
    return _Verdict("unverified", message, advice, error.error)


def _read(line: PlannedLine, log: SendLog, lines: Mapping[int, CurrentLine] | None) -> _Verdict:
    """What reading back says of a line that the server says to have written."""
    config_id = line.planned.config_id or log.made.get(line.planned.address)
    creates, deletes = line.planned.action == "create", line.planned.action == "delete"
    if lines is None or config_id is None:
        message = Message("written, but it could not be read back")
        return _Verdict("unverified", message, Message("Run `sipsync plan` to see it."))
    current, code = lines.get(config_id), Code.NOT_CARRIED_OUT
    if deletes and current is not None:
        message, advice = Message("Bitrix24 accepted the delete and did not carry it out"), Message("Try again.")
    elif deletes:
        return _Verdict("applied")
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
    elif creates:
        return _Verdict("applied", advice=Message("Add config_id: {config_id} to the file.", config_id=config_id))
    else:
        return _Verdict("applied")
    return _Verdict("failed", message, advice, code=code)
