"""Secrets from every kind of source, and sources that fail while they quote them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from support.leak.scan import Canary
from support.leak.server import BROKEN, WRONG, Hostile, Request, answer
from support.leak.stage import Ran, Stage

pytestmark = pytest.mark.slow

LOUD = "import json, os, sys; print(os.environ['SIP_PASSWORD'], file=sys.stderr); "
"""A command that says on its standard error what it should not."""
COMMANDS = {
    "fails": LOUD + "print(os.environ['SIP_PASSWORD']); sys.exit(3)",
    "nojson": LOUD + "print('{' + os.environ['SIP_PASSWORD'])",
    "list": LOUD + "print(json.dumps([os.environ['SIP_PASSWORD']]))",
    "number": LOUD + "print(json.dumps({'a': {os.environ['SIP_PASSWORD']: 1}}))",
    "notext": LOUD + "sys.stdout.buffer.write(os.environ['SIP_PASSWORD'].encode() + b'\\xff')",
    "killed": LOUD + "print(os.environ['SIP_PASSWORD'], flush=True); os.kill(os.getpid(), 9)",
    "good": LOUD + "print(json.dumps({'a': os.environ['SIP_PASSWORD'], 'long': os.environ['SIP_PASSWORD'] * 9}))",
}
FAILS = {
    "exec:fails": "ended with status 3",
    "exec:nojson#a": "did not write a JSON object",
    "exec:list#a": "did not write a JSON object",
    "exec:number#a": "is not a text",
    "exec:notext": "is not UTF-8",
    "exec:killed": "ended with status -9",
    "exec:good#b": "gives nothing",
    "exec:good#long": "longer than the 100",
    "exec:none": "defines no command",
    "env:BLANK_AFTER": "white space",
    "env:BLANK_BEFORE": "white space",
    "env:LONG": "longer than the 100",
    "env:SIP_PASWORD": "SIP_PASWORD is not set",
    "env:SIPSYNC_PLAN_KEY": "not one that files may read",
    "env:SIPSYNC_FORGE_TOKEN": "not one that files may read",
    "env:IN_FILE": "white space",
    "file:long": "longer than the 100",
    "file:latin": "is not UTF-8",
    "file:../state": "outside",
    "sops:plain.yaml#/a": "is not a file that sops encrypted",
    "sops:broken.yaml#/a": "broken.yaml",
    "sops:cut.yaml#/a": "cut.yaml",
    "sops:edited.yaml#/a": "MAC mismatch",
    "sops:good.yaml#/b": "has nothing at",
    "sops:good.yaml#/long": "longer than the 100",
    "keyring:service/user": "the keyring",
    "odd:raises": "failed (Quoting)",
    "text:x": "gave no answer",
    "unloadable:x": "can't be loaded",
}
"""References, and what is said of each."""
PLUGIN = """
import os
secret = os.environ["SIP_PASSWORD"]
class Quoting(Exception):
    pass
class Fatal(BaseException):
    pass
async def odd(refs, operator):
    raise Quoting(secret)
async def text(refs, operator):
    return dict.fromkeys(refs, secret)
async def worse(refs, operator):
    try:
        raise Quoting(secret)
    except Quoting as error:
        raise Fatal(secret) from error
