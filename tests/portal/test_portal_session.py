"""The pace, repetitions and deadlines of one portal."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipsync.disk.clock import SystemClock
from sipsync.model.lines import Address, Call
from sipsync.model.policy import Limits
from sipsync.model.problems import Code, PortalError
from sipsync.model.secret import Secret
from sipsync.portal import envelope
from sipsync.portal.client import RestPortal
from sipsync.portal.envelope import Command
from sipsync.portal.protocol import Done, Lost, Unsent
from sipsync.portal.throttle import Throttle
from support.clock import Clock
from support.scripted import Open, Server, commands, error, http, ok, reset

CALL = Call("acme:1", Address("acme", "a"), "update", {"title": "x"}, config_id=1, type="cloud")
SLOW_DOWN = error("QUERY_LIMIT_EXCEEDED", 503)
BLOCKED = error("OPERATION_TIME_LIMIT", 429)


# --- pace ---


@pytest.mark.parametrize(("requests", "seconds"), [(49, 0.0), (50, 0.5), (60, 5.5)])
async def test_requests_keep_one_below_the_burst_and_then_to_the_rate(requests: int, seconds: float) -> None:
    clock = Clock(1000.0)
    throttle = Throttle("acme", Limits(burst=50, rate=2), clock)
    for _ in range(requests):
        await throttle.turn(["scope"])
    assert sum(clock.slept) == pytest.approx(seconds)


async def test_portals_of_one_host_share_the_pace() -> None:
    clock = Clock(1000.0)
    throttle = Throttle("acme", Limits(burst=3, rate=1), clock)
    await asyncio.gather(*(throttle.turn(["scope"]) for _ in range(6)))
    assert clock.time - 1000 == pytest.approx(4)


async def test_a_wait_is_told_with_its_reason() -> None:
    clock = Clock(1000.0)
    told: list[tuple[float, str]] = []
    throttle = Throttle(
        "acme", Limits(burst=2, rate=1), clock, on_wait=lambda seconds, reason: told.append((seconds, reason))
    )
    await throttle.turn(["a"])
    await throttle.turn(["a"])
    throttle.obey("OPERATION_TIME_LIMIT", 300, "a")
    await throttle.turn(["b"])
    await throttle.turn(["a", "b"])
    assert told == [(1.0, "rate limit"), (1.0, "rate limit"), (299.0, "operating time")]


async def test_a_method_out_of_operating_time_waits_for_a_later_reset_seen_before() -> None:
    clock = Clock(1000.0)
    throttle = Throttle("acme", Limits(), clock)
    throttle.note("a", clock.now().timestamp() + 500)
    throttle.note("b", clock.now().timestamp() + 100)
    throttle.note("b", None)
    throttle.obey("OPERATION_TIME_LIMIT", 300, "a")
    throttle.obey("OPERATION_TIME_LIMIT", 300, "b")
    await throttle.turn(["b"])
    assert clock.slept == [pytest.approx(300)]
    await throttle.turn(["a"])
    assert clock.slept[1] == pytest.approx(200)


@pytest.mark.parametrize("limits", [Limits(burst=1, rate=0.5), Limits(burst=2, rate=0.5)])
async def test_a_wait_past_the_deadline_is_refused_at_once(limits: Limits) -> None:
    clock = Clock(1000.0)
    throttle = Throttle("acme", limits, clock, seconds=1)
    await throttle.turn(["a"])
    with pytest.raises(PortalError) as caught:
        await throttle.turn(["a"])
    assert caught.value.code is Code.RATE_LIMIT
    assert "--timeout" in caught.value.diagnostics[0].hint
    assert clock.slept == []


# --- repetitions ---


@pytest.mark.parametrize(
    "answer", [reset, http(503, b"<html>", "text/html"), http(429, b"busy"), SLOW_DOWN, error("ERROR_CORE", 500)]
)
async def test_reading_is_repeated_after_a_passing_trouble(server: Server, portal: RestPortal, answer: Any) -> None:
    server.queue = [answer, answer, answer, ok(["crm"])]
    assert await portal.scope() == {"crm"}
    assert portal.requests == 4


async def test_waits_grow(server: Server, portal: RestPortal, clock: Clock) -> None:
    server.queue = [reset] * 4
    with pytest.raises(PortalError):
        await portal.scope()
    assert portal.requests == 4
    for waited, least in zip(clock.slept, (0.5, 1, 2), strict=True):
        assert least <= waited <= least * 1.25


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error("OVERLOAD_LIMIT", 503), Code.BLOCKED),
        (error("INVALID_CREDENTIALS", 401), Code.CREDENTIAL),
        (error("insufficient_scope", 401), Code.NO_SCOPE),
        (error("ACCESS_DENIED", 403), Code.NO_RIGHT),
        (error("ACCESS_DENIED", 401), Code.SUBSCRIPTION),
        (error("PORTAL_DELETED", 403), Code.PORTAL_GONE),
        (error("WRONG_ENCODING", 200), Code.REFUSED),
        (error(100, 400), Code.BAD_VALUE),
        (error("NEW_CODE", 400), Code.REFUSED),
        (http(400, b'{"error": {"code": 1}}'), Code.REFUSED),
        (http(403, b"<!DOCTYPE html><p>Forbidden", "text/html"), Code.NOT_BITRIX24),
        (http(200, b"<html>login</html>", "text/plain"), Code.NOT_BITRIX24),
    ],
)
async def test_trouble_that_stays_is_told_at_once(server: Server, portal: RestPortal, answer: Any, code: Code) -> None:
    server.queue = [answer]
    with pytest.raises(PortalError) as caught:
        await portal.scope()
    assert caught.value.code is code
    assert caught.value.diagnostics[0].hint
    assert portal.requests == 1


async def test_a_missing_scope_is_named(server: Server, portal: RestPortal) -> None:
    server.queue = [error("insufficient_scope", 401)]
    with pytest.raises(PortalError) as caught:
        await portal.snapshot()
    assert "telephony" in caught.value.diagnostics[0].hint
    assert caught.value.error == "insufficient_scope"


@pytest.mark.parametrize("answer", [http(200, b"{}"), http(200, b"null"), http(200, b"\xff"), http(200, b"[" * 100000)])
async def test_an_answer_that_is_not_the_server_s_json_is_told(
    server: Server, portal: RestPortal, answer: bytes
) -> None:
    server.handler = lambda _seen: answer
    with pytest.raises(PortalError, match="not its JSON"):
        await portal.scope()


@pytest.mark.parametrize("answer", [SLOW_DOWN, BLOCKED, error("CONNECTION_ERROR", 401)])
async def test_writing_is_repeated_where_surely_nothing_happened(
    server: Server, portal: RestPortal, clock: Clock, answer: bytes
) -> None:
    server.queue = [answer, ok(1)]
    assert (await portal.send([CALL])).replies == (Done(),)
    assert portal.requests == 2
    assert clock.slept


@pytest.mark.parametrize(
    "answer",
    [
        reset,
        http(504, b"<html>", "text/html"),
        error("ERROR_CORE", 500),
        http(400, b'{"error": {"start": 1}}'),
        http(302, b"", Location="/login"),
        http(302, b"", Location="https://evil.example/rest/1/x/voximplant.sip.update"),
    ],
)
async def test_writing_is_not_repeated_where_something_may_have_happened(
    server: Server, portal: RestPortal, answer: Any
) -> None:
    server.queue = [answer]
    (reply,) = (await portal.send([CALL])).replies
    assert isinstance(reply, Lost)
    assert portal.requests == 1


async def test_a_full_bucket_that_stays_full_comes_back_unsent_when_time_is_over(
    server: Server, opened: Open, clock: Clock
) -> None:
    server.handler = lambda _seen: SLOW_DOWN
    async with opened(seconds=120) as portal:
        (reply,) = (await portal.send([CALL])).replies
    assert isinstance(reply, Unsent)
    assert reply.error is not None
    assert reply.error.code is Code.RATE_LIMIT
    assert "limits.rate" in str(reply.error.diagnostics[0].hint)
    assert 112 <= sum(clock.slept) <= 120
    assert max(clock.slept) <= 8


async def test_pauses_begin_anew_once_the_bucket_had_room(server: Server, portal: RestPortal, clock: Clock) -> None:
    server.queue = [SLOW_DOWN, SLOW_DOWN, ok(["crm"]), SLOW_DOWN, ok(["crm"])]
    await portal.scope()
    await portal.scope()
    assert clock.slept == [2.25, 4.5, 2.25]


async def test_a_write_whose_turn_comes_too_late_is_not_sent(server: Server, portal: RestPortal, clock: Clock) -> None:
    server.queue = [BLOCKED]
    until = clock.time + 55
    assert (await portal.send([CALL, CALL], fresh_until=until)).replies == (Unsent(), Unsent())
    assert clock.time == until + 245
    assert (portal.requests, server.methods) == (1, ["batch"])
    assert (await portal.send([CALL], fresh_until=clock.time)).replies == (Done(),)


async def test_a_connection_that_is_made_too_late_carries_no_write(
    opened: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unmade(_self: object, url: object, seconds: float) -> None:
        clock.time += seconds
        raise httpx.ConnectTimeout("no connection")

    monkeypatch.setattr("sipsync.portal.wire.Wire._connect", unmade)
    async with opened() as portal:
        sent = await portal.send([CALL], fresh_until=clock.time + 2)
        assert sent.replies == (Unsent(),)
        assert clock.time == pytest.approx(1002, abs=0.1)
        (reply,) = (await portal.send([CALL], fresh_until=clock.time + 120)).replies
    assert isinstance(reply, Unsent)
    assert reply.error is not None
    assert "within 5 seconds" in str(reply.error)


async def test_the_reset_time_of_an_answer_is_remembered(server: Server, portal: RestPortal, clock: Clock) -> None:
    reset_at = clock.now().timestamp() + 400
    server.queue = [ok(["crm"], time={"operating_reset_at": reset_at}), BLOCKED, ok(["crm"])]
    await portal.scope()
    await portal.scope()
    assert clock.slept == [pytest.approx(400)]


@pytest.mark.parametrize("reset_at", [10**400, math.inf, math.nan, -1, "soon", None])
async def test_a_reset_time_that_is_none_is_as_good_as_none(
    server: Server, portal: RestPortal, clock: Clock, reset_at: object
) -> None:
    server.queue = [ok(["crm"], time={"operating_reset_at": reset_at}), BLOCKED, ok(["crm"])]
    assert await portal.scope() == {"crm"}
    assert await portal.scope() == {"crm"}
    assert clock.slept == [300]


# --- deadlines ---


async def test_a_ban_longer_than_the_time_given_is_an_error_at_once(server: Server, opened: Open, clock: Clock) -> None:
    server.handler = lambda _seen: BLOCKED
    async with opened(seconds=200) as portal:
        with pytest.raises(PortalError) as caught:
            await portal.scope()
    assert caught.value.code is Code.RATE_LIMIT
    assert clock.slept == []


async def test_a_repetition_past_the_deadline_is_not_waited_for(server: Server, opened: Open, clock: Clock) -> None:
    server.handler = lambda _seen: reset
    async with opened(seconds=0.1) as portal:
        with pytest.raises(PortalError) as caught:
            await portal.scope()
    assert caught.value.code is Code.TIMEOUT
    assert portal.requests == 1


async def test_nothing_is_sent_after_the_deadline(server: Server, opened: Open, clock: Clock) -> None:
    async with opened(seconds=0) as portal:
        sent = await portal.send([CALL, CALL])
        first, _ = sent.replies
    assert isinstance(first, Unsent)
    assert first.error is not None
    assert first.error.code is Code.TIMEOUT
    assert server.seen == []


async def test_a_request_may_not_last_longer_than_the_deadline(server: Server, opened: Open, clock: Clock) -> None:
    async def silence(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)

    server.queue = [silence]
    async with opened(seconds=0.05) as portal:
        with pytest.raises(PortalError) as caught:
            await portal.scope()
    assert caught.value.code is Code.TIMEOUT


async def test_the_system_s_clock_moves() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before
    assert clock.now().tzinfo is not None
    assert 0 <= clock.chance() < 1
    assert len({clock.token(8) for _ in range(9)}) == 9


# --- what is written into a request ---

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(title=TEXT, password=TEXT)
def test_any_text_survives_a_batch(title: str, password: str) -> None:
    from support.scripted import Seen

    one = Command("voximplant.sip.update", {"CONFIG_ID": 1, "TITLE": title, "PASSWORD": Secret(password)})
    body = envelope.body(envelope.batch([one, one], halt=False), Secret("token"))
    assert json.loads(body)["auth"] == "token"
    parsed = commands(Seen("POST", "/rest/batch", {}, body))
    assert parsed == [("voximplant.sip.update", {"CONFIG_ID": "1", "TITLE": title, "PASSWORD": password})] * 2


def test_lists_and_maps_are_written_with_brackets() -> None:
    command = Command("voximplant.sip.get", {"FILTER": {"CONFIG_ID": [5, 7]}, "start": 0})
    (line,) = json.loads(envelope.body(envelope.batch([command], halt=True), None))["cmd"].values()
    assert line == "voximplant.sip.get?FILTER%5BCONFIG_ID%5D%5B0%5D=5&FILTER%5BCONFIG_ID%5D%5B1%5D=7&start=0"


def test_a_request_does_not_show_its_secrets() -> None:
    command = Command("voximplant.sip.update", {"PASSWORD": Secret("canary")})
    assert "canary" not in repr(command) + repr(envelope.batch([command], halt=True))
