"""Requests: where portals are, who may call, how bodies are read, how answers look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sipsync.sandbox import Options
from support.sandbox import LINE, Stage

GET = "voximplant.sip.get"


@pytest.mark.parametrize("path", ["/rest/1/sandbox/", "/acme/rest/1/sandbox/", "/а%20b/rest/1/sandbox/"])
async def test_any_portal_name_may_stand_before_rest(stage: Stage, path: str) -> None:
    answer = await stage.http.get(f"{path}voximplant.line.outgoing.get")
    assert answer.json()["result"] == "LINK_BASE_NUMBER"


async def test_portals_are_independent(stage: Stage) -> None:
    assert (await stage.http.get(f"/acme/rest/1/sandbox/{GET}")).json()["result"] == []
    assert len(await stage.result(GET)) == 1


async def test_there_is_nothing_outside_rest(stage: Stage) -> None:
    assert (await stage.http.get("/")).status_code == 404


@pytest.mark.parametrize("method", [f"{GET}.json", GET.upper(), f"{GET}/", f"{GET}.JSON"])
async def test_methods_are_found_in_any_spelling(stage: Stage, method: str) -> None:
    assert len(await stage.result(method)) == 1


@pytest.mark.parametrize("method", ["nope", "voximplant.sip.nope", "", f"{GET}.json.json", f"x/{GET}"])
async def test_an_unknown_method_comes_before_the_credential(stage: Stage, method: str) -> None:
    for path in (f"/rest/{method}", f"/rest/1/wrong/{method}"):
        answer = await stage.http.post(path)
        assert (answer.status_code, answer.json()["error"]) == (404, "ERROR_METHOD_NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "params", "headers", "error"),
    [
        (f"/rest/1/wrong/{GET}", {}, {}, "INVALID_CREDENTIALS"),
        (f"/rest/{GET}", {}, {}, "NO_AUTH_FOUND"),
        (f"/rest/{GET}", {"auth": ""}, {}, "NO_AUTH_FOUND"),
        (f"/rest/{GET}", {"auth": ["x"]}, {}, "NO_AUTH_FOUND"),
        (f"/rest/{GET}", {"access_token": "wrong"}, {}, "invalid_token"),
        (f"/rest/{GET}", {}, {"Authorization": "Bearer wrong"}, "invalid_token"),
        (f"/rest/{GET}", {}, {"Authorization": "Basic wrong"}, "NO_AUTH_FOUND"),
    ],
)
async def test_wrong_credentials_are_refused(
    stage: Stage, path: str, params: dict[str, object], headers: dict[str, str], error: str
) -> None:
    answer = await stage.http.post(path, json=params, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, error)


@pytest.mark.parametrize(
    ("method", "params", "status"), [(GET, {"token": "x"}, 404), (GET, {"state": [1]}, 500), ("upload", {}, 403)]
)
async def test_some_parameters_and_methods_are_for_other_things(
    stage: Stage, method: str, params: dict[str, object], status: int
) -> None:
    assert (await stage.call(method, **params)).status_code == status


async def test_a_webhooks_credential_may_come_as_parameters(stage: Stage) -> None:
    for secret, count in [("sandbox", 1), ("wrong", 0)]:
        answer = await stage.http.post(f"/rest/{GET}", json={"aplogin": 1, "ap": secret})
        assert len(answer.json().get("result", [])) == count


async def test_the_bearer_header_wins_over_parameters(stage: Stage) -> None:
    token = stage.sandbox.apps.shown("")["appa"]["access_token"]
    for header, params, error in [(token, "wrong", None), ("wrong", token, "invalid_token")]:
        answer = await stage.http.post(
            f"/rest/{GET}", json={"auth": params}, headers={"Authorization": f"bearer  {header}"}
        )
        assert answer.json().get("error") == error


async def test_without_scope_or_right_methods_are_refused(stage: Stage) -> None:
    await stage.seed(LINE, access={"scope": "crm"})
    assert (await stage.call(GET)).json()["error"] == "insufficient_scope"
    assert await stage.result("scope") == ["crm"]
    await stage.seed(LINE, access={"right": False})
    answer = await stage.call("voximplant.sip.delete", CONFIG_ID=69)
    assert (answer.status_code, answer.json()["error"]) == (403, "ACCESS_DENIED")
    assert (await stage.result("profile"))["ID"] == "1"
    assert "crm" in await stage.result("scope", full=1)
    assert "T" in await stage.result("server.time")


@pytest.mark.parametrize(
    ("content_type", "body", "title"),
    [
        ("application/json; charset=utf-8", '{"CONFIG_ID": 69, "TITLE": "x"}', "x"),
        ("application/vnd.api+json", '{"CONFIG_ID": 69, "TITLE": "x"}', "x"),
        ("text/plain", '{"CONFIG_ID": 69, "TITLE": "x"}', "Sales"),
        ("application/x-www-form-urlencoded", "CONFIG_ID=69&TITLE=%D1%91+x", "ё x"),
        ("text/plain", "CONFIG_ID=69&TITLE=x", "x"),
        ("application/json", '{"CONFIG_ID": 69, "TITLE": "x",}', "Sales"),
        ("application/json", '{"CONFIG_ID": 69, "TITLE": "\\ud800"}', "Sales"),
        ("application/json", '{"CONFIG_ID": 69, "TITLE": NaN}', "Sales"),
        ("application/json", "[1, 2]", "Sales"),
        ("application/json", "null", "Sales"),
        ("application/json", "[" * 100_000, "Sales"),
    ],
)
async def test_bodies_are_read_as_php_reads_them(stage: Stage, content_type: str, body: str, title: str) -> None:
    await stage.http.post(
        "/rest/1/sandbox/voximplant.sip.update", content=body.encode(), headers={"Content-Type": content_type}
    )
    assert (await stage.control("dump"))["lines"][0]["title"] == title


async def test_a_multipart_form_is_read_without_its_files(stage: Stage) -> None:
    files: dict[str, Any] = {"CONFIG_ID": (None, "69"), "TITLE": (None, "Form"), "LOGIN": ("login.txt", b"file")}
    await stage.http.post("/rest/1/sandbox/voximplant.sip.update", files=files)
    assert (await stage.result(GET))[0] | {"TITLE": "Form", "LOGIN": "u"} == (await stage.result(GET))[0]
    headers = {"Content-Type": "multipart/form-data"}
    answer = await stage.http.post("/rest/1/sandbox/voximplant.sip.update", content=b"x", headers=headers)
    assert answer.status_code == 404


async def test_an_array_in_a_text_field_ends_in_a_500_without_json(stage: Stage) -> None:
    answer = await stage.call("voximplant.sip.update", CONFIG_ID=69, TITLE=["x"])
    assert (answer.status_code, answer.content) == (500, b"")


async def test_answers_may_be_xml(stage: Stage) -> None:
    answer = await stage.call(f"{GET}.xml")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert "<item><TYPE>cloud</TYPE><CONFIG_ID>69</CONFIG_ID>" in answer.text


async def test_an_answer_says_how_long_it_took(stage: Stage) -> None:
    document = (await stage.call("profile")).json()
    assert set(document) == {"result", "time"}
    assert set(document["time"]) == {"start", "finish", "duration", "processing", "date_start", "date_finish"}


async def test_calls_are_counted(stage: Stage) -> None:
    await stage.batch(a="voximplant.sip.update?CONFIG_ID=69&LOGIN=x", b="nope")
    await stage.call(GET)
    await stage.call("nope")
    assert await stage.control("stats") == {
        "requests": 3,
        "calls": {"batch": 1, GET: 1, "voximplant.sip.update": 1},
        "registrations": 1,
        "statuses": {"200": 2, "404": 1},
    }
    await stage.http.get(f"/other/rest/1/sandbox/{GET}")
    assert (await stage.http.get("/_sandbox/stats")).json()["requests"] == 4  # of all portals
    assert (await stage.control("stats", "other"))["requests"] == 1


async def test_the_log_has_no_values(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    stage = Stage(Options(seed={"lines": [LINE]}, log=log))
    await stage.batch(a="voximplant.sip.update?CONFIG_ID=69&PASSWORD=hunter2")
    await stage.call("nope")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["method"], line["status"], line["commands"], line["error"]) for line in lines] == [
        ("batch", 200, ["voximplant.sip.update"], ""),
        ("nope", 404, [], "ERROR_METHOD_NOT_FOUND"),
    ]
    assert "hunter2" not in log.read_text()
    assert stage.sandbox.log is not None
    stage.sandbox.log.close()
    stage.sandbox.store.close()


async def test_the_bucket_is_each_portals_and_refuses_what_is_too_much() -> None:
    stage = Stage(Options(bucket=(2, 1)))
    statuses = [(await stage.call("profile")).status_code for _ in range(3)]
    assert statuses == [200, 200, 503]
    answer = await stage.call("profile")
    assert answer.json() == {"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}
    assert (await stage.http.get("/other/rest/1/sandbox/profile")).status_code == 200
    stage.clock.time += 1
    assert (await stage.call("profile")).status_code == 200
    assert (await stage.call("profile")).status_code == 503
    await stage.http.post("/_sandbox/reset")
    assert (await stage.call("profile")).status_code == 200
    stage.sandbox.store.close()


async def test_latency_makes_each_answer_late() -> None:
    stage = Stage(Options(latency=0.25))
    await stage.call("profile")
    assert stage.clock.slept == [0.25]
    stage.sandbox.store.close()


@pytest.mark.parametrize(
    ("verb", "what", "body", "status"),
    [
        ("POST", "seed", b"{", 400),
        ("POST", "seed", b"[]", 400),
        ("POST", "seed", b'{"line": []}', 400),
        ("POST", "faults", b"{}", 400),
        ("GET", "seed", b"", 404),
        ("POST", "nope", b"", 404),
    ],
)
async def test_wrong_control_requests_say_why(stage: Stage, verb: str, what: str, body: bytes, status: int) -> None:
    answer = await stage.http.request(verb, f"/_sandbox/{what}", content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_a_client_that_goes_away_is_no_error(stage: Stage) -> None:
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/rest/1/sandbox/{GET}", "headers": [], "query_string": b""}
    await stage.sandbox(scope, receive, send)
    assert sent == []


# --- who asks ---


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil", "", "x@localhost"]
)
@pytest.mark.parametrize("path", ["/rest/1/sandbox/scope", "/_sandbox/dump", "/oauth/token/", "/none"])
async def test_a_name_that_was_bound_to_this_machine_is_refused(stage: Stage, host: str, path: str) -> None:
    answer = await stage.http.get(path, headers={"Host": host})
    assert (answer.status_code, stage.sandbox.store.portal("").stats.requests) == (403, 0)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.8.8.8", "[::1]:8080"])
async def test_this_machine_s_own_names_are_answered(stage: Stage, host: str) -> None:
    answer = await stage.http.get("/rest/1/sandbox/scope", headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil", "null", "", "file://", "localhost"]
)
async def test_a_page_of_another_origin_is_refused(stage: Stage, origin: str) -> None:
    answer = await stage.http.post("/_sandbox/reset", headers={"Origin": origin})
    assert answer.status_code == 403