"""


@pytest.fixture
def sources(stage: Stage) -> Canary:
    """A file, a command, a SOPS file and packages that give, or fail to give, the secret of SIP_PASSWORD."""
    secret = stage.password.value
    stage.environ |= {"BLANK_AFTER": f"{secret} ", "BLANK_BEFORE": f"\t{secret}", "LONG": secret * 5}
    stage.environ["IN_FILE_FILE"] = str(stage.write("in_file", f"{secret} \n"))
    stage.write("long", secret * 5)
    stage.write("latin", secret.encode("latin-1"))
    scripts = {name: stage.write(f"commands/{name}.py", script) for name, script in COMMANDS.items()}
    stage.environ["SIPSYNC_SECRET_COMMANDS"] = "\n".join(f"{name}={sys.executable} {scripts[name]}" for name in scripts)
    good = stage.encrypt("good.yaml", {"a": secret, "long": secret * 5, "plain": "x"})
    stage.write("plain.yaml", json.dumps({"a": secret}))
    stage.write("cut.yaml", good[: len(good) // 2])
    stage.write("broken.yaml", good.replace("data:", "data:AAAA", 1))
    stage.write("edited.yaml", json.dumps({key: value for key, value in json.loads(good).items() if key != "plain"}))
    _plugin(stage)
    return stage.password


def _plugin(stage: Stage) -> None:
    """An installed package that registers kinds of secrets."""
    site = stage.folder / "site"
    (site / "odd_secrets.py").write_text(PLUGIN)
    (site / "unloadable_secrets.py").write_text("import os\nraise RuntimeError(os.environ['SIP_PASSWORD'])\n")
    metadata = site / "odd_secrets-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-secrets\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[sipsync.secrets]\nodd = odd_secrets:odd\ntext = odd_secrets:text\nworse = odd_secrets:worse\n"
        "unloadable = unloadable_secrets:resolve\n"
    )


def portal(stage: Stage, url: str, *references: str) -> None:
    """A portal whose lines have these passwords."""
    stage.environ["HOOK"] = f"{url}/rest/1/{stage.webhook.value}/"
    lines = "".join(f"  l{at}: {{config_id: {at}, password: '{ref}'}}\n" for at, ref in enumerate(references, 1))
    stage.write("sipsync.yaml", f"sipsync: 1\nportal: {{webhook: env:HOOK}}\nlines:\n{lines}")


@pytest.mark.parametrize("json_log", [False, True])
@pytest.mark.parametrize("command", [["plan", "--report=html=p.html"], ["apply", "--yes", "--format=json"]], ids=str)
def test_a_source_that_fails_is_not_quoted(
    stage: Stage, hostile: Hostile, sources: Canary, command: list[str], json_log: bool
) -> None:
    portal(stage, f"{hostile.url}/html", *FAILS)
    ran = stage.sipsync(*command, json_log=json_log)
    assert ran.code == 1
    told = " ".join((ran.out + ran.err).split())
    assert {ref: what for ref, what in FAILS.items() if what not in told} == {}


@pytest.mark.parametrize("json_log", [False, True])
def test_an_internal_error_is_not_quoted(stage: Stage, hostile: Hostile, sources: Canary, json_log: bool) -> None:
    portal(stage, f"{hostile.url}/html", "worse:x", "odd:x")
    ran = stage.sipsync("plan", json_log=json_log)
    assert ran.code == 1
    assert "internal error: Fatal at sipsync/" in ran.err
    assert "sipsync/fleet/" in ran.err


def test_no_child_is_given_the_secrets_that_are_sipsyncs_own(stage: Stage, hostile: Hostile) -> None:
    script = stage.write("dump.py", "import os; open('given', 'w').write(repr(dict(os.environ))); print('x')")
    portal(stage, f"{hostile.url}/html", "exec:dump")
    stage.sipsync(
        "plan",
        "--secret-command",
        f"dump={sys.executable} {script}",
        keeps={"work/given": (stage.password, stage.webhook)},
    )
    assert stage.password.head in (stage.work / "given").read_text()


VAULTS: dict[str, Callable[[Stage], dict[str, str]]] = {
    "VAULT_TOKEN": lambda stage: {"VAULT_TOKEN": stage.canary("vault", plain=True).value},
    "VAULT_TOKEN with a line end": lambda stage: {"VAULT_TOKEN": f"{stage.canary('vault', plain=True).value}\nx"},
    "AppRole": lambda stage: {
        "VAULT_ROLE_ID": stage.canary("role", plain=True).value,
        "VAULT_SECRET_ID": stage.canary("secret_id").value,
    },
    "JWT": lambda stage: {"VAULT_JWT": stage.canary("jwt").value, "VAULT_ROLE": "ci"},
}


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("VAULT_TOKEN", "denied"),
        ("VAULT_TOKEN", "reset"),
        ("VAULT_TOKEN with a line end", "html"),
        ("AppRole", "invalid"),
        ("AppRole", "moved"),
        ("JWT", "no-json"),
    ],
)
def test_a_vault_that_refuses_is_not_quoted(stage: Stage, hostile: Hostile, way: str, kind: str) -> None:
    portal(stage, f"{hostile.url}/html", "vault:kv/sip#a")
    ran = stage.sipsync("plan", environ={"VAULT_ADDR": f"{hostile.url}/{kind}", **VAULTS[way](stage)})
    assert (ran.code, "sipsync.yaml:4" in ran.err + ran.out) == (1, True)


def application(stage: Stage, name: str, keys: str) -> None:
    """A portal by an application."""
    stage.write(f"portals/{name}.yaml", f"sipsync: 1\nportal: {{oauth: {{{keys}}}}}\nlines: {{a: {{config_id: 1}}}}\n")


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_a_renewal_that_fails_is_not_quoted(stage: Stage, hostile: Hostile, command: str) -> None:
    client = "client_id: app, client_secret: env:CLIENT_SECRET, refresh_token: env:REFRESH_TOKEN"
    for name in ("CLIENT_SECRET", "REFRESH_TOKEN", "ACCESS_TOKEN"):
        stage.variable(name)
    answers = {**WRONG, **BROKEN}
    for kind in answers:
        domain, url = f"{hostile.url}/good/{kind}", f"{hostile.url}/{kind}/oauth/token/"
        application(stage, kind, f"domain: '{domain}', {client}, token_url: '{url}'")
    application(stage, "given", f"domain: '{hostile.url}/expired', access_token: env:ACCESS_TOKEN")
    ran = stage.sipsync(command)
    assert (ran.code, hostile.kinds) == (1, set(answers))
    assert "access token of env:ACCESS_TOKEN has expired" in ran.out + ran.err


def comment(stage: Stage, hostile: Hostile, kind: str, **how: Any) -> Ran:
    """Try to comment at the forge."""
    environ = {
        "GITHUB_API_URL": f"{hostile.url}/forge",
        "GITHUB_REPOSITORY": "a/b",
        "CI_API_V4_URL": f"{hostile.url}/forge",
        "CI_PROJECT_ID": "1",
    }
    ran = stage.sipsync("comment", f"--{kind}", "--number", "1", stdin="plan", environ=environ, **how)
    assert all(stage.forge_token.value in request.echo for request in hostile.seen)
    return ran


@pytest.mark.parametrize(("kind", "status"), [("github", 403), ("github", 422), ("gitlab", 401), ("gitlab", 302)])
def test_a_forge_that_refuses_is_not_quoted(stage: Stage, hostile: Hostile, kind: str, status: int) -> None:
    hostile.forge = lambda request: answer(
        status, {"message": request.echo}, Location=f"https://x.invalid/{request.echo[:9]}"
    )
    ran = comment(stage, hostile, kind)
    assert (ran.code, "the forge" in ran.err) == (1, True)


def test_a_forge_that_fails_is_not_quoted_when_the_wait_is_interrupted(stage: Stage, hostile: Hostile) -> None:
    def fails(request: Request) -> bytes:
        hostile.asked.set()
        return answer(500, {"message": request.echo})

    hostile.forge = fails
    assert comment(stage, hostile, "github", meanwhile=hostile.interrupt).code == 130
