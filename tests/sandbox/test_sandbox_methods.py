"""Methods beside the rules for lines: registrations, outgoing lines, tokens."""

from __future__ import annotations

from typing import Any

import pytest

from support.sandbox import LINE, Stage

STATUS = "voximplant.sip.status"


async def reg_id(stage: Stage) -> Any:
    return (await stage.control("dump"))["lines"][0]["reg_id"]


@pytest.mark.parametrize("given", [0, 999, "x", None])
async def test_an_unknown_registration_has_no_status(stage: Stage, given: object) -> None:
    assert await stage.result(STATUS, REG_ID=given) == "REG_ID_NOT_FOUND"


async def test_a_new_registration_moves_the_time_of_its_status(stage: Stage) -> None:
    number = await reg_id(stage)
    times = []
    for _ in range(3):
        times.append((await stage.result(STATUS, reg_id=str(number)))["LAST_UPDATED"])
        await stage.call("voximplant.sip.update", CONFIG_ID=69, LOGIN="u")
    assert times == sorted(set(times))


async def test_a_status_is_written_into_the_line(stage: Stage) -> None:
    await stage.seed({**LINE, "status_code": None, "registration": {"code": 0}})
    assert (await stage.result(STATUS, REG_ID=await reg_id(stage)))["STATUS_RESULT"] == "in_progress"
    assert (await stage.result("voximplant.sip.get"))[0]["REGISTRATION_STATUS_CODE"] is None
    await stage.seed({**LINE, "status_code": 403})
    assert (await stage.result(STATUS, REG_ID=await reg_id(stage)))["STATUS_CODE"] == 200
    assert (await stage.result("voximplant.sip.get"))[0]["REGISTRATION_STATUS_CODE"] == "200"


async def test_the_default_outgoing_line_can_be_chosen(stage: Stage) -> None:
    assert await stage.result("voximplant.line.outgoing.sip.set", CONFIG_ID=69) == 1
    chosen = await stage.result("voximplant.line.outgoing.get")
    assert chosen == f"reg{await reg_id(stage)}"
    assert await stage.result("voximplant.line.outgoing.set", line_id="LINK_BASE_NUMBER") == 1
    assert await stage.result("voximplant.line.outgoing.get") == "LINK_BASE_NUMBER"
    assert await stage.result("voximplant.line.outgoing.sip.set", CONFIG_ID=7) == "ERROR_ARGUMENT"
    assert await stage.result("voximplant.line.get") == {chosen: "Sales"}


async def test_an_empty_list_of_lines_is_a_list(stage: Stage) -> None:
    await stage.http.post("/_sandbox/reset")
    assert await stage.result("voximplant.line.get") == []


async def test_a_new_line_answers_its_registration_as_a_number(stage: Stage) -> None:
    row = await stage.result("voximplant.sip.add", SERVER="sip.example", LOGIN="u", TYPE="cloud")
    assert isinstance(row["REG_ID"], int)
    row = await stage.result("voximplant.sip.add", SERVER="abc", LOGIN="u")
    assert row["REG_ID"] == "0"
    assert await stage.result("voximplant.sip.add", LOGIN="u") == "CHECK_FIELDS_ERROR"


async def exchange(stage: Stage, **changed: str) -> Any:
    app = stage.sandbox.apps.shown("")["appa"]
    given = {name: app[name] for name in ("client_id", "client_secret", "refresh_token")}
    answer = await stage.http.get("/oauth/token/", params={"grant_type": "refresh_token", **given, **changed})
    return answer.json()


async def whose(stage: Stage, token: str) -> Any:
    document = (await stage.http.post("/rest/profile", json={"auth": token})).json()
    return document.get("error", "fine")


async def test_a_renewal_voids_the_old_tokens(stage: Stage) -> None:
    old = stage.sandbox.apps.shown("")["appa"]
    fresh = await exchange(stage)
    assert (await whose(stage, old["access_token"]), await whose(stage, fresh["access_token"])) == (
        "expired_token",
        "fine",
    )
    assert fresh["member_id"] == old["member_id"]
    assert fresh["client_endpoint"] == "http://localhost/rest/"
    assert (await exchange(stage, refresh_token=old["refresh_token"]))["error"] == "invalid_grant"
    assert "access_token" in await exchange(stage, refresh_token=fresh["refresh_token"])


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"client_id": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"refresh_token": "x"}, "invalid_grant"),
    ],
)
async def test_a_wrong_renewal_is_refused(stage: Stage, changed: dict[str, str], error: str) -> None:
    assert (await exchange(stage, **changed))["error"] == error


async def test_a_token_lives_an_hour_of_the_clock_that_the_sandbox_was_given(stage: Stage) -> None:
    token = stage.sandbox.apps.shown("")["appa"]["access_token"]
    stage.clock.time += 3599
    assert await whose(stage, token) == "fine"
    stage.clock.time += 1
    assert await whose(stage, token) == "expired_token"


async def test_tokens_can_be_made_old(stage: Stage) -> None:
    token = stage.sandbox.apps.shown("")["appa"]["access_token"]
    await stage.http.post("/_sandbox/expire", params={"app": "other"})
    assert await whose(stage, token) == "fine"
    await stage.http.post("/_sandbox/expire", params={"app": "appa"})
    assert await whose(stage, token) == "expired_token"
    assert await whose(stage, (await exchange(stage))["access_token"]) == "fine"


async def test_the_token_endpoint_fails_on_order(stage: Stage) -> None:
    match = {"method": "oauth.token", "times": 1}
    await stage.faults(
        {"match": match, "do": {"delay": 0}},
        {"match": match, "do": {"error": "PAYMENT_REQUIRED"}},
        {"match": {**match, "nth": 2}, "do": {"status": 502, "body": "<html>"}},
    )
    assert (await exchange(stage))["error"] == "PAYMENT_REQUIRED"
    answer = await stage.http.post("/oauth/token/", data={"grant_type": "refresh_token"})
    assert (answer.status_code, answer.text) == (502, "<html>")


async def test_an_application_sees_its_own_lines(stage: Stage) -> None:
    await stage.seed(LINE, {**LINE, "config_id": 70, "title": "Theirs", "app": "appa"})
    token = stage.sandbox.apps.shown("")["appa"]["access_token"]
    for name in ("auth", "access_token"):
        rows = (await stage.http.post("/any/../rest/voximplant.sip.get", json={name: token})).json()["result"]
        assert [row["CONFIG_ID"] for row in rows] == ["70"]
    client_id = stage.sandbox.apps.client_ids["appa"]
    rows = await stage.result("voximplant.sip.get", FILTER={"LOGIC": "OR", "=APP_ID": client_id, "CONFIG_ID": 70})
    assert [row["CONFIG_ID"] for row in rows] == ["69", "70"]
