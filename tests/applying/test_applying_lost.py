"""Re-registering calls whose answers were lost: only what the call itself moved proves that it was carried out."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from sipsync.model.outcome import PortalOutcome
from sipsync.model.problems import Exit
from sipsync.rules.state import Effect
from support.emulated import Asked
from support.lines import desired
from support.rulebook import altered, row
from support.stage import Stage, results, stage

WAIT: dict[str, Any] = {"wait": 9.0}


def again(status: int | None = 200, **given: str) -> Stage:
    """A line that is as its file says, but for what is given."""
    return stage([row(1, "A", status_code=status)], desired("a", 1, server="old.example", **given))


async def register_again(one: Stage, **options: Any) -> PortalOutcome:
    return await one.apply(one.plan(reregister=("acme.a",)), **options)


async def test_a_request_that_was_lost_before_the_server_saw_it_is_sent_again() -> None:
    one = again()
    one.portal.goes_wrong("reset-before", 1)
    outcome = await register_again(one)
    assert (results(outcome), outcome.exit) == ({"a": "applied"}, Exit.OK)
    assert (one.portal.registrations, one.portal.writes, outcome.lines[0].reregistered) == (1, 2, True)


@pytest.mark.parametrize("options", [{}, WAIT])
async def test_a_request_that_the_server_never_saw_is_not_called_applied(options: dict[str, Any]) -> None:
    one = again()
    one.portal.goes_wrong("reset-before")
    outcome = await register_again(one, **options)
    assert (results(outcome), outcome.exit) == ({"a": "unverified"}, Exit.PARTIAL)
    assert (one.portal.registrations, one.portal.writes, outcome.lines[0].reregistered) == (0, 2, False)


async def test_a_stored_status_that_moved_proves_the_call_and_nothing_is_asked() -> None:
    one = again()
    one.portal.goes_wrong("reset-after", 1)
    assert results(await register_again(one)) == {"a": "applied"}
    assert (one.portal.registrations, one.portal.writes) == (1, 1)
    assert not any("sip.status" in asked for asked in one.portal.asked)


async def test_a_registration_that_moved_proves_the_call_where_its_status_could_not_move() -> None:
    one = again(0)
    one.portal.says(1, 0)
    one.portal.goes_wrong("reset-after", 1)
    await register_again(one, **WAIT)
    assert (one.portal.registrations, one.portal.writes) == (1, 1)


async def test_where_nothing_could_move_the_call_is_sent_once_more() -> None:
    one = again(0)
    one.portal.goes_wrong("reset-after", 1)
    assert results(await register_again(one)) == {"a": "applied"}
    assert (one.portal.registrations, one.portal.writes) == (2, 2)


async def test_a_title_that_moved_does_not_prove_the_registration_that_comes_behind_it() -> None:
    one = again(title="B")
    one.portal.goes_wrong("reset-before", 1)

    def dies_halfway(asked: Asked) -> None:
        if "sip.update" in asked:
            one.state.commit(Effect(None, rows=(altered(one.state.rows[1], title="B"),)))

    one.portal.before = dies_halfway
    assert results(await register_again(one)) == {"a": "applied"}
    assert (one.portal.registrations, one.portal.writes) == (1, 2)


async def test_a_value_that_moved_proves_the_call_whatever_the_provider_says_of_it() -> None:
    one = stage([row(1, "A")], desired("a", 1, server="new.example"))
    one.portal.goes_wrong("reset-after", 1)
    one.portal.says(1, 403)
    assert results(await one.apply()) == {"a": "applied"}
    assert (one.portal.registrations, one.portal.writes) == (1, 1)


FAULTS = (None, "reset-before", "reset-after")


@pytest.mark.parametrize("stored", [None, 0, 200, 403])
@pytest.mark.parametrize("options", [{}, WAIT, {"canary": True}])
async def test_no_line_is_called_registered_that_the_server_did_not_register(
    stored: int | None, options: dict[str, Any]
) -> None:
    for first, second, asking, said in product(FAULTS, FAULTS, FAULTS, (0, 200, 403)):
        one = again(stored)
        one.portal.says(1, said)
        if first:
            one.portal.goes_wrong(first, 1)
        if second:
            one.portal.goes_wrong(second, 2)
        if asking:
            one.portal.goes_wrong(asking, 1, 2, 3, 4, method="sip.status")
        outcome = await register_again(one, **options)
        case = (first, second, asking, said, results(outcome))
        assert not outcome.lines[0].reregistered or one.portal.registrations, case
        assert outcome.lines[0].result != "applied" or one.portal.registrations, case
        assert one.portal.registrations <= 3, case
        assert one.portal.writes <= 3, case  # the canary's old values are set back by a call
