"""Who can guess a secret by what a plan tells of it: nobody who can only read and write the files."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

import sipsync
from sipsync import api
from sipsync.model.operator import Operator
from sipsync.model.plan import Plan
from sipsync.model.problems import Code, Exit, SipsyncError, UsageError
from sipsync.sandbox import dump_portal, seed_portal
from support.box import KEY, Box

LINES = """
lines:
  a: {config_id: 101, title: New, password: env:PIN}
"""


class Embedded:
    """A checkout with an embedded portal that its author filled, on a machine with secrets of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"PIN": "482913", "SIPSYNC_STATE_DIR": str(folder.parent / "state")}
        folder.mkdir()
        line = {"type": "cloud", "title": "A", "server": "s.example", "login": "a", "password": "482913", "app": None}
        seed_portal(self.file, {"lines": [{**line, "config_id": 101}]})
        (folder / "acme.yaml").write_text(f"sipsync: 1\nportal: {{sandbox: portal.sqlite}}\n{LINES}")

    @property
    def file(self) -> str:
        return str(self.folder / "portal.sqlite")

    def fleet(self, **more: str) -> sipsync.Fleet:
        return sipsync.load([self.folder], Operator.from_environ({**self.environ, **more}, str(self.folder)))

    async def plan(self, **more: str) -> Plan:
        return await sipsync.aplan(self.fleet(**more))


@pytest.fixture
def embedded(tmp_path: Path) -> Embedded:
    return Embedded(tmp_path / "checkout")


async def test_the_plan_of_an_embedded_portal_is_the_same_whatever_a_secret_is(embedded: Embedded) -> None:
    plan = await embedded.plan()
    other = await embedded.plan(PIN="000000")
    unset = await embedded.plan(PIN="")
    assert plan.digest == other.digest == unset.digest
    assert [change.change.after for change in plan.resource_changes] == [{"title": "New"}]
    warning = next(found for found in plan.diagnostics if found.code is Code.PASSWORDS_NOT_COMPARED)
    assert "--sandbox-secrets" in str(warning.hint)


async def test_a_new_line_whose_password_is_not_read_is_told_before_it_is_refused(embedded: Embedded) -> None:
    new = "  n: {title: N, server: s.example, login: n, password: env:PIN}\npolicy: {create: true}\n"
    (embedded.folder / "acme.yaml").write_text(f"sipsync: 1\nportal: {{sandbox: portal.sqlite}}\n{LINES}{new}")
    plan = await embedded.plan()
    (warning,) = [found for found in plan.diagnostics if found.code is Code.PASSWORDS_NOT_COMPARED]
    assert str(warning.summary).startswith("2 passwords")
    outcome = await sipsync.aapply(plan, embedded.fleet())
    assert [(line.address, line.result) for line in outcome.lines] == [("acme.a", "applied"), ("acme.n", "stale")]
    assert "--sandbox-secrets" in str(outcome.diagnostics[0].hint)


async def test_no_real_secret_is_written_into_an_embedded_portal(embedded: Embedded) -> None:
    outcome = await sipsync.aapply(await embedded.plan(), embedded.fleet(PIN="real"))
    assert outcome.exit is Exit.OK
    assert [line["password"] for line in dump_portal(embedded.file)["lines"]] == ["482913"]


async def test_the_operator_may_have_real_secrets_read_for_an_embedded_portal(embedded: Embedded) -> None:
    allowed = {"SIPSYNC_SANDBOX_SECRETS": "1", "PIN": "other"}
    plan = await embedded.plan(**allowed)
    refused = await sipsync.aapply(plan, embedded.fleet(PIN="other"))
    assert [found.code for found in refused.diagnostics] == [Code.STALE_SECRET, Code.STALE_LINE]
    assert "--sandbox-secrets" in str(refused.diagnostics[0].hint)
    assert (await sipsync.aapply(plan, embedded.fleet(**allowed))).exit is Exit.OK
    assert [line["password"] for line in dump_portal(embedded.file)["lines"]] == ["other"]


@pytest.mark.parametrize("ci", ["", "true"])
async def test_the_key_of_an_embedded_portal_s_plan_is_not_in_the_checkout(
    embedded: Embedded, tmp_path: Path, ci: str
) -> None:
    secrets = {"SIPSYNC_SANDBOX_SECRETS": "1", "CI": ci}
    here = await embedded.plan(**secrets)
    elsewhere = await embedded.plan(**secrets, SIPSYNC_STATE_DIR=str(tmp_path / "attacker"))
    assert here.digest == (await embedded.plan(**secrets)).digest
    assert here.digest != elsewhere.digest


