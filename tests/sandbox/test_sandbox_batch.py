"""`batch`: order, limits, what its commands may say and what references become."""

from __future__ import annotations

from typing import Any

import pytest

from support.sandbox import LINE, Stage

UPDATE = "voximplant.sip.update?CONFIG_ID=69"


async def password(stage: Stage) -> Any:
    return (await stage.result("voximplant.sip.get"))[0]["PASSWORD"]


@pytest.mark.parametrize(
    ("cmd", "maps"),
    [
        (None, ([], [])),
        ("text", ([], [])),
        ({"a": {"method": "profile"}}, ([], [])),
        ({"0": "voximplant.line.outgoing.get", "1": "voximplant.line.outgoing.get"}, (["LINK_BASE_NUMBER"] * 2, [])),
        ({"1": "voximplant.line.outgoing.get"}, ({"1": "LINK_BASE_NUMBER"}, [])),
    ],
)
async def test_maps_are_lists_where_php_takes_them_for_lists(stage: Stage, cmd: object, maps: tuple[Any, Any]) -> None:
    found = await stage.result("batch", cmd=cmd)
    assert (found["result"], found["result_error"]) == maps


async def test_it_stops_at_an_error_where_it_is_told_to(stage: Stage) -> None:
    cmd = {"a": f"{UPDATE}&TITLE=x", "b": "nope", "c": f"{UPDATE}&TITLE=y"}
    found = await stage.result("batch", halt="false", CMD=cmd)
    assert (found["result"], list(found["result_error"])) == ({"a": 1}, ["b"])
    found = await stage.result("batch", halt="0", cmd=cmd)
    assert list(found["result"]) == ["a", "c"]


async def test_commands_past_the_fiftieth_are_refused(stage: Stage) -> None:
    cmd: dict[str, Any] = {f"c{place}": "profile" for place in range(51)} | {"c0": 7}
    found = await stage.result("batch", cmd=cmd)
    assert len(found["result"]) == 49
    assert found["result_error"]["c50"]["error"] == "ERROR_BATCH_LENGTH_EXCEEDED"


async def test_a_batch_in_a_batch_is_refused_in_small_letters_only(stage: Stage) -> None:
    found = await stage.batch(a="batch?cmd[x]=profile", b="BATCH?cmd[x]=voximplant.line.outgoing.get", c="download")
    assert found["result"]["b"]["result"] == {"x": "LINK_BASE_NUMBER"}
    assert {name: error["error"] for name, error in found["result_error"].items()} == {
        "a": "ERROR_BATCH_METHOD_NOT_ALLOWED",
        "c": "ERROR_BATCH_METHOD_NOT_ALLOWED",
    }


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("pw$result[c0]", "pw1"),
        ("$result[c0][x]", "1"),
        ("a$result[c0]b$result[c0]", "a1"),
        ("$total[g]", "1"),
        ("$result[g][0][LOGIN]", "u"),
        ("$result[g][0][LOGIN][0]", "u"),
        ("$result[g][0][LOGIN][7]", "u"),
        ("x$RESULT[c0]", "x$RESULT[c0]"),
        ("x$time[0]y", "x$time[0]y"),
        ("$result[c0]%20tail", "1 tail"),
        ("$result%20[c0]", "$result [c0]"),
        ("$result", "$result"),
        ("$money[x]", "$money[x]"),
        ("$RESULT[c0]", "p"),  # null: the field is absent
    ],
)
async def test_references_become_what_they_lead_to(stage: Stage, written: str, stored: str) -> None:
    await stage.batch(c0=f"{UPDATE}&TITLE=T", g="voximplant.sip.get", c1=f"{UPDATE}&PASSWORD={written}")
    assert await password(stage) == stored


async def test_a_reference_that_ends_at_an_array_ends_the_request_and_keeps_what_was_done(stage: Stage) -> None:
    answer = await stage.call("batch", cmd={"a": f"{UPDATE}&TITLE=Done", "b": f"{UPDATE}&PASSWORD=$time[0]"})
    assert answer.status_code == 500
    assert (await stage.result("voximplant.sip.get"))[0]["TITLE"] == "Done"


@pytest.mark.parametrize("path", ["$result[g]", "$result[g][x]", "$result[g][-1]", "$result[g][9]"])
async def test_a_list_is_an_array_too(stage: Stage, path: str) -> None:
    answer = await stage.call("batch", cmd={"g": "voximplant.sip.get", "b": f"{UPDATE}&PASSWORD={path}"})
    assert answer.status_code == 500


async def test_references_are_filled_inside_filters_and_from_errors(stage: Stage) -> None:
    await stage.seed(LINE, {**LINE, "config_id": 70, "title": "ERROR_NOT_FOUND"})
    found = await stage.batch(
        bad="voximplant.sip.update?CONFIG_ID=1&TITLE=x",
        got="voximplant.sip.get?FILTER[%3DTITLE][0]=$error[bad][error]&FILTER[%3DTITLE][1]=none",
    )
    assert [row["CONFIG_ID"] for row in found["result"]["got"]] == ["70"]


@pytest.mark.parametrize(
    "command",
    [
        "",
        " profile",
        "/profile",
        "//",
        "?x",
        "#f",
        "profile:80",
        "x:profile:80",
        "://profile",
        "m:",
        "https://h/profile",
    ],
)
async def test_what_is_no_method_is_not_found(stage: Stage, command: str) -> None:
    assert (await stage.batch(a=command))["result_error"]["a"]["error"] == "ERROR_METHOD_NOT_FOUND"


@pytest.mark.parametrize("command", ["profile", "profile?", "profile?#x", "profile#x?y", "x:profile", "PROFILE?a=b:80"])
async def test_php_finds_the_method_of_a_command_its_own_way(stage: Stage, command: str) -> None:
    assert (await stage.batch(a=command))["result"]["a"]["ID"] == "1"


async def test_scope_is_checked_for_each_command(stage: Stage) -> None:
    await stage.seed(LINE, access={"scope": "crm"})
    found = await stage.batch(a="voximplant.sip.get", b="scope")
    assert (found["result_error"]["a"]["error"], found["result"]) == ("insufficient_scope", {"b": ["crm"]})
