"""FILTER, SORT and ORDER of `voximplant.sip.get`: what the server's SQL layer makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from support.sandbox import Stage

LINES: list[dict[str, Any]] = [
    {"config_id": 1, "title": "Beta", "login": "100", "server": "a.example", "reg_id": 11},
    {"config_id": 2, "title": "альфа", "login": "0100", "server": "b%x.example", "reg_id": 12, "status_code": None},
    {"config_id": 3, "title": None, "login": "u_3", "server": "b1x.example", "reg_id": 0, "password": ""},
    {"config_id": 4, "type": "office", "title": "Gamma\\", "login": "u53", "server": "c"},
    {"config_id": 5, "title": "Theirs", "login": "100", "server": "a.example", "app": "appa"},
]


async def found(stage: Stage, **params: Any) -> Any:
    await stage.seed(*LINES)
    rows = await stage.result("voximplant.sip.get", **params)
    return [int(row["CONFIG_ID"]) for row in rows] if isinstance(rows, list) else rows


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ("text", [1, 2, 3, 4]),
        ({"LOGIN": "100"}, [1]),
        ({"LOGIN": 100}, [1]),
        ({"login": "%100"}, [1, 2]),
        ({"LOGIN": ["100"]}, [1]),
        ({"LOGIN": "u_3"}, [3, 4]),
        ({"LOGIN": "u\\_3"}, [3]),
        ({"=LOGIN": "u_3"}, [3]),
        ({"=LOGIN": ["100", "u53"]}, [1, 4]),
        ({"!=LOGIN": "100"}, [2, 3, 4]),
        ({"!=TITLE": "Beta"}, [2, 3, 4]),
        ({"!=TITLE": ["beta", "gamma\\"]}, [2, 3]),
        ({"!TITLE": "b%"}, [2, 4]),
        ({"!TITLE": ""}, [1, 2, 4]),
        ({"TITLE": ""}, [3]),
        ({"TITLE": None}, [3]),
        ({"=TITLE": ""}, [3]),
        ({"=TITLE": ["АЛЬФА", "x"]}, [2]),
        ({"=TITLE": []}, []),
        ({"TITLE": "BETA"}, [1]),
        ({"TITLE": "gamma\\\\"}, [4]),
        ({"TITLE": "gamma\\"}, [4]),
        ({"TITLE": "Beta "}, []),
        ({"=TITLE": "Beta "}, [1]),
        ({"%TITLE": "ET"}, [1]),
        ({"%SERVER": "b%x"}, [2]),
        ({"%SERVER": ["b%x", "A."]}, [1, 2]),
        ({"!%SERVER": "x"}, [4]),
        ({"!%SERVER": "x."}, [1, 4]),
        ({"%TITLE": ""}, [3]),
        ({"=%SERVER": "b%X.example"}, [2, 3]),
        ({"%=LOGIN": "100"}, [1]),
        ({"!=%LOGIN": "100"}, [2, 3, 4]),
        ({"!LOGIN": "100"}, [2, 3, 4]),
        ({"?SERVER": "b x|a."}, [1, 2, 3]),
        ({"?SERVER": ""}, [1, 2, 3, 4]),
        ({"*%SERVER": "b example"}, [2, 3]),
        ({"*TITLE": "x yz"}, [1, 2, 3, 4]),
        ({"*TITLE": "xyz"}, "ERROR_CORE"),
        ({"*=TITLE": ["x", "Beta"]}, "ERROR_CORE"),
        (({">TITLE": "beta"}), [2, 4]),
        ({"<=TITLE": "beta"}, [1]),
        ({">=TITLE": ["альфа"]}, [2]),
        ({"<TITLE": {"x": "y"}}, []),
        ({"><TITLE": ["a", "c"]}, [1]),
        ({"!><TITLE": ["a", "c"]}, [2, 4]),
        ({"><TITLE": ["a"]}, [1, 2, 3, 4]),
        ({"><TITLE": {"x": "a", "y": "c"}}, "ERROR_CORE"),
        ({"@LOGIN": ["100", "x"]}, [1]),
        ({"!@LOGIN": "100"}, [2, 3, 4]),
        ({"@LOGIN": []}, []),
        ({"!@LOGIN": []}, "ERROR_CORE"),
        ({"==TITLE": None}, [3]),
        ({"!==TITLE": None}, [1, 2, 4]),
        ({"==LOGIN": True}, [1, 2]),
        ({"!==LOGIN": True}, [3, 4]),
        ({"==TITLE": "Beta"}, [1, 2, 3, 4]),
        ({"CONFIG_ID": "2abc"}, [2]),
        ({"CONFIG_ID": [1, "3"]}, [1, 3]),
        ({"CONFIG_ID": []}, []),
        ({"CONFIG_ID": None}, []),
        ({"CONFIG_ID": ""}, []),
        ({"!CONFIG_ID": 1}, [2, 3, 4]),
        ({"!CONFIG_ID": [1, 2]}, [3, 4]),
        ({"!CONFIG_ID": []}, [1, 2, 3, 4]),
        ({">CONFIG_ID": 2}, [3, 4]),
        ({"<=CONFIG_ID": [2]}, [1, 2]),
        ({"<CONFIG_ID": []}, []),
        ({"@CONFIG_ID": []}, []),
        ({"><CONFIG_ID": [2, 3]}, [2, 3]),
        ({"?CONFIG_ID": 2}, [1, 2, 3, 4]),
        ({"@CONFIG_ID": [2, 9]}, [2]),
        ({"REG_ID": 0}, [3, 4]),
        ({"REG_ID": [0, 11]}, [1, 3, 4]),
        ({"!REG_ID": 0}, [1, 2]),
        ({"==REG_ID": 0}, [3, 4]),
        ({"REGISTRATION_STATUS_CODE": 0}, [2]),
        ({"REGISTRATION_STATUS_CODE": [0]}, [2]),
        ({"!REGISTRATION_STATUS_CODE": [0]}, [1, 3, 4]),
        ({"!REGISTRATION_STATUS_CODE": [7]}, [1, 3, 4]),
        ({"!REGISTRATION_STATUS_CODE": 7}, [1, 3, 4]),
        ({">REGISTRATION_STATUS_CODE": 7}, [1, 3, 4]),
        ({"@REGISTRATION_STATUS_CODE": [7]}, []),
        ({"==REGISTRATION_STATUS_CODE": None}, [2]),
        ({"><REGISTRATION_STATUS_CODE": [1, 300]}, [1, 3, 4]),
        ({"REGISTRATION_STATUS_CODE": 200}, [1, 3, 4]),
        ({"ID": 2}, [2]),
        ({"TYPE": "OFFICE"}, [4]),
        ({"INCOMING_LOGIN": "sip4"}, [4]),
        ({"=INCOMING_SERVER": ""}, [1, 2, 3]),
        ({"=INCOMING_PASSWORD": "incoming4"}, [4]),
        ({"AUTH_USER": ""}, [1, 2, 3, 4]),
        ({"OUTBOUND_PROXY": "x"}, []),
        ({"DETECT_LINE_NUMBER": "N", "LINE_DETECT_HEADER_ORDER": "diversion;to"}, [1, 2, 3, 4]),
        ({"REGISTRATION_ERROR_MESSAGE": "%"}, []),
        ({"=CONFIG.PHONE_NAME": "beta", "CONFIG.ID": 1, "CONFIG.SEARCH_ID": "reg11", "CONFIG.PORTAL_MODE": "SIP"}, [1]),
        ({"NOPE": 1}, "100"),
        ({"": 1}, "100"),
        ({"APP_ID": "x"}, [1, 2, 3, 4]),
        ({"=APP_ID": "x"}, []),
        ({"LOGIN": [["x"]]}, []),
        ({"LOGIN": [["x"], "100"]}, [1]),
        ({"=*": 1}, None),
        ({"CONFIG": 1}, "ERROR_CORE"),
        ({"!CNT": 1}, []),
        ({"CONFIG.CRM": "Y", "CONFIG.WAIT_CRM": 30, "=CONFIG.BACKUP_LINE": ""}, [1, 2, 3, 4]),
        ({"?LOGIN": ["100"]}, [1, 2, 3, 4]),
        ({"?SERVER": '"b%x"|~example'}, [2, 3, 4]),
        ({"?SERVER": "(a|b)+(%1%|~b)"}, [1, 3]),
        ({"?SERVER": "~(a.|c)&"}, [2, 3]),
        ({"?SERVER": "|~ ~'b'"}, [2, 3]),
        ({"?TITLE": "\\"}, [4]),
        ({"?SERVER": '"" c "'}, []),
        ({"?SERVER": '"" c'}, [4]),
        ({"?TITLE": "~beta"}, [2, 3, 4]),
        ({"*%TITLE": " "}, [1, 2, 3, 4]),
        ({"?SERVER": " "}, "ERROR_CORE"),
        ({"?SERVER": "(a"}, "ERROR_CORE"),
        ({"?SERVER": "a)"}, "ERROR_CORE"),
        ({"?SERVER": "()"}, "ERROR_CORE"),
    ],
)
async def test_a_filter_lets_through_what_the_server_lets_through(stage: Stage, given: Any, expected: Any) -> None:
    if expected is None:
        await stage.seed(*LINES)
        assert (await stage.call("voximplant.sip.get", FILTER=given)).status_code == 500
    else:
        assert await found(stage, FILTER=given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"LOGIC": "OR", "LOGIN": "100"}, [1, 2, 3, 4, 5]),
        ({"LOGIC": "OR", "=APP_ID": "none", "TITLE": "Theirs"}, [1, 2, 3, 4, 5]),
        ({"logic": "or", "LOGIN": "100"}, [1, 2, 3, 4, 5]),
        ({"LOGIC": "NOT", "LOGIN": "100"}, [1, 2, 3, 4, 5]),
        ({"LOGIC": True, "LOGIN": "100"}, [2, 3, 4, 5]),
        ({"LOGIC": "AND", "LOGIN": "100"}, [1]),
        ({"LOGIC": None, "LOGIN": "100"}, [1]),
        ([{"LOGIC": "OR", "=TITLE": "beta", ">CONFIG_ID": 3}], [1, 4]),
        ([{"LOGIC": "or", "=TITLE": "beta", "LOGIN": "100"}], [1]),
        ([{"LOGIC": "NOT", "TITLE": "beta"}], [2, 4]),
        ([{"LOGIC": "OR", "TITLE": "beta", "0": {"LOGIN": "u%", "TYPE": "cloud"}}], [1, 3]),
        ([{"LOGIC": "OR"}, {}, "x"], [1, 2, 3, 4]),
        ([{"LOGIC": "OR", "?TITLE": "", "TITLE": "beta"}], [1]),
        ([{"logic": "OR"}], "100"),
        ([{"=title": "BETA"}], [1]),
    ],
)
async def test_groups_are_joined_as_the_server_joins_them(stage: Stage, given: Any, expected: Any) -> None:
    assert await found(stage, FILTER=given) == expected


@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("CONFIG_ID", "DESC", [4, 3, 2, 1]),
        ("CONFIG_ID", "desc", [4, 3, 2, 1]),
        ("config_id", "DESC", [1, 2, 3, 4]),  # the direction is kept under the name in capitals
        ("ID", "DESC", [4, 3, 2, 1]),
        ("TITLE", "ASC", [3, 1, 4, 2]),
        ("TITLE", "DESC", [2, 4, 1, 3]),
        ("title", "DESC", [3, 1, 4, 2]),
        ("REGISTRATION_STATUS_CODE", "ASC", [2, 1, 3, 4]),
        ("APP_ID", "ASC", [1, 2, 3, 4]),
        ("TITLE", None, [1, 2, 3, 4]),
        ("0", "ASC", [1, 2, 3, 4]),
        ("1", "TITLE", [3, 1, 4, 2]),
        (True, "TITLE", [3, 1, 4, 2]),
        (1, "ASC", "100"),
        ("NOPE", "ASC", "100"),
        ("TITLE", "UP", "ERROR_ARGUMENT"),
        ("TITLE", ["ASC"], "ERROR_ARGUMENT"),
        (1, 1, "ERROR_ARGUMENT"),
        ("CONFIG", "ASC", "ERROR_CORE"),
        ("CONFIG.SEARCH_ID", "DESC", [4, 2, 1, 3]),
    ],
)
async def test_lines_are_sorted_as_the_server_sorts_them(stage: Stage, sort: Any, order: Any, expected: Any) -> None:
    assert await found(stage, SORT=sort, ORDER=order) == expected


@pytest.mark.parametrize("params", [{"SORT": ["TITLE"], "ORDER": "ASC"}, {"SORT": "*", "ORDER": "ASC"}])
async def test_many_columns_as_an_order_end_the_server(stage: Stage, params: dict[str, Any]) -> None:
    assert (await stage.call("voximplant.sip.get", **params)).status_code == 500


async def test_an_order_is_not_looked_at_where_nothing_is_found(stage: Stage) -> None:
    assert await found(stage, FILTER={"CONFIG_ID": 9}, SORT="NOPE", ORDER="UP") == []


@pytest.mark.parametrize(
    ("start", "first", "count", "following"),
    [
        (None, 1, 50, 50),
        (0, 1, 50, 50),
        (-1, 1, 50, 50),
        ("50", 51, 10, None),
        (7, 8, 50, 57),
        (60, 0, 0, None),
        ([1], 2, 50, 51),
    ],
)
async def test_pages_begin_anywhere(stage: Stage, start: Any, first: int, count: int, following: int | None) -> None:
    await stage.seed(*({"type": "office", "title": f"t{place}", "server": "s", "login": "u"} for place in range(60)))
    document = (await stage.call("voximplant.sip.get", start=start)).json()
    rows = document["result"]
    assert (len(rows), document["total"], document.get("next")) == (count, 60, following)
    assert not rows or rows[0]["CONFIG_ID"] == str(first)


async def test_an_empty_list_has_no_total(stage: Stage) -> None:
    document = (await stage.call("voximplant.sip.get", filter={"CONFIG_ID": 9})).json()
    assert (document["result"], "total" in document) == ([], False)