# --- portals of one's own ---


def seeded(box: Box, access: str = "webhook: env:HOOK") -> None:
    box.environ["PIN"] = "482913"
    box.seed({"config_id": 101, "title": "A", "login": "a"})
    (box.folder / "acme.yaml").write_text(f"sipsync: 1\nportal: {{{access}}}\n{LINES}")


def at_another_machine(box: Box) -> None:
    box.environ["SIPSYNC_STATE_DIR"] = str(box.folder / "other" / "state")


async def test_a_plan_of_another_machine_is_refused_and_the_refusal_says_what_to_do(box: Box) -> None:
    seeded(box)
    plan = await box.plan()
    at_another_machine(box)
    outcome = await box.apply(plan)
    assert outcome.exit is Exit.STALE
    (found,) = outcome.diagnostics
    assert found.code is Code.PLAN_SEAL
    assert "another machine without SIPSYNC_PLAN_KEY" in str(found.summary)
    assert "`sipsync secret plan-key`" in str(found.hint)


@pytest.mark.parametrize("shared", [{"SIPSYNC_PLAN_KEY": KEY}, {"CI": "true"}])
async def test_machines_that_share_a_key_or_jobs_that_share_a_credential_apply_one_plan(
    box: Box, tmp_path: Path, shared: dict[str, str]
) -> None:
    seeded(box)
    box.environ |= shared
    api.write_plan(tmp_path / "plan.json", await box.plan())
    at_another_machine(box)
    assert (await box.apply(api.read_plan(tmp_path / "plan.json"))).exit is Exit.OK


@pytest.mark.parametrize("access", ["webhook: 'file:hook'", "webhook: env:FROM"])
async def test_a_credential_that_the_author_may_have_written_is_no_key_in_ci(
    box: Box, tmp_path: Path, access: str
) -> None:
    seeded(box, access)
    (box.folder / "hook").write_text(box.webhook)
    box.environ |= {"CI": "true", "FROM_FILE": str(box.folder / "hook")}
    plan = await box.plan()
    with pytest.raises(SipsyncError) as caught:
        api.write_plan(tmp_path / "plan.json", plan)
    assert [(found.code, found.address) for found in caught.value.diagnostics] == [(Code.PLAN_KEY, "acme")]
    assert not (tmp_path / "plan.json").exists()
    assert (await box.apply(plan)).exit is Exit.OK
    at_another_machine(box)
    assert (await box.apply(plan)).exit is Exit.STALE


async def test_the_state_folder_s_key_is_made_once_and_for_its_user_alone(box: Box) -> None:
    seeded(box)
    state = box.folder / "state"
    script = (
        "import sys; from sipsync.disk.clock import SystemClock; from sipsync.disk.locks import state_key;"
        "from sipsync.model.operator import Operator;"
        "print(state_key(Operator(state_dir=sys.argv[1]), SystemClock()).hex())"
    )
    command = [sys.executable, "-c", script, str(state)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in running}) == 1
    assert stat.S_IMODE((state / "plan.key").stat().st_mode) == 0o600


async def test_a_damaged_key_is_told(box: Box) -> None:
    seeded(box)
    (box.folder / "state").mkdir(mode=0o700)
    (box.folder / "state" / "plan.key").write_bytes(b"")
    (box.folder / "state" / "plan.key").chmod(0o600)
    assert [found.code for found in (await box.plan()).diagnostics] == [Code.STATE_UNSAFE]


@pytest.mark.parametrize("key", ["shared", "k" * 64, "sandbox1" * 8, "0011223" * 5 + "x"])
def test_a_key_that_can_be_guessed_is_refused(box: Box, key: str) -> None:
    box.environ["SIPSYNC_PLAN_KEY"] = key
    with pytest.raises(UsageError) as caught:
        _ = box.operator
    assert "`sipsync secret plan-key`" in str(caught.value.diagnostics[0].hint)
    assert key not in str(caught.value)


def test_a_key_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    from sipsync.cli.main import run

    keys = set()
    for _ in range(2):
        assert run(["secret", "plan-key"]) == 0
        keys.add(capsys.readouterr().out.strip())
    assert len(keys) == 2
    for key in keys:
        assert Operator.from_environ({"SIPSYNC_PLAN_KEY": key}).plan_key
