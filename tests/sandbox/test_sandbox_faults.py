"""Failures on order."""

from __future__ import annotations

from typing import Any

import pytest

from sipsync.sandbox import Options
from support.sandbox import LINE, Stage

UPDATE = "voximplant.sip.update"
STATUS = "voximplant.sip.status"


def fault(do: Any, method: str | None = UPDATE, **match: int) -> dict[str, Any]:
    return {"match": {"method": method, **match} if method else match, "do": do}


async def title(stage: Stage) -> Any:
    return (await stage.control("dump"))["lines"][0]["title"]


async def test_a_status_comes_with_its_body(stage: Stage) -> None:
    await stage.faults(fault({"status": 503, "body": "<html>busy"}))
    answer = await stage.call(UPDATE, CONFIG_ID=69, TITLE="x")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (
        503,
        "<html>busy",
        "text/html; charset=utf-8",
    )
    assert await title(stage) == "Sales"


@pytest.mark.parametrize(
    ("code", "status"),
    [("QUERY_LIMIT_EXCEEDED", 503), ("OPERATION_TIME_LIMIT", 429), ("expired_token", 401), ("ODD", 400)],
)
async def test_an_error_comes_with_its_own_status(stage: Stage, code: str, status: int) -> None:
    await stage.faults(fault({"error": code}))
    answer = await stage.call(UPDATE, CONFIG_ID=69, TITLE="x")
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    found = await stage.batch(a=f"{UPDATE}?CONFIG_ID=69&TITLE=x", b="profile")
    assert (found["result_error"]["a"]["error"], "b" in found["result"]) == (code, True)


@pytest.mark.parametrize(("do", "expected"), [("reset-before", "Sales"), ("reset-after", "x")])
@pytest.mark.parametrize("inside_a_batch", [False, True])
async def test_a_reset_loses_the_call_or_its_answer(stage: Stage, do: str, expected: str, inside_a_batch: bool) -> None:
    await stage.faults(fault(do))
    batch = {"cmd": {"a": f"{UPDATE}?CONFIG_ID=69&TITLE=x"}}
    method, params = ("batch", batch) if inside_a_batch else (UPDATE, {"CONFIG_ID": 69, "TITLE": "x"})
    with pytest.raises(ConnectionResetError):
        await stage.call(method, **params)
    assert await title(stage) == expected


async def test_a_truncated_answer_says_that_it_was_longer(stage: Stage) -> None:
    await stage.faults(fault("truncate"))
    answer = await stage.call(UPDATE, CONFIG_ID=69, TITLE="x")
    assert len(answer.content) == int(answer.headers["content-length"]) // 2
    assert await title(stage) == "x"


async def test_a_delay_makes_the_answer_late(stage: Stage) -> None:
    await stage.faults(fault({"delay": 1.5}), fault({"delay": 2}))
    await stage.batch(a=f"{UPDATE}?CONFIG_ID=69&TITLE=x")
    assert stage.clock.slept == [3.5]


async def test_the_provider_fails_for_one_method(stage: Stage) -> None:
    await stage.faults(
        fault("registration-fails", STATUS), fault("registration-fails", "voximplant.sip.connector.status")
    )
    reg_id = (await stage.control("dump"))["lines"][0]["reg_id"]
    assert await stage.result(STATUS, REG_ID=reg_id) == "REG_ID_NOT_FOUND"
    assert await stage.result("voximplant.sip.connector.status") == "CONNECT_ERROR"
    await stage.faults()
    assert (await stage.result(STATUS, REG_ID=reg_id))["STATUS_RESULT"] == "success"
    assert (await stage.result("voximplant.sip.connector.status"))["PAID"] is True
    await stage.faults(fault("registration-fails", "batch"))
    found = await stage.batch(a=f"{STATUS}?REG_ID={reg_id}")
    assert found["result_error"]["a"]["error"] == "REG_ID_NOT_FOUND"


async def test_somebody_else_changes_lines_between_two_calls(stage: Stage) -> None:
    await stage.faults(
        fault({"mutate": {"config_id": 69, "title": "Theirs", "registration": {"code": 403, "message": "no"}}}, nth=2),
        fault({"mutate": {"config_id": 70, "title": "New"}}, "profile", nth=1),
        fault({"mutate": {"config_id": 69, "delete": True}}, "scope"),
    )
    await stage.call(UPDATE, CONFIG_ID=69)
    assert await title(stage) == "Sales"
    await stage.call(UPDATE, CONFIG_ID=69)
    line = (await stage.control("dump"))["lines"][0]
    assert (line["title"], line["registration"]) == ("Theirs", {"code": 403, "message": "no"})
    found = await stage.result(STATUS, REG_ID=line["reg_id"])
    assert (found["STATUS_RESULT"], found["ERROR_MESSAGE"]) == ("error", "no")
    assert (await stage.control("dump"))["lines"][0]["status_code"] == 403
    await stage.call("profile")
    await stage.call("scope")
    await stage.call("scope")
    assert await title(stage) == "New"


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({}, [1, 2, 3, 4]),
        ({"times": 2}, [1, 2]),
        ({"nth": 2}, [2]),
        ({"nth": 2, "times": 2}, [2, 3]),
    ],
)
async def test_a_fault_strikes_from_the_nth_call_on_and_so_often(
    stage: Stage, match: dict[str, int], struck: list[int]
) -> None:
    await stage.faults(fault({"error": "ODD"}, "PROFILE", **match))
    answers = [(await stage.call("profile")).status_code for _ in range(4)]
    assert [place for place, status in enumerate(answers, 1) if status == 400] == struck


async def test_without_a_method_every_call_is_struck(stage: Stage) -> None:
    await stage.faults(fault({"error": "ODD"}, None))
    assert await stage.result("nope") == "ODD"


async def test_faults_may_be_there_from_the_start_for_every_portal() -> None:
    stage = Stage(Options(faults=(fault({"error": "ODD"}, "*"),)))
    for portal in ("a", "b"):
        answer = await stage.http.get(f"/{portal}/rest/1/sandbox/profile")
        assert answer.json()["error"] == "ODD"
    stage.sandbox.store.close()


async def test_a_seed_ends_the_faults(stage: Stage) -> None:
    await stage.faults(fault({"error": "ODD"}, None))
    await stage.seed(LINE)
    assert len(await stage.result("voximplant.sip.get")) == 1


@pytest.mark.parametrize(
    "order",
    [
        "reset-before",
        {},
        {"do": "explode"},
        {"do": {"status": "503"}},
        {"do": {"delay": 1, "more": 2}},
        {"do": "truncate", "match": "x"},
        {"do": "truncate", "match": {"path": "x"}},
        {"do": "truncate", "match": {"nth": 0}},
        {"do": "truncate", "match": {"times": "1"}},
        {"do": "truncate", "more": 1},
    ],
)
async def test_a_wrong_order_says_what_is_wrong(stage: Stage, order: object) -> None:
    answer = await stage.http.post("/_sandbox/faults", json=[order])
    assert answer.status_code == 400
    assert "fault" in answer.json()["error"] or "nth" in answer.json()["error"]
