"""Documents as the program makes them, one scenario each; every format renders all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sipsync.model.document import digest_of
from sipsync.model.fields import FIELDS, SECRET, LineType
from sipsync.model.findings import Findings
from sipsync.model.lines import Action, Address, Registration
from sipsync.model.message import Message
from sipsync.model.outcome import LineOutcome, Outcome, PortalOutcome
from sipsync.model.plan import Change, LineEvidence, Plan, PlannedCall, PortalPlan, ResourceChange, Source, Summary
from sipsync.model.problems import Code, Diagnostic, Exit, Severity, Span
from sipsync.model.status import Check, Diagnosis, LineStatus, Status
from support.golden import GOLDEN

if TYPE_CHECKING:
    from sipsync.model.document import Report

MADE = ("update", "swap", "everything")
"""Plans that the program itself made of the files beside them (see the golden tests of `cli`)."""
_MADE = {name: Plan.from_dict(json.loads((GOLDEN / name / "document.json").read_bytes())) for name in MADE}
WHEN = "2026-11-23T12:00:00+00:00"
VERSION = "0.0.0"
HOSTILE = (
    "[red]x[/] \x1b]8;;https://evil.example\x07 <script>alert(1)</script>\u202egnp.\r\n"
    '::set-output name=a::b\n##[add-mask]c ```` ``` ]]> "&\\ | @everyone {{ 7*7 }} <!-- --> %0A\x00\ufffe'
)

Values = dict[str, str | None]


def change(
    key: str,
    before: Values | None,
    after: Values | None,
    *,
    portal: str = "acme",
    config_id: int | None = 69,
    title: str = "Sales",
    line: int = 9,
    hidden: int = 0,
    type_: LineType = "cloud",
    reregisters: bool = False,
    stored_only: bool = False,
) -> ResourceChange:
    action: Action = "create" if before is None else "delete" if after is None else "update"
    if before == after == {}:
        action = "no-op"
    secret: dict[str, bool] = {name: True for name in SECRET if name in {**(before or {}), **(after or {})}}
    return ResourceChange(
        address=Address(portal, key),
        name=key,
        portal=portal,
        config_id=config_id,
        line_type=type_,
        title=title,
        source=Source(file=f"portals/{portal}.yaml", line=line),
        reregisters=reregisters,
        stored_only=stored_only,
        unchanged_fields=hidden,
        change=Change(
            actions=(action,),
            before=before,
            after=after,
            before_sensitive=secret if before is not None else {},
            after_sensitive=secret if after is not None else {},
        ),
    )


def calls_of(changes: list[ResourceChange], portal: str, temporary: dict[str, str]) -> list[PlannedCall]:
    verbs = {"create": "add", "update": "update", "delete": "delete"}
    calls: list[PlannedCall] = []
    for row in (row for row in changes if row.action != "no-op"):
        steps: list[Values] = [dict(row.change.after or {})]
        if row.address in temporary:
            steps.insert(0, {"title": temporary[row.address]})
        for step in steps:
            params: dict[str, str | int | None] = {}
            if row.config_id is not None:
                params["CONFIG_ID"] = row.config_id
            if row.action != "delete":
                params["TYPE"] = row.line_type
            params |= {FIELDS[name].wire if name in FIELDS else name.upper(): value for name, value in step.items()}
            calls.append(
                PlannedCall(
                    id=f"{portal}:{len(calls) + 1}",
                    portal=portal,
                    address=row.address,
                    method=f"voximplant.sip.{verbs[row.action]}",
                    params=params,
                    sensitive=tuple(name for name in params if name == "PASSWORD"),
                    depends_on=(calls[-1].id,) if temporary and calls else (),
                )
            )
    return calls


def part(
    *changes: ResourceChange,
    portal: str = "acme",
    found: tuple[Diagnostic, ...] = (),
    exit_: Exit = Exit.OK,
    temporary: dict[str, str] | None = None,
    unchanged: int = 1,
    seconds: float = 0.0,
    unmanaged: int = 0,
) -> PortalPlan:
    rows = list(changes)
    calls = calls_of(rows, portal, temporary or {})
    actions = [row.action for row in rows]
    plan = PortalPlan(
        portal=portal,
        host=f"{portal}.bitrix24.example",
        owner="webhook",
        created=WHEN,
        desired=digest_of(portal),
        resource_changes=changes,
        calls=tuple(calls),
        evidence={
            row.address: LineEvidence(
                config_id=row.config_id, before={}, after={}, temporary=(temporary or {}).get(row.address)
            )
            for row in rows
        },
        summary=Summary(
            add=actions.count("create"),
            change=actions.count("update"),
            destroy=actions.count("delete"),
            unchanged=unchanged,
            unmanaged=unmanaged,
            calls=len(calls),
            requests=-(-len(calls) // 50),
            reregistrations=sum(row.reregisters for row in rows),
            seconds=seconds,
            failed=int(exit_ is Exit.ERROR),
        ),
        diagnostics=found,
        exit=exit_,
        seal="0" * 64,
    )
    return plan.model_copy(update={"digest": digest_of(plan.substance())})


def plan(*parts: PortalPlan, problems: tuple[Diagnostic, ...] = ()) -> Plan:
    return Plan(sipsync_version=VERSION, timestamp=WHEN, parts=parts, problems=problems)


def finding(
    code: Code,
    summary: str,
    hint: str = "",
    *,
    line: int | None = None,
    column: int = 3,
    end: int = 0,
    text: str = "",
    address: str | None = None,
    severity: Severity = "error",
    file: str = "portals/acme.yaml",
) -> Diagnostic:
    at = None if line is None else Span(file, line, column, end, text)
    return Diagnostic(code, Message(summary), hint=Message(hint), at=at, address=address, severity=severity)


UPDATE = change(
    "sales",
    {"server": "old.sip.example", "password": None},
    {"server": "sip.provider.example", "password": None},
    hidden=2,
    reregisters=True,
)
CREATE = change(
    "new",
    None,
    {"title": "Склад", "server": "sip.provider.example", "login": "+74951234567", "password": None},
    config_id=None,
    title="Склад",
    line=14,
)
DELETE = change(
    "old",
    {"title": "Old line", "server": "sip.provider.example", "login": "0045281811", "password": None},
    None,
    config_id=70,
    title="Old line",
    line=20,
)
LOST = finding(
    Code.LOST_FOR_GOOD,
    "deleting line 70 also deletes its queue, voice menu, recording, working hours, CRM rules and access rights",
    "A line made anew has another config_id and none of these.",
    line=20,
    address="acme.old",
    severity="warning",
)
UNMANAGED = finding(
    Code.UNMANAGED,
    '1 line in Bitrix24 is not in your file (left alone): 71 "Test"',
    "`sipsync import` adds them; `policy: {unmanaged: ignore}` silences this.",
    line=2,
    address="acme",
    severity="warning",
)
GUARD = finding(
    Code.MAX_CHANGES,
    "stopped by a safety limit: max_changes is 3, the plan changes 8",
    "Change fewer lines at a time, for example with --line. --allow max-changes:acme lets this one pass.",
    line=2,
    address="acme",
)
TYPO = finding(
    Code.UNKNOWN_KEY,
    'unknown key "titel"',
    'Did you mean "title"?',
    line=9,
    column=5,
    end=10,
    text="    titel: Отдел продаж",
    address="acme.sales",
)


def _fleet() -> Plan:
    kinds = ("update", "create", "delete", "no-op", "error", "guard")
    parts = [_fleet_part(f"portal-{number:02}", kinds[number % 6], number) for number in range(12)]
    return plan(*parts, problems=(finding(Code.UNKNOWN_ALLOW, "--allow names nothing that was found: x:y"),))


def _fleet_part(name: str, kind: str, number: int) -> PortalPlan:
    server: Values = {"server": "old.sip.example"}
    if kind == "error":
        wrong = finding(Code.UNREACHABLE, f"{name}.bitrix24.example does not answer", "Try later.", address=name)
        return part(portal=name, found=(wrong,), exit_=Exit.ERROR)
    if kind == "no-op":
        return part(portal=name, unchanged=7)
    if kind == "create":
        return part(change("new", None, {"title": "New"}, portal=name, config_id=None, title="New"), portal=name)
    if kind == "delete":
        return part(change("old", {"title": "Old"}, None, portal=name, title="Old"), portal=name)
    rows = [
        change(
            f"line{each}", server, {"server": "sip.example"}, portal=name, config_id=each, reregisters=True, hidden=3
        )
        for each in range(1, number + 3)
    ]
    stops = (finding(Code.MAX_CHANGES, "stopped by a safety limit", "Fewer.", address=name),) if kind == "guard" else ()
    return part(*rows, portal=name, found=stops, exit_=Exit.GUARD if stops else Exit.OK, seconds=8.5)


def _hostile() -> Plan:
    rows = (
        change("evil", {"title": HOSTILE, "server": HOSTILE}, {"title": "ok", "server": HOSTILE[::-1]}, title=HOSTILE),
        change("born", None, {"title": HOSTILE, "server": "s", "login": "l"}, config_id=None, title=HOSTILE, line=30),
        change("gone", {"title": HOSTILE}, None, config_id=72, title=HOSTILE, line=40),
    )
    found = finding(
        Code.TITLE_HELD,
        f'the title "{HOSTILE}" is taken',
        HOSTILE,
        line=9,
        column=5,
        end=9,
        text=f"    {HOSTILE}",
        address="acme.evil",
        file=f"portals/{HOSTILE}.yaml",
    )
    return plan(part(*rows, found=(found, LOST), exit_=Exit.GUARD, temporary={"acme.evil": HOSTILE}))


def outcome(*lines: LineOutcome, exit_: Exit = Exit.OK, found: tuple[Diagnostic, ...] = (), **more: object) -> Outcome:
    names = dict.fromkeys(line.portal for line in lines) or {"acme": None}
    parts = tuple(
        PortalOutcome(
            portal=name,
            lines=tuple(line for line in lines if line.portal == name),
            requests=3,
            diagnostics=found if place == 0 else (),
            exit=exit_,
        )
        for place, name in enumerate(names)
    )
    fields = {"sipsync_version": VERSION, "timestamp": WHEN, "plan_id": "0123456789abcdef", "parts": parts} | more
    return Outcome.model_validate(fields)


def line(key: str, action: Action, result: str, **more: object) -> LineOutcome:
    fields = {
        "address": f"acme.{key}",
        "portal": "acme",
        "action": action,
        "result": result,
        "config_id": 69,
        "source": {"file": "portals/acme.yaml", "line": 9},
    }
    return LineOutcome.model_validate(fields | more)


PARTIAL = outcome(
    line("sales", "update", "applied", reregistered=True, calls=1),
    line("new", "create", "applied", config_id=81, calls=1, advice="Add config_id: 81 to the file."),
    line(
        "support",
        "update",
        "failed",
        calls=1,
        error="TITLE_EXISTS",
        message="Bitrix24 refused it: the title is taken",
        advice="Choose another title.",
    ),
    line("chain", "update", "skipped", message="not attempted, since it waits for a line that was not written"),
    line("night", "update", "unverified", calls=2, message="no answer: whether it was carried out is not known"),
    line("swap", "update", "failed", calls=2, error="INTERNAL_SERVER_ERROR", message="Bitrix24 failed"),
    found=(
        finding(
            Code.TEMPORARY_LEFT,
            'line 69 still has the temporary title "~sipsync-69"',
            "The next `sipsync apply` gives it its title. Nothing else about the line changed.",
            address="acme.swap",
        ),
    ),
    exit_=Exit.PARTIAL,
)
STALE_MESSAGE = "title was changed in Bitrix24 after this plan was made"
STALE = outcome(
    line("sales", "update", "stale", message=STALE_MESSAGE, advice="Make a new plan."),
    line("new", "update", "done", message="was already as planned"),
    found=(
        finding(Code.STALE_LINE, STALE_MESSAGE, "Make a new plan.", line=9, address="acme.sales"),
        finding(Code.STALE_LINE, "1 line was changed in Bitrix24 after this plan was made; make a new plan"),
    ),
    exit_=Exit.STALE,
)
UNHEALTHY = outcome(
    line(
        "sales",
        "update",
        "restored",
        calls=2,
        registration=Registration(5, "error", 403, "Forbidden"),
        message="it has its old values again",
    ),
    found=(
        finding(
            Code.UNHEALTHY,
            "the canary did not register: error (Forbidden); it has its old values again; nothing else was sent",
            "Check server, login and password with the provider, then plan again.",
            address="acme.sales",
        ),
    ),
    exit_=Exit.UNHEALTHY,
)
DRY_RUN = outcome(
    *(line(row.name, row.action, "planned") for row in _MADE["swap"].resource_changes), dry_run=True
).model_copy(
    update={
        "parts": (
            PortalOutcome(
                portal="acme",
                lines=tuple(line(row.name, row.action, "planned") for row in _MADE["swap"].resource_changes),
                calls=(*_MADE["swap"].calls, *calls_of([UPDATE], "acme", {})),
            ),
        )
    }
)

PLANS: dict[str, Plan] = {
    **_MADE,
    "create": plan(part(CREATE, seconds=25.0)),
    "delete": plan(part(DELETE, found=(LOST,))),
    "guard": plan(part(UPDATE, DELETE, found=(GUARD, LOST), exit_=Exit.GUARD)),
    "errors": plan(part(found=(TYPO, UNMANAGED), exit_=Exit.ERROR)),
    "no-changes": plan(part(found=(UNMANAGED,), unmanaged=1)),
    "fleet": _fleet(),
    "hostile": _hostile(),
}
OUTCOMES: dict[str, Outcome] = {
    "applied": outcome(
        line(
            "sales",
            "update",
            "applied",
            calls=1,
            reregistered=True,
            registration=Registration(5, "success", 200, "OK"),
        ),
        line("old", "delete", "applied", calls=1),
    ),
    "nothing-left": outcome(line("sales", "update", "done", message="was already as planned")),
    "partial": PARTIAL,
    "stale": STALE,
    "unhealthy": UNHEALTHY,
    "dry-run": DRY_RUN,
    "hostile-outcome": outcome(
        line("evil", "update", "failed", error=HOSTILE, message=HOSTILE, advice=HOSTILE, calls=1),
        line("fine", "create", "applied", message=HOSTILE, advice=HOSTILE, calls=1),
        exit_=Exit.PARTIAL,
        found=(finding(Code.TEMPORARY_LEFT, HOSTILE, HOSTILE, address=HOSTILE),),
    ),
}
FINDINGS: dict[str, Findings] = {
    "valid": Findings(sipsync_version=VERSION, files=2, portals=2, lines=14),
    "findings": Findings(
        sipsync_version=VERSION,
        files=2,
        portals=1,
        lines=3,
        diagnostics=(
            TYPO,
            *(
                finding(
                    Code.SHARED_SECRET,
                    "the same reference on several lines",
                    "Is that meant?",
                    line=number,
                    address=f"acme.l{number}",
                    severity="warning",
                )
                for number in range(10, 23)
            ),
            *(
                finding(
                    Code.SIMILAR_TITLES,
                    f'"{number}" is like another title',
                    line=number,
                    address=f"acme.l{number}",
                    severity="warning",
                )
                for number in range(30, 38)
            ),
        ),
    ),
    "hostile-findings": Findings(sipsync_version=VERSION, files=1, diagnostics=_hostile().diagnostics),
}
OTHERS: dict[str, Report] = {
    "status": Status(
        lines=(
            LineStatus(
                portal="acme",
                config_id=69,
                address=Address("acme.sales"),
                title="Отдел продаж",
                type="cloud",
                reg_id=5,
                status_code=200,
            ),
            LineStatus(
                portal="acme",
                config_id=70,
                title="日本",
                type="cloud",
                reg_id=6,
                status_code=403,
                status_message="No\x1b",
            ),
            LineStatus(portal="acme", config_id=71, title="x", type="cloud", reg_id=0, status_code=None),
            LineStatus(portal="acme", config_id=72, title="x", type="cloud", reg_id=8, status_code=None),
            LineStatus(portal="acme", config_id=73, title="x", type="cloud", reg_id=9, status_code=0),
            LineStatus(
                portal="acme",
                config_id=74,
                title="live",
                type="cloud",
                reg_id=9,
                status_code=0,
                live=Registration(9, "in_progress", 0, "soon"),
            ),
            LineStatus(
                portal="acme",
                config_id=75,
                title="desk",
                type="office",
                reg_id=None,
                status_code=None,
                incoming_server="ip.bitrix24.example",
                incoming_login="sip75",
            ),
        ),
        diagnostics=(finding(Code.UNREACHABLE, "globex.bitrix24.example does not answer", address="globex"),),
    ),
    "no-lines": Status(),
    "diagnosis": Diagnosis(
        checks=(
            Check(portal="acme", name="credential", result="ok", detail=Message("accepted by acme.bitrix24.example")),
            Check(
                portal="acme",
                name="scope",
                result="failed",
                detail=Message("telephony is missing (there is: user)"),
                advice=Message(
                    "In Bitrix24 open Developer resources → Other → Inbound webhook, edit the webhook and tick it."
                ),
            ),
            Check(portal="globex", name="clock", result="skipped", detail=Message("no answer")),
            Check(portal="globex", name="rights", result="warning", detail=Message("sees 3 lines, but no passwords")),
        )
    ),
    "healthy": Diagnosis(checks=(Check(portal="acme", name="credential", result="ok"),)),
}
SHOWN: dict[str, Plan | Outcome] = {**PLANS, **OUTCOMES}
EVERYTHING: dict[str, Report] = {**SHOWN, **FINDINGS, **OTHERS}
