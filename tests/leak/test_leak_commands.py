"""Every command on a portal that works, and what goes wrong on this side of it: plans, reports, questions, signals."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sipsync.report import formats_of
from support.leak.scan import search
from support.leak.server import Hostile, Request, answer
from support.leak.stage import Stage

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from support.box import Box

PLAN_REPORTS = [f"--report={name}=plan.{name}" for name in formats_of("Plan")]
OUTCOME_REPORTS = [f"--report={name}=outcome.{name}" for name in formats_of("Outcome")]
SOURCES = ("env:SIP_PASSWORD", "file:secret", "exec:store#key", "sops:sops.yaml#/key", "env:LATER_FILED")


@dataclass
class Acme:
    """A portal whose lines all get another password, from a source of its own each."""

    stage: Stage
    box: Box
    url: str

    def __post_init__(self) -> None:
        stage = self.stage
        stage.environ |= {"HOOK": self.webhook, "SIPSYNC_IN_AUTOMATION": ""}
        stage.write("secret", stage.canary("file").value)
        stage.encrypt("sops.yaml", {"key": stage.canary("sops").value})
        stage.write("key", stage.canary("exec").value)
        stage.write("later", stage.canary("filed").value)
        stage.environ["LATER_FILED_FILE"] = str(stage.work / "later")
        script = stage.write("store.py", "import json; print(json.dumps({'key': open('key').read()}))")
        stage.environ["SIPSYNC_SECRET_COMMANDS"] = f"store={sys.executable} {script}"
        self.stored = [stage.canary(f"stored {at}") for at in range(len(SOURCES) + 1)]
        self.box.seed(
            *({"config_id": at, "title": f"Line {at}", "password": one.value} for at, one in enumerate(self.stored, 1))
        )
        self.write()

    @property
    def webhook(self) -> str:
        """The portal's webhook, whose secret is marked."""
        return f"{self.url}/good/{self.box.name}/rest/1/{self.stage.webhook.value}/"

    def write(self, title: str = "New") -> None:
        """The portal's file."""
        lines = "".join(
            f"  l{at}: {{config_id: {at}, title: '{title} {at}', password: '{source}'}}\n"
            for at, source in enumerate(SOURCES, 1)
        )
        self.stage.write("sipsync.yaml", f"sipsync: 1\nportal: {{name: acme, webhook: env:HOOK}}\nlines:\n{lines}")


@pytest.fixture
def acme(stage: Stage, hostile: Hostile, box: Box) -> Acme:
    """The portal of this test."""
    hostile.sandbox = box.url
    return Acme(stage, box, hostile.url)


