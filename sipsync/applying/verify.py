"""What is there after the writes. Only what is read back counts: the server may accept an update and not do it."""

from __future__ import annotations

from collections.abc import Mapping

from sipsync.applying.bind import Bound, PlannedLine
from sipsync.applying.send import SendLog, touched
from sipsync.applying.unanswered import holds
from sipsync.model.lines import Address, CurrentLine
from sipsync.model.outcome import LineOutcome, LineResult
from sipsync.model.problems import Code, PortalError
from sipsync.portal.protocol import Portal
from sipsync.rules.errors import rule


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
        return _told(line, log, "stale", line.problem.summary if line.problem else "", "Make a new plan.")
    if line.state == "after":
        return _told(line, log, "done", "was already as planned")
    if "stale" in results:
        return _told(line, log, "stale", "was changed in Bitrix24 while the plan was applied", "Make a new plan.")
    for call, result in zip(line.calls, results, strict=True):
        error = log.errors.get(call.id)
        if result == "failed" and error is not None:
            return _failed(line, log, error)
        if result == "lost" and error is not None:
            return _told(
                line,
                log,
                "unverified",
                f"{error.diagnostics[0].summary}: whether it was carried out is not known",
                "Run it again: it reads the line first and sends only what is missing.",
                error.error,
            )
    if not results or results[-1] != "done":
        return _skipped(line, log)
    return _verified(line, log, lines)


def _verified(line: PlannedLine, log: SendLog, lines: Mapping[int, CurrentLine] | None) -> LineOutcome:
    config_id = line.planned.config_id or log.made.get(line.planned.address)
    if lines is None or config_id is None:
        return _told(line, log, "unverified", "written, but it could not be read back", "Run `sipsync plan` to see it.")
    now = lines.get(config_id)
    if line.planned.action == "delete":
        if now is None:
            return _told(line, log, "applied")
        what = "Bitrix24 accepted the delete and did not carry it out"
        return _told(line, log, "failed", what, "Try again.", str(Code.NOT_CARRIED_OUT))
    if now is None:
        advice = "Somebody deleted it meanwhile. Make a new plan."
        return _told(line, log, "failed", "the line is gone", advice, str(Code.NOT_CARRIED_OUT))
    if not holds(now, line.calls[-1]):
        return _told(
            line,
            log,
            "failed",
            "Bitrix24 accepted the update and did not carry it out, or somebody changed the line meanwhile",
            "Make a new plan and look at what is left.",
            str(Code.NOT_CARRIED_OUT),
        )
    if line.planned.action == "create" and now.type == "cloud" and not now.reg_id:
        return _told(
            line,
            log,
            "failed",
            f"the line was made (config_id {config_id}), but its registration could not be created (REG_ID 0)",
            "Bitrix24 does not try again. Check server, login and password, delete the line and make it anew.",
            str(Code.NEVER_REGISTERED),
        )
    advice = f"Add config_id: {config_id} to the file." if line.planned.action == "create" else ""
    return _told(line, log, "applied", advice=advice)


def _failed(line: PlannedLine, log: SendLog, error: PortalError) -> LineOutcome:
    found = error.diagnostics[0]
    advice = rule(error.error).advice if error.error else found.hint
    return _told(line, log, "failed", found.summary, advice, error.error)


def _skipped(line: PlannedLine, log: SendLog) -> LineOutcome:
    if log.stopped is not None:
        return _told(line, log, "skipped", f"not attempted: {log.stopped.summary}", log.stopped.hint)
    return _told(
        line,
        log,
        "skipped",
        "not attempted, since it waits for a line that was not written",
        "Mend that one and run it again.",
    )


def _told(
    line: PlannedLine, log: SendLog, result: LineResult, message: str = "", advice: str = "", error: str = ""
) -> LineOutcome:
    planned, now = line.planned, line.current
    return LineOutcome(
        address=planned.address,
        portal=planned.portal,
        action=planned.action,
        result=result,
        config_id=planned.config_id or log.made.get(planned.address) or (now.config_id if now else None),
        source=planned.source,
        reregistered=planned.reregisters and result == "applied",
        calls=sum(log.sent[call.id] for call in line.calls),
        error=error,
        message=message,
        advice=advice,
    )
