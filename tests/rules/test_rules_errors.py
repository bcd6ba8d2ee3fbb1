"""The table of the server's error codes."""

from __future__ import annotations

import pytest

from sipsync.model.problems import Code
from sipsync.rules.errors import rule

DOCUMENTED = [
    "expired_token", "invalid_token", "NO_AUTH_FOUND", "INVALID_CREDENTIALS", "insufficient_scope",
    "authorization_error", "APPLICATION_NOT_FOUND", "ERROR_OAUTH", "NOT_INSTALLED", "PAYMENT_REQUIRED",
    "ACCESS_DENIED", "user_access_error", "PORTAL_DELETED", "METHOD_CONFIRM_WAITING", "METHOD_CONFIRM_DENIED",
    "ERROR_METHOD_NOT_FOUND", "OVERLOAD_LIMIT", "CONNECTION_ERROR", "invalid_request", "invalid_client",
    "invalid_grant", "invalid_scope", "wrong_client", "QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT", "INVALID_REQUEST",
    "CHECK_FIELDS_ERROR", "TITLE_EXISTS", "MAX_CLOUD_PBX", "ERROR_NOT_FOUND", "CONFIG_NOT_FOUND", "CONFIG_ID_NULL",
    "REG_ID_NOT_FOUND", "ERROR_ARGUMENT", "WRONG_ENCODING", "ERROR_CORE", "ERROR_BATCH_LENGTH_EXCEEDED",
    "ERROR_BATCH_METHOD_NOT_ALLOWED", "WRONG_LICENSE", "CONNECT_ERROR",
]  # fmt: skip


@pytest.mark.parametrize("error", DOCUMENTED)
def test_every_known_code_says_what_it_means_and_what_to_do(error: str) -> None:
    found = rule(error)
    assert found.error == error
    assert found.text
    assert found.advice.endswith(".")
    assert len(found.advice) < 220
    assert found.text != rule("NO_SUCH_CODE").text


def test_an_unknown_code_is_a_refusal_that_is_not_repeated() -> None:
    found = rule("NO_SUCH_CODE")
    assert (found.error, found.code, found.retry, found.wait) == ("NO_SUCH_CODE", Code.REFUSED, "never", None)


def test_access_is_denied_by_the_plan_or_for_want_of_a_right() -> None:
    assert rule("ACCESS_DENIED", 401).code is Code.SUBSCRIPTION
    assert rule("ACCESS_DENIED", 401).advice != rule("ACCESS_DENIED", 403).advice
    assert rule("ACCESS_DENIED", 403) == rule("ACCESS_DENIED")
    assert rule("ACCESS_DENIED").code is Code.NO_RIGHT


def test_a_code_may_be_a_number() -> None:
    assert rule(100) == rule("100")
    assert rule(7).error == "7"


@pytest.mark.parametrize("error", ["QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT", "CONNECTION_ERROR"])
def test_writes_are_repeated_where_the_server_did_nothing(error: str) -> None:
    assert rule(error).retry == "always"
    assert rule(error).wait


@pytest.mark.parametrize("error", ["OVERLOAD_LIMIT", "TITLE_EXISTS", "expired_token", "ACCESS_DENIED"])
def test_what_time_does_not_mend_is_never_repeated(error: str) -> None:
    assert rule(error).retry == "never"


def test_a_method_out_of_operating_time_waits_for_five_minutes() -> None:
    assert rule("OPERATION_TIME_LIMIT").wait == 300
