"""Applications: lines of their own, tokens that expire, and two owners of one portal in one plan."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import sipsync
from sipsync import api
from sipsync.model.events import Waiting
from sipsync.model.policy import Limits
from sipsync.model.problems import Code, Exit
from support.box import Box

OWN_RENEWAL = """sipsync: 1
portal:
  name: app
  oauth:
    domain: {domain}
    client_id: {client_id}
    client_secret: env:SECRET
    refresh_token: env:REFRESH
    token_url: {token_url}
lines:
  b: {{config_id: 102, title: A}}
"""
GIVEN_TOKEN = """sipsync: 1
portal:
  name: app
  oauth: {{domain: "{domain}", access_token: "file:token"}}
lines:
  b: {{config_id: 102, title: A}}
"""


@pytest.fixture
def served() -> Iterator[dict[str, Any]]:
    """What a served sandbox says of itself; one for each test, since tokens are renewed and expire."""
    command = [sys.executable, "-m", "sipsync", "sandbox", "serve", "--bucket", "off", "--app", "appa", "--app", "appb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def portal(served: dict[str, Any], tmp_path: Path) -> Box:
    """A portal with a line of the webhook's and one of an application's."""
    box = Box(served["url"], tmp_path)
    box.environ["HOOK"] = served["webhook"].replace("/rest/", f"/{box.name}/rest/")
    box.seed(
        {"config_id": 101, "title": "A", "login": "a"}, {"config_id": 102, "title": "B", "login": "b", "app": "appa"}
    )
    return box


def application(box: Box, served: dict[str, Any], text: str, name: str = "appa") -> None:
    app = served["apps"][name]
    box.environ |= {"SECRET": app["client_secret"], "REFRESH": app["refresh_token"]}
    (box.folder / "token").write_text(app["access_token"] + "\n", encoding="utf-8")
    head = {"domain": f"{box.url}/{box.name}", "client_id": app["client_id"], "token_url": app["token_url"]}
    (box.folder / "app.yaml").write_text(text.format(**head), encoding="utf-8")


async def test_two_owners_swap_titles_in_one_plan(portal: Box, served: dict[str, Any]) -> None:
    application(portal, served, GIVEN_TOKEN)
    portal.write("lines:\n  a: {config_id: 101, title: B}\n")
    plan = await portal.plan()
    assert plan.exit is Exit.OK, plan.diagnostics
    assert plan.summary.calls == 3
    outcome = await portal.apply(plan)
    assert outcome.exit is Exit.OK, outcome
    assert portal.titles == {101: "B", 102: "A"}
    assert not (await portal.plan()).has_changes


async def test_one_application_in_two_files_is_an_error_however_it_is_spelled(
    portal: Box, served: dict[str, Any]
) -> None:
    application(portal, served, OWN_RENEWAL)
    again = (portal.folder / "app.yaml").read_text(encoding="utf-8").replace("name: app", "name: again")
    portal.environ["ID"] = served["apps"]["appa"]["client_id"]
    spelled = again.replace(f"/{portal.name}\n", f"/{portal.name}/\n").replace(portal.environ["ID"], "env:ID")
    assert (f"/{portal.name}/\n" in spelled, "env:ID" in spelled) == (True, True)
    (portal.folder / "again.yaml").write_text(spelled, encoding="utf-8")
    plan = await portal.plan()
    assert [found.code for found in plan.diagnostics] == [Code.HOST_TWICE] * 2
    assert portal.stats["requests"] == 0


async def test_an_application_sees_its_own_lines_only(portal: Box, served: dict[str, Any]) -> None:
    application(portal, served, GIVEN_TOKEN.replace("102", "101"))
    plan = await portal.plan()
    assert [found.code for found in plan.diagnostics if found.severity == "error"] == [Code.VANISHED_LINES]
    assert plan.exit is Exit.GUARD


async def test_an_owner_that_is_refused_stops_its_own_lines_only(portal: Box, served: dict[str, Any]) -> None:
    application(portal, served, GIVEN_TOKEN.replace("title: A", "title: C"))
    portal.write("lines:\n  a: {config_id: 101, server: new.example}\n", "zeta.yaml")
    planned = await portal.plan()
    (portal.folder / "token").write_text("another", encoding="utf-8")
    plan, fleet = await portal.plan(), portal.fleet()
    assert [(part.portal, part.exit) for part in plan.parts] == [("app", Exit.ERROR), ("zeta", Exit.OK)]
    assert [reading.snapshot is None for reading in await api.aread(fleet)] == [True, False]
    assert [line.config_id for line in (await api.astatus(fleet)).lines] == [101]
    outcome = await portal.apply(planned)
    assert [(part.portal, part.exit) for part in outcome.parts] == [("app", Exit.ERROR), ("zeta", Exit.OK)]
    assert (portal.lines[101]["server"], portal.titles[102]) == ("new.example", "B")


async def test_a_file_that_was_changed_after_the_plan_stops_its_own_lines_only(
    portal: Box, served: dict[str, Any]
) -> None:
    application(portal, served, GIVEN_TOKEN.replace("title: A", "title: C"))
    portal.write("lines:\n  a: {config_id: 101, server: new.example}\n", "zeta.yaml")
    plan = await portal.plan()
    application(portal, served, GIVEN_TOKEN.replace("title: A", "title: D"))
    outcome = await portal.apply(plan)
    assert [(part.portal, part.exit) for part in outcome.parts] == [("app", Exit.STALE), ("zeta", Exit.OK)]
    assert (portal.lines[101]["server"], portal.titles[102]) == ("new.example", "B")


async def test_the_limits_of_one_file_do_not_bind_another_one_of_the_host(portal: Box, served: dict[str, Any]) -> None:
    tight = GIVEN_TOKEN.replace("lines:", "  limits: {{cloud_lines: 1, burst: 1, rate: 0.1}}\nlines:")
    application(portal, served, tight.replace("title: A", "title: C"))
    new = "{title: New, server: a.example, login: a, password: 'env:HOOK'}"
    portal.write(f"policy: {{create: true}}\nlines:\n  a: {{config_id: 101, title: D}}\n  n: {new}\n", "zeta.yaml")
    waits: list[Waiting] = []
    plan = await sipsync.aplan(
        portal.fleet(), on_event=lambda one: waits.append(one) if isinstance(one, Waiting) else None
    )
    assert (plan.exit, waits) == (Exit.OK, [])
    operator = replace(portal.operator, policy=replace(portal.operator.policy, limits=Limits(cloud_lines=2)))
    plan = await sipsync.aplan(sipsync.load([portal.folder], operator))
    assert [found.code for found in plan.diagnostics if found.severity == "error"] == [Code.CLOUD_LIMIT]


async def test_an_expired_token_that_another_program_renews_is_asked_for_once_more(
    portal: Box, served: dict[str, Any]
) -> None:
    application(portal, served, GIVEN_TOKEN.replace("file:token", "exec:token"))
    script = (
        "import pathlib; p = pathlib.Path('token'); print(p.read_text()); p.write_text(p.with_name('next').read_text())"
    )
    asked = [served["apps"]["appa"], served["apps"]["appb"]]
    (portal.folder / "token").write_text(asked[1]["access_token"], encoding="utf-8")
    (portal.folder / "next").write_text(asked[0]["access_token"], encoding="utf-8")
    operator = replace(
        portal.operator,
        commands={"token": (sys.executable, "-c", f"import os; os.chdir({str(portal.folder)!r}); {script}")},
    )
    portal.faults({"match": {"method": "batch", "times": 1}, "do": {"error": "expired_token"}})
    plan = await sipsync.aplan(sipsync.load([portal.folder / "app.yaml"], operator))
    assert [found.code for found in plan.diagnostics] == [Code.TITLE_HELD]


async def test_a_token_that_sipsync_renews_is_kept_and_used_by_the_next_run(
    portal: Box, served: dict[str, Any]
) -> None:
    application(portal, served, OWN_RENEWAL.replace("title: A", "server: new.example"))
    assert (await portal.apply()).exit is Exit.OK
    httpx.post(f"{portal.url}/_sandbox/expire?app=appa", trust_env=False)
    assert not (await portal.plan()).has_changes
    assert portal.lines[102]["server"] == "new.example"
    kept = list((portal.folder / "state").rglob("*.json"))
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]


async def test_ci_refuses_a_renewal_before_it_is_sent(portal: Box, served: dict[str, Any]) -> None:
    application(portal, served, OWN_RENEWAL, "appb")
    portal.environ["CI"] = "true"
    plan = await portal.plan()
    assert [found.code for found in plan.diagnostics] == [Code.TOKEN]
    assert portal.stats["requests"] == 0
