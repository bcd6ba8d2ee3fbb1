"""Reading and writing lines, and how many requests that takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from sipsync.model.fields import FieldName
from sipsync.model.lines import Address, Call, SandboxAccess
from sipsync.model.policy import Limits
from sipsync.model.problems import Code, PortalError
from sipsync.model.secret import Secret
from sipsync.portal import client
from sipsync.portal.client import READINGS, RestPortal
from sipsync.portal.protocol import Done, Lost, Refused, Unsent
from support.scripted import Failed, Lines, Open, Seen, Server, commands, error, http, ok, portal_handler, reset, row

WIDE = Limits(burst=1000, rate=1000)


def call(number: int, *, after: tuple[str, ...] = (), **values: str | Secret) -> Call:
    return Call(
        f"acme:{number}",
        Address("acme", f"line-{number}"),
        "update",
        cast("dict[FieldName, str | Secret]", values) or {"server": "new.example"},
        config_id=number,
        type="cloud",
        after=after,
    )


# --- reading ---


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (50, 1), (51, 2), (1000, 2), (2500, 2), (2600, 3)])
async def test_a_portal_is_read_in_few_requests(server: Server, opened: Open, count: int, requests: int) -> None:
    server.handler = portal_handler(Lines(count))
    async with opened(limits=WIDE) as portal:
        snapshot = await portal.snapshot(outgoing=True)
    assert [line.config_id for line in snapshot.lines] == list(range(1, count + 1))
    assert portal.requests == requests == len(server.seen)
    assert snapshot.default_line == ""
    assert len(snapshot.names) == count


async def test_an_empty_portal_without_a_total_is_empty(server: Server, portal: RestPortal) -> None:
    server.queue = [ok({"result": {"c0": [], "c1": []}, "result_error": [], "result_total": []})]
    assert (await portal.snapshot()).lines == ()


async def test_the_first_request_asks_for_an_order_and_the_names(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(Lines(1))
    await portal.snapshot()
    assert commands(server.seen[0]) == [
        ("voximplant.sip.get", {"SORT": "CONFIG_ID", "ORDER": "ASC", "start": "0"}),
        ("voximplant.line.get", {}),
    ]


async def test_a_list_that_changes_while_it_is_read_is_read_again(server: Server, opened: Open) -> None:
    lines = Lines(120)
    calls = 0

    def shrinking(method: str, params: dict[str, Any]) -> Any:
        nonlocal calls
        calls += method.endswith("sip.get")
        if calls == 2:
            lines.rows.pop(7, None)
        return lines(method, params)

    server.handler = portal_handler(shrinking)
    async with opened(limits=WIDE) as portal:
        snapshot = await portal.snapshot()
    assert len(snapshot.lines) == 119
    assert portal.requests == 4


async def test_a_list_that_never_fits_together_is_an_error(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(lambda method, _params: ([row(1), row(1)], 2) if method.endswith("sip.get") else {})
    with pytest.raises(PortalError) as caught:
        await portal.snapshot()
    assert caught.value.code is Code.NOT_BITRIX24
    assert portal.requests == 3


@pytest.mark.parametrize("total", [10**6, 10**17, "9" * 18])
async def test_a_portal_of_more_lines_than_any_has_is_an_error_at_its_first_answer(
    server: Server, portal: RestPortal, total: object
) -> None:
    full = [row(number) for number in range(1, 51)]
    server.handler = portal_handler(lambda method, _params: (full, total) if method.endswith("sip.get") else {})
    with pytest.raises(PortalError, match="more lines than"):
        await portal.snapshot()
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda start: ([], 90_000), id="no rows"),
        pytest.param(lambda start: ([row(start + 1)], 90_000), id="too few"),
        pytest.param(lambda start: ([row(start + n) for n in range(50)], 80_000), id="another total"),
    ],
)
async def test_a_page_that_does_not_fit_the_first_one_ends_the_reading_at_once(
    server: Server, opened: Open, lie: Callable[[int], Any]
) -> None:
    def lying(method: str, params: dict[str, Any]) -> Any:
        start = int(params.get("start", 0))
        if not method.endswith("sip.get"):
            return {}
        return lie(start) if start else ([row(number) for number in range(1, 51)], 90_000)

    server.handler = portal_handler(lying)
    async with opened(limits=WIDE) as portal:
        with pytest.raises(PortalError, match="contradict"):
            await portal.snapshot()
        assert portal.requests == 2 * READINGS


async def test_a_reading_takes_so_many_bytes_and_no_more(
    server: Server, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_READING", 2 * 1024**2)

    def wordy(method: str, params: dict[str, Any]) -> Any:
        start = int(params.get("start", 0))
        return ([row(start + number, TITLE="x" * 200) for number in range(1, 51)], 90_000)

    server.handler = portal_handler(wordy)
    async with opened(limits=WIDE) as portal:
        with pytest.raises(PortalError, match="more than 2 MiB for one list of lines"):
            await portal.snapshot()
        assert portal.requests < 6


@pytest.mark.parametrize("unit", ["[]", "{}", "0", '""', "[[[]]]", '{"a":{}}'])
async def test_an_answer_of_more_values_than_any_has_is_not_unpacked(
    server: Server, portal: RestPortal, unit: str
) -> None:
    server.handler = lambda _seen: http(body=f'{{"result":[{",".join([unit] * 1_000_001)}]}}'.encode())
    with pytest.raises(PortalError, match="something that is not its JSON"):
        await portal.scope()


async def test_the_fullest_batch_that_a_portal_can_send_is_read(server: Server, opened: Open) -> None:
    lines = Lines(2500)
    for line in lines.rows.values():
        line |= {"TITLE": "," * 255, "SERVER": "[" * 40}
    server.handler = portal_handler(lines)
    async with opened(limits=WIDE) as portal:
        assert len((await portal.snapshot()).lines) == 2500


async def test_an_error_of_a_page_is_raised(server: Server, portal: RestPortal) -> None:
    def fail(method: str, _params: dict[str, Any]) -> Any:
        raise Failed("ACCESS_DENIED")

    server.handler = portal_handler(fail)
    with pytest.raises(PortalError) as caught:
        await portal.snapshot()
    assert caught.value.error == "ACCESS_DENIED"
    assert caught.value.code is Code.NO_RIGHT


async def test_an_answer_without_one_of_the_commands_is_an_error(server: Server, portal: RestPortal) -> None:
    server.handler = lambda _seen: ok({"result": [], "result_error": []})
    with pytest.raises(PortalError, match="did not say"):
        await portal.snapshot()


@pytest.mark.parametrize(
    "result",
    [
        {"result": {"c0": {}, "c1": []}},
        {"result": {"c0": [], "c1": "x"}},
        {"result": {"c0": [row(number) for number in range(60)], "c1": []}, "result_total": {"c0": 60}},
        [],
        1,
    ],
)
async def test_an_answer_of_another_shape_is_an_error(server: Server, portal: RestPortal, result: object) -> None:
    server.handler = lambda _seen: ok(result)
    with pytest.raises(PortalError) as caught:
        await portal.snapshot()
    assert caught.value.code is Code.NOT_BITRIX24


async def test_fifty_lines_are_read_by_id_in_one_plain_request(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(Lines(60))
    found = await portal.lines([3, 1, 99, 3])
    assert sorted(found) == [1, 3]
    assert server.methods == ["voximplant.sip.get"]
    assert server.seen[0].json["FILTER"] == {"CONFIG_ID": [1, 3, 99]}


async def test_more_lines_are_read_by_id_in_one_batch(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(Lines(120))
    assert len(await portal.lines(range(1, 121))) == 120
    assert server.methods == ["batch"]
    assert await portal.lines([]) == {}
    assert portal.requests == 1


async def test_registrations_are_asked_live_in_one_batch(server: Server, portal: RestPortal) -> None:
    row = {"STATUS_CODE": 200, "STATUS_RESULT": "success", "LAST_UPDATED": "2026-01-01 10:00:00"}
    failed = {"c1": {"error": "REG_ID_NOT_FOUND", "error_description": ""}}
    server.queue = [ok({"result": {"c0": {"REG_ID": "7", **row}}, "result_error": failed})]
    told = await portal.statuses([7, 8, 7])
    assert {reg_id: (one.result, one.status_code) for reg_id, one in told.items()} == {7: ("success", 200)}
    assert server.methods == ["batch"]
    server.queue = [ok({"result": {"c0": {"REG_ID": 7, "STATUS_RESULT": "odd"}}, "result_error": []})]
    with pytest.raises(PortalError):
        await portal.statuses([7])


async def test_doctor_gets_scope_time_and_connector(server: Server, portal: RestPortal) -> None:
    server.queue = [
        ok(["crm", "telephony"]),
        ok("2026-01-01T10:00:00+03:00"),
        ok({"FREE_MINUTES": 60, "PAID": False}),
    ]
    assert await portal.scope() == {"crm", "telephony"}
    assert await portal.server_time() == datetime(2026, 1, 1, 7, tzinfo=UTC)
    assert await portal.connector_status() == {"FREE_MINUTES": 60, "PAID": False}
    assert server.methods == ["scope", "server.time", "voximplant.sip.connector.status"]


async def test_odd_answers_to_doctor_are_no_crash(server: Server, portal: RestPortal) -> None:
    server.handler = lambda _seen: ok("odd")
    assert await portal.scope() == frozenset()
    with pytest.raises(PortalError):
        await portal.server_time()


# --- writing ---


async def test_fifty_updates_are_one_request_and_the_reading_back_another(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(Lines(50))
    sent = await portal.send([call(number) for number in range(1, 51)], range(1, 51))
    assert sent.replies == (Done(),) * 50
    assert sent.lines is None
    assert portal.requests == 1
    assert len(await portal.lines(range(1, 51))) == 50
    assert portal.requests == 2


async def test_reading_back_rides_in_the_last_request(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(Lines(49))
    sent = await portal.send([call(number) for number in range(1, 50)], range(1, 50))
    assert portal.requests == 1
    assert sent.lines is not None
    assert {line.values["server"] for line in sent.lines.values()} == {"new.example"}


async def test_one_call_alone_is_a_plain_request(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(Lines(1))
    sent = await portal.send([call(1, password=Secret("pä ss&+%#="))])
    assert sent.replies == (Done(),)
    assert server.methods == ["voximplant.sip.update"]
    assert server.seen[0].json == {"CONFIG_ID": 1, "TYPE": "cloud", "PASSWORD": "pä ss&+%#="}


async def test_values_survive_a_batch(server: Server, portal: RestPortal) -> None:
    lines = Lines(2)
    server.handler = portal_handler(lines)
    await portal.send([call(1, title="a&b=c#d+e %41 [x] ё\n"), call(2, password=Secret("$result"))])
    assert server.methods == ["batch"]
    assert lines.rows[1]["TITLE"] == "a&b=c#d+e %41 [x] ё\n"
    assert lines.rows[2]["PASSWORD"] == "$result"


@pytest.mark.parametrize("value", ["$result[c0]", "x$TIME[0]", "$error.[x]", "$next[a]", "$Total[a]"])
async def test_a_value_that_a_batch_would_rewrite_travels_alone(server: Server, portal: RestPortal, value: str) -> None:
    lines = Lines(3)
    server.handler = portal_handler(lines)
    sent = await portal.send([call(1), call(2, password=Secret(value)), call(3)], [1, 2, 3])
    assert sent.replies == (Done(),) * 3
    assert server.methods == ["voximplant.sip.update", "voximplant.sip.update", "batch"]
    assert lines.rows[2]["PASSWORD"] == value
    assert sent.lines is not None


async def test_reading_back_does_not_ride_with_a_call_that_travels_alone(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(Lines(1))
    sent = await portal.send([call(1, title="$result[c0]")], [1])
    assert (sent.replies, sent.lines, portal.requests) == ((Done(),), None, 1)


async def test_independent_calls_all_run_and_each_has_its_own_answer(server: Server, portal: RestPortal) -> None:
    lines = Lines(3)
    lines.fails[2] = "TITLE_EXISTS"
    server.handler = portal_handler(lines)
    first, second, third = (await portal.send([call(1), call(2), call(3)], [1, 2, 3])).replies
    assert isinstance(first, Done)
    assert isinstance(third, Done)
    assert isinstance(second, Refused)
    assert second.error.error == "TITLE_EXISTS"
    assert server.seen[0].json["halt"] == 0


async def test_calls_that_wait_for_one_another_stop_at_the_first_error(server: Server, portal: RestPortal) -> None:
    lines = Lines(3)
    lines.fails[2] = "TITLE_EXISTS"
    server.handler = portal_handler(lines)
    sent = await portal.send([call(1), call(2, after=("acme:1",)), call(3)], [1, 2, 3])
    assert [type(reply) for reply in sent.replies] == [Done, Refused, Unsent]
    assert sent.replies[2] == Unsent(None)
    assert sent.lines is None
    assert server.seen[0].json["halt"] == 1


async def test_after_a_failure_later_requests_are_not_sent(server: Server, portal: RestPortal) -> None:
    lines = Lines(60)
    lines.fails[2] = "ERROR_NOT_FOUND"
    server.handler = portal_handler(lines)
    sent = await portal.send([call(number) for number in range(1, 61)])
    assert portal.requests == 1
    assert [reply for reply in sent.replies if reply != Done()][1:] == [Unsent()] * 10


@pytest.mark.parametrize(
    "answer",
    [
        reset,
        http(502, b"<html>bad gateway</html>", "text/html"),
        http(200, b'{"result": {"result"'),
        http(200, b"[1]"),
        http(403, b'{"result": 1, "error": "ACCESS_DENIED"}'),
        error("ERROR_CORE", 500),
    ],
)
async def test_without_a_usable_answer_all_calls_are_lost_and_nothing_is_repeated(
    server: Server, portal: RestPortal, answer: Any
) -> None:
    server.queue = [answer]
    sent = await portal.send([call(number) for number in range(1, 61)], [1])
    assert [type(reply) for reply in sent.replies] == [Lost] * 50 + [Unsent] * 10
    assert portal.requests == 1


async def test_batches_are_half_as_large_after_a_lost_one(server: Server, portal: RestPortal) -> None:
    server.handler = portal_handler(Lines(60))
    server.queue = [reset]
    calls = [call(number) for number in range(1, 61)]
    await portal.send(calls)
    sent = await portal.send(calls)
    assert sent.replies == (Done(),) * 60
    assert [len(seen.json["cmd"]) for seen in server.seen[1:]] == [25, 25, 10]


async def test_a_call_that_the_answer_leaves_out_is_lost(server: Server, portal: RestPortal) -> None:
    server.queue = [ok({"result": {"c0": 1}, "result_error": []})]
    first, second = (await portal.send([call(1), call(2)])).replies
    assert first == Done()
    assert isinstance(second, Lost)


async def test_a_call_that_the_answer_says_two_things_of_is_lost(server: Server, portal: RestPortal) -> None:
    server.queue = [ok({"result": {"c0": 1, "c1": 1}, "result_error": {"c1": {"error": "ACCESS_DENIED"}}})]
    first, second = (await portal.send([call(1), call(2)])).replies
    assert first == Done()
    assert isinstance(second, Lost)


async def test_a_refused_credential_sends_nothing(server: Server, portal: RestPortal) -> None:
    server.handler = lambda _seen: error("INVALID_CREDENTIALS", 401)
    sent = await portal.send([call(1), call(2)])
    first, second = sent.replies
    assert isinstance(first, Unsent)
    assert first.error is not None
    assert first.error.code is Code.CREDENTIAL
    assert first == second
    alone = (await portal.send([call(1)])).replies[0]
    assert isinstance(alone, Unsent)
    assert portal.requests == 2


async def test_a_command_out_of_operating_time_is_sent_again_after_its_ban(
    server: Server, portal: RestPortal, clock: Any
) -> None:
    lines = Lines(3)
    lines.fails[2] = "OPERATION_TIME_LIMIT"
    handler = portal_handler(lines)

    def answer(seen: Any) -> Any:
        given = handler(seen)
        lines.fails.clear()
        return given

    server.handler = answer
    sent = await portal.send([call(1), call(2), call(3)], [1])
    assert sent.replies == (Done(),) * 3
    assert sent.lines is not None
    assert [len(commands(seen)) for seen in server.seen] == [4, 2]
    assert clock.slept == [300.0]


async def test_a_command_that_stays_blocked_comes_back_unsent(server: Server, opened: Open, clock: Any) -> None:
    lines = Lines(2)
    lines.fails[2] = "OPERATION_TIME_LIMIT"
    server.handler = portal_handler(lines)
    async with opened(seconds=700) as portal:
        first, second = (await portal.send([call(1), call(2)])).replies
    assert first == Done()
    assert isinstance(second, Unsent)
    assert second.error is not None
    assert second.error.code is Code.RATE_LIMIT


async def test_a_batch_answer_without_the_reading_back_gives_no_lines(server: Server, portal: RestPortal) -> None:
    server.queue = [ok({"result": {"c0": 1}, "result_error": {"c1": {"error": "ERROR_CORE"}}})]
    sent = await portal.send([call(1)], [1])
    assert (sent.replies, sent.lines) == ((Done(),), None)


async def test_a_command_that_stays_blocked_to_the_end_comes_back_unsent(server: Server, portal: RestPortal) -> None:
    lines = Lines(2)
    lines.fails[2] = "OPERATION_TIME_LIMIT"
    server.handler = portal_handler(lines)
    first, second = (await portal.send([call(1), call(2)])).replies
    assert first == Done()
    assert isinstance(second, Unsent)
    assert [len(commands(seen)) for seen in server.seen] == [2, 1, 1, 1]


async def test_a_blocked_command_and_those_that_wait_for_it_are_sent_again(server: Server, portal: RestPortal) -> None:
    lines = Lines(3)
    lines.fails[2] = "OPERATION_TIME_LIMIT"
    handler = portal_handler(lines)

    def once(seen: Any) -> bytes:
        answer = handler(seen)
        lines.fails.clear()
        assert isinstance(answer, bytes)
        return answer

    server.handler = once
    sent = await portal.send([call(1), call(2), call(3, after=("acme:2",))])
    assert sent.replies == (Done(),) * 3
    assert [len(commands(seen)) for seen in server.seen] == [3, 2]


async def test_nothing_to_send_sends_nothing(portal: RestPortal) -> None:
    sent = await portal.send([])
    assert (sent.replies, sent.lines, portal.requests) == ((), None, 0)


async def test_a_batch_that_stays_refused_is_repeated_within_one_budget(server: Server, portal: RestPortal) -> None:
    server.handler = lambda _seen: error("CONNECTION_ERROR", 401)
    sent = await portal.send([call(1), call(2)])
    assert [type(reply) for reply in sent.replies] == [Unsent, Unsent]
    assert portal.requests == 4


async def test_a_line_read_back_that_makes_no_sense_does_not_hide_what_was_written(
    server: Server, portal: RestPortal
) -> None:
    server.queue = [ok({"result": {"c0": 1, "c1": [{"CONFIG_ID": None}]}, "result_error": []})]
    sent = await portal.send([call(1)], [1])
    assert (sent.replies, sent.lines) == ((Done(),), None)


@pytest.mark.parametrize("code", ["OPERATION_TIME_LIMIT", "ERROR_CORE"])
async def test_a_reading_command_of_a_batch_is_repeated_alone(
    server: Server, portal: RestPortal, clock: Any, code: str
) -> None:
    lines = Lines(3)
    failures = [code]

    def fail_once(method: str, params: dict[str, Any]) -> Any:
        if method.endswith("sip.get") and failures:
            raise Failed(failures.pop())
        return lines(method, params)

    server.handler = portal_handler(fail_once)
    assert len((await portal.snapshot()).lines) == 3
    assert [len(commands(seen)) for seen in server.seen] == [2, 1]
    assert sum(clock.slept) == pytest.approx(300 if code == "OPERATION_TIME_LIMIT" else 0.5, rel=0.25)


async def test_an_embedded_portal_is_asked_in_process(server: Server, opened: Open) -> None:
    answer = portal_handler(Lines(2))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith("/rest/1/sandbox/")
        body = (await receive())["body"]
        raw = answer(Seen(scope["method"], scope["path"], {}, body))
        assert isinstance(raw, bytes)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": raw.partition(b"\r\n\r\n")[2]})

    async with opened(SandboxAccess("/demo.db"), {}, embedded=lambda _path: app) as portal:
        assert len((await portal.snapshot()).lines) == 2
    assert server.seen == []


async def test_the_row_that_an_add_returns_does_not_show_its_password(server: Server, portal: RestPortal) -> None:
    add = Call(
        "acme:1",
        Address("acme", "new"),
        "add",
        {"title": "New", "server": "s", "login": "l", "password": Secret("canary")},
        type="cloud",
    )
    server.queue = [ok(row(70, PASSWORD="canary")), ok({"result": {"c0": row(70, PASSWORD="canary"), "c1": 1}})]
    alone = await portal.send([add])
    batched = await portal.send([add, call(1)])
    for sent in (alone, batched):
        assert sent.replies[0] == Done(70)
        assert "canary" not in repr(sent)
