"""Status and doctor as text: a row for each line, a row for each check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sipsync.model.lines import ASKED_FOR, REGISTERED
from sipsync.report import Style
from sipsync.report.escape import columns, quoted, visible
from sipsync.report.findings import told, wrapped
from sipsync.report.wording import Paint, count

if TYPE_CHECKING:
    from sipsync.model.status import Diagnosis, LineStatus, Status


def status(document: Status, style: Style, paint: Paint) -> Iterator[str]:
    """A table of the lines and their registrations."""
    names = [visible(line.address or f"{line.portal} (not in the file)") for line in document.lines]
    rows = [
        (name, str(line.config_id), line.type, quoted(line.title))
        for name, line in zip(names, document.lines, strict=True)
    ]
    head = ("LINE", "ID", "TYPE", "TITLE")
    widths = [max(map(columns, column)) for column in zip(head, *rows, strict=True)]
    if rows:
        yield paint("bold", f"{_padded(head, widths)}  REGISTRATION")
    for line, row in zip(document.lines, rows, strict=True):
        look, words = registration(line)
        yield f"{_padded(row, widths)}  {paint(look, words)}"
        if line.incoming_server or line.incoming_login:
            yield f"    for the office PBX: server {quoted(line.incoming_server)}, login {quoted(line.incoming_login)}"
    if not rows and not document.diagnostics:
        yield "No lines."
    yield from told(document.diagnostics, style, paint)
    if rows:
        looks = [registration(line)[0] for line in document.lines]
        bad, open_ = looks.count("red"), looks.count("yellow")
        trouble = "".join(f", {number} {word}" for number, word in ((bad, "failed"), (open_, "unconfirmed")) if number)
        yield from ("", f"{count(len(rows), 'line')}{trouble}.")


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (width - columns(cell)) for cell, width in zip(cells, widths, strict=True))


def registration(line: LineStatus) -> tuple[str, str]:
    """A look and the words for how a line is registered."""
    if line.type == "office":
        return "dim", "none: the office PBX registers by itself"
    if line.type == "other":
        return "dim", "not known: neither a cloud nor an office line"
    if line.live is not None:
        message = f": {visible(line.live.message)}" if line.live.message else ""
        look = {"success": "green", "error": "red"}.get(line.live.result, "yellow")
        return look, f"{line.live.result.replace('_', ' ')} (asked just now){message}"
    if not line.reg_id:
        return "red", "never created (REG_ID 0): delete the line and make it anew"
    if line.status_code == REGISTERED:
        return "green", "registered"
    if line.status_code is None:
        return "yellow", "not known yet"
    if line.status_code == ASKED_FOR:
        return "yellow", "asked for, never confirmed"
    message = f": {visible(line.status_message)}" if line.status_message else ""
    return "red", f"failed (status {line.status_code}){message}"


_CHECK_LOOKS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "dim"}


def diagnosis(document: Diagnosis, style: Style, paint: Paint) -> Iterator[str]:
    """The checks of each portal, with what to do where one is not well."""
    portal = None
    for check in document.checks:
        if check.portal != portal:
            portal = check.portal
            yield from ("", paint("bold", visible(portal)))
        result = paint(_CHECK_LOOKS[check.result], f"{check.result:7}")
        yield f"  {result}  {visible(check.name)}{': ' if check.detail else ''}{visible(check.detail)}"
        advice = wrapped(visible(check.advice), style.width - 11)
        yield from (f"           {line}" for line in advice)
    yield from told(document.diagnostics, style, paint)
    failed = sum(check.result == "failed" for check in document.checks)
    if failed or not document.diagnostics:
        yield from ("", f"{count(failed, 'check')} failed." if failed else paint("green bold", "All is well."))