def test_a_plan_and_its_apply_hold_no_secret_in_any_form(acme: Acme, hostile: Hostile) -> None:
    stage = acme.stage
    github = {"GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "output.txt"}
    planned = stage.sipsync("plan", "--all", "--github", "--out=plan.json", *PLAN_REPORTS, environ=github)
    assert (planned.code, "5 to change" in planned.out) == (0, True)
    assert stage.sipsync("show", "plan.json", "--verify", "--format", "html").code == 0

    hostile.forge = lambda request: answer(200, [] if request.verb == "GET" else {"html_url": "x"})
    forge = {"GITHUB_API_URL": f"{hostile.url}/forge", "GITHUB_REPOSITORY": "a/b"}
    assert stage.sipsync("comment", "--github", "--number=1", "plan.json", environ=forge).code == 0
    posted = [request for request in hostile.seen if request.kind == "forge" and request.body]
    assert posted
    assert search(stage.canaries, "the comment", b"".join(request.body for request in posted)) == []

    spoiled = spoil(stage)
    for name, code in spoiled.items():
        assert stage.sipsync("apply", "--plan", name, "--yes").code == code, name
    assert stage.sipsync("apply", "--plan=plan.json", "--dry-run", "--format=json").code == 0
    applied = stage.sipsync("apply", "--plan=plan.json", "--wait=1", "--json-events", *OUTCOME_REPORTS)
    assert applied.code == 0
    assert {line["password"] for line in acme.box.lines.values()} >= {stage.password.value}
    assert "already applied" in stage.sipsync("apply", "--plan", "plan.json", json_log=True).out


def spoil(stage: Stage) -> dict[str, int]:
    """Copies of the saved plan that nobody may apply, and the exit codes that they get."""
    text = (stage.work / "plan.json").read_text()
    stage.write("cut.json", text[: len(text) // 2])
    stage.write("edited.json", text.replace("New 1", "Old 1"))
    stage.write("newer.json", json.dumps({**json.loads(text), "format_version": "9.0"}))
    return {"cut.json": 1, "edited.json": 5, "newer.json": 1, "sipsync.yaml": 1}


def test_a_plan_that_got_stale_is_told_without_secrets(acme: Acme) -> None:
    stage = acme.stage
    assert stage.sipsync("plan", "--out", "plan.json").code == 0
    other = stage.canary("another password")
    acme.box.seed({"config_id": 1, "title": "Changed", "password": other.value}, {"config_id": 2, "title": "Line 2"})
    assert stage.sipsync("apply", "--plan", "plan.json", *OUTCOME_REPORTS).code == 5
    stage.environ["SIP_PASSWORD"] = other.value
    assert stage.sipsync("apply", "--plan", "plan.json", "--strict", json_log=True).code == 5
    acme.write("Other")
    assert stage.sipsync("show", "plan.json", "--verify").code == 5


def test_what_reads_a_portal_shows_no_secret(acme: Acme) -> None:
    stage = acme.stage
    assert stage.sipsync("snapshot", "--out", "snapshot.json").code == 0
    assert stage.sipsync("plan", "--against", "snapshot.json", *PLAN_REPORTS).code == 0
    assert stage.sipsync("status", "--live", "--incoming", "--format", "json").code == 0
    assert stage.sipsync("doctor", "--format", "json", json_log=True).code == 0


def test_a_plan_that_nobody_can_read_or_write_shows_no_secret(acme: Acme) -> None:
    stage = acme.stage
    assert stage.sipsync("plan", "--no-secrets", "--json-events").code == 0
    assert stage.sipsync("plan", "--line=l1", "--reregister=acme.l1").code == 0
    unwritable = stage.sipsync("plan", "--out=no/plan.json", "--report=html=no/plan.html", "--report=json=/dev/full")
    assert (unwritable.code, "can't be written" in unwritable.err) == (1, True)
    assert stage.sipsync("apply").code == 1
    assert stage.sipsync("plan", "--unknown", stage.work).code == 64


def test_an_import_keeps_passwords_where_it_was_told_to_alone(acme: Acme) -> None:
    stage = acme.stage
    kept = {"work/secrets.env": acme.stored}
    ran = stage.sipsync(
        "import", "new.yaml", "--webhook-env=HOOK", "--passwords=env", "--secrets-out=secrets.env", keeps=kept
    )
    assert ran.code == 0, ran.err
    assert acme.stored[0].head in (stage.work / "secrets.env").read_text()
    assert stage.sipsync("import", "sipsync.yaml", "--overwrite", "--pin").code == 0
    assert stage.sipsync("import", "plain.yaml", "--webhook-env=HOOK", "--name=plain").code == 0
    failing = stage.sipsync("import", "other.yaml", "--webhook-env=HOOK", "--passwords=keyring", "--secrets-out=x")
    assert (failing.code, "keyring can't be written" in failing.err) == (1, True)
    assert stage.sipsync("fmt", "--diff").code == 0


def test_init_keeps_the_webhook_in_one_private_file(acme: Acme) -> None:
    stage = acme.stage
    kept = {"work/team/.sipsync/webhook": [stage.webhook]}
    ran = stage.sipsync("init", "team", "--name=acme", "--webhook-stdin", stdin=acme.webhook, keeps=kept)
    assert ran.code == 0, ran.err
    file = stage.work / "team" / ".sipsync" / "webhook"
    assert (file.stat().st_mode & 0o777, stage.webhook.value in file.read_text()) == (0o600, True)
    assert stage.sipsync("init", "team", "--webhook-stdin", stdin=acme.webhook).code == 1
    assert stage.sipsync("init", "ci", "--ci=github", "--webhook-env=HOOK").code == 0
    wrong = acme.webhook.replace("/rest/", "/")
    assert stage.sipsync("init", "wrong", "--webhook-stdin", stdin=wrong).code == 1
    assert not (stage.work / "wrong").exists()


AT_A_TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.executable, [sys.executable, "-m", "sipsync", "--log-level", "debug", "init", "asked"])
shown = b""
try:
    while piece := os.read(terminal, 4096):
        sys.stdout.buffer.write(piece)
        shown += piece
        if b"not shown" in shown:
            os.write(terminal, os.environ["HOOK"].encode() + b"\\n")
            shown = b""
except OSError:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
"""Types the webhook where it is asked for, and prints all that the terminal shows."""


def test_a_webhook_that_is_typed_is_not_shown(acme: Acme) -> None:
    kept = {"work/asked/.sipsync/webhook": [acme.stage.webhook]}
    ran = acme.stage.python("-c", AT_A_TERMINAL, keeps=kept)
    assert (ran.code, "Webhook (not shown" in ran.out, "No changes" in ran.out) == (0, True, True)


def test_an_application_keeps_its_tokens_in_the_token_store_alone(acme: Acme, hostile: Hostile) -> None:
    stage = acme.stage
    stage.variable("CLIENT_SECRET")
    stage.variable("REFRESH_TOKEN")
    fresh = [stage.canary("new access token"), stage.canary("new refresh token")]
    hostile.tokens = {"access_token": fresh[0].value, "refresh_token": fresh[1].value}
    stage.write(
        "sipsync.yaml",
        f"sipsync: 1\nportal: {{oauth: {{domain: '{hostile.url}/good/{acme.box.name}', client_id: app, client_secret:"
        f" env:CLIENT_SECRET, refresh_token: env:REFRESH_TOKEN, token_url: '{hostile.url}/renews/'}}}}\n"
        "lines: {a: {config_id: 1, title: A}}\n",
    )
    ran = stage.sipsync("plan", keeps={"state/tokens/*.json": fresh})
    assert (ran.code, hostile.kinds) == (0, {"good", "renews"})
    assert stage.sipsync("apply", "--yes", *OUTCOME_REPORTS, json_log=True).code == 0


@pytest.mark.parametrize(
    ("do", "code"), [({"delay": 20}, 130), ("reset-after", 0), ({"error": "TITLE_EXISTS"}, 1)], ids=str
)
def test_an_apply_that_goes_wrong_is_told_without_secrets(acme: Acme, hostile: Hostile, do: object, code: int) -> None:
    def note_the_write(request: Request) -> None:
        if b"sip.update" in request.body:
            hostile.asked.set()

    hostile.on_request = note_the_write
    acme.box.faults({"match": {"method": "voximplant.sip.update"}, "do": do})
    how: dict[str, Any] = {"meanwhile": hostile.interrupt_twice} if code == 130 else {}
    assert acme.stage.sipsync("apply", "--yes", *OUTCOME_REPORTS, **how).code == code


def test_the_sandbox_logs_no_secret(stage: Stage) -> None:
    token = stage.canary("token", plain=True)

    def use(process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        started = json.loads(process.stdout.readline())
        line = {"TITLE": "A", "SERVER": "sip.example", "LOGIN": "u", "PASSWORD": stage.password.value}
        for url, body, headers in (
            (f"{started['webhook']}voximplant.sip.add", line, {}),
            (f"{started['url']}/rest/1/{stage.webhook.value}/voximplant.sip.get", {}, {}),
            (f"{started['url']}/rest/voximplant.sip.get?auth={token.value}", {"auth": token.value}, {}),
            (f"{started['url']}/rest/profile", {}, {"Authorization": f"Bearer {token.value}"}),
            (f"{started['apps']['a']['token_url']}?grant_type=refresh_token&refresh_token={token.value}", {}, {}),
        ):
            httpx.post(url, json=body, headers=headers, trust_env=False)
        process.terminate()

    ran = stage.sipsync("sandbox", "serve", "--app=a", "--log=sandbox.log", meanwhile=use)
    assert (ran.code, "voximplant.sip.add" in (stage.work / "sandbox.log").read_text()) == (0, True)


def test_the_commands_without_a_portal_show_no_secret(stage: Stage) -> None:
    for command in (["demo"], ["schema"], ["explain"], ["completion", "bash"], ["--help"], ["--version"]):
        assert stage.sipsync(*command).code == 0
