"""Portals that can't be reached, refuse, or answer nonsense, each quoting what it was sent: nothing of it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from sipsync.report import formats_of
from support.leak.server import BROKEN, WRONG, Hostile
from support.leak.stage import Stage

pytestmark = pytest.mark.slow

LINES = "lines: {sales: {config_id: 1, title: Sales, password: env:SIP_PASSWORD}}\n"


UNUSABLE = {
    "forbidden-host": ("https://evil.example/rest/1/SECRET/", "evil.example may not receive"),
    "plain-http": ("http://acme.bitrix24.ru/rest/1/SECRET/", "plain http"),
    "no-webhook": ("https://acme.bitrix24.ru/SECRET/", "does not look like"),
    "with-method": ("https://acme.bitrix24.ru/rest/1/SECRET/profile.json?x=y", "does not look like"),
    "with-blank": ("https://acme.bitrix24.ru/rest/1/ SECRET/", "white space"),
    "with-line-end": ("https://acme.bitrix24.ru/rest/1/SECRET/\nx", "white space"),
    "with-user": ("https://u:SECRET@acme.bitrix24.ru/rest/1/x/", "does not look like"),
    "as-host": ("https://SECRET/rest/1/x/", "does not look like"),
    "as-port": ("https://acme.bitrix24.ru:SECRET/rest/1/x/", "does not look like"),
    "alone": ("SECRET", "does not look like"),
}
"""Webhooks that are not even sent, and what is said of them."""
UNREACHABLE = {
    "unknown-host": ("https://canary.invalid/rest/1/SECRET/", "canary.invalid can't be reached"),
    "refused": ("http://127.0.0.1:9/rest/1/SECRET/", "127.0.0.1:9"),
    "no-tls": ("HTTPS/rest/1/SECRET/", "no secure connection"),
}


def webhooks(stage: Stage, hostile: Hostile, given: Mapping[str, tuple[str, str]]) -> None:
    """Portals of these webhooks."""
    for name, (url, _) in given.items():
        url = url.replace("HTTPS", hostile.url.replace("http:", "https:"))
        portal(stage, name, url.replace("SECRET", stage.webhook.value))


def answering(stage: Stage, hostile: Hostile, kinds: Iterable[str]) -> None:
    """A portal for each way to answer."""
    for kind in kinds:
        portal(stage, kind, f"{hostile.url}/{kind}/rest/1/{stage.webhook.value}/")


def portal(stage: Stage, name: str, webhook: str, lines: str = LINES) -> None:
    """A portal's file, and its webhook in a variable."""
    variable = f"HOOK_{name.upper().replace('-', '_')}"
    stage.environ[variable] = webhook
    stage.write(f"portals/{name}.yaml", f"sipsync: 1\nportal: {{webhook: env:{variable}}}\n{lines}")


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "--all", "--out=plan.json", *(f"--report={name}=report.{name}" for name in formats_of("Plan"))],
        ["plan", "--json-events"],
        ["apply", "--yes", *(f"--report={name}=report.{name}" for name in formats_of("Outcome"))],
        ["apply", "--dry-run", "--format", "json"],
        ["status", "--live", "--incoming"],
        ["doctor"],
        ["snapshot", "--out", "snapshot.json"],
        ["--json-log", "doctor", "--format", "json"],
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_what_a_portal_answers_is_never_quoted(stage: Stage, hostile: Hostile, command: list[str]) -> None:
    answering(stage, hostile, WRONG)
    webhooks(stage, hostile, UNUSABLE)
    ran = stage.sipsync(*command)
    assert ran.code == 1
    assert hostile.kinds == set(WRONG)
    assert [told for _, told in UNUSABLE.values() if told not in ran.out + ran.err] == []


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_portal_that_fails_again_and_again_is_not_quoted(stage: Stage, hostile: Hostile, command: str) -> None:
    answering(stage, hostile, BROKEN)
    webhooks(stage, hostile, UNREACHABLE)
    stage.environ["SIPSYNC_HOSTS"] = "canary.invalid"
    ran = stage.sipsync(command, "--timeout", "2", *(["--yes"] if command == "apply" else []))
    assert ran.code == 1
    assert hostile.kinds == set(BROKEN)
    assert [told for _, told in UNREACHABLE.values() if told not in ran.out + ran.err] == []


def test_a_portal_that_never_answers_is_not_quoted(stage: Stage, hostile: Hostile) -> None:
    portal(stage, "silent", f"{hostile.url}/silent/rest/1/{stage.webhook.value}/")
    for seconds in ("3", "30", "150"):  # a slow machine may need longer until it asks at all
        ran = stage.sipsync("plan", "--timeout", seconds)
        assert ran.code == 1
        if hostile.asked.is_set():
            break
    assert hostile.asked.is_set()


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["doctor"], ["--json-log", "status"]], ids=str)
def test_an_interrupted_request_is_not_shown(stage: Stage, hostile: Hostile, command: list[str]) -> None:
    portal(stage, "silent", f"{hostile.url}/silent/rest/1/{stage.webhook.value}/")
    ran = stage.sipsync(*command, meanwhile=hostile.interrupt)
    assert (ran.code, "interrupted" in ran.err) == (130, True)
