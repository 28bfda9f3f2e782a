"""Every error code has a meaning, a rule for retries and a next step."""

import re

import pytest

from orderd.domain.errors import ERRORS, Consequence, ErrorCode, OrderdError


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_has_a_title_a_next_step_and_a_status(code: ErrorCode) -> None:
    spec = ERRORS[code]
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)+", code)
    assert code.value == code.name
    assert code.startswith(f"{code.category}_")
    assert spec.title[0].isupper() or spec.title.startswith("orderd")
    assert not spec.title.endswith(".")
    assert spec.next_step
    assert 400 <= spec.http_status <= 599


def test_an_error_has_its_code_and_detail() -> None:
    error = OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused")
    assert str(error) == "RPC_UNAVAILABLE: connection refused"
    assert error.retryable
    assert error.spec.title == "The Solana RPC endpoint does not answer"
    assert error.retry_after is None
    assert OrderdError(ErrorCode.LIMIT_REQUESTS, "61 in a minute", retry_after=2).retry_after == 2


def test_external_failures_are_awaited() -> None:
    waited_for = {code for code in ErrorCode if OrderdError(code, "").is_awaited}
    assert waited_for == {code for code in ErrorCode if ERRORS[code].consequence is Consequence.WAITS}
    assert {ErrorCode.RPC_UNAVAILABLE, ErrorCode.ROUTE_VENUES_UNAVAILABLE, ErrorCode.TX_EXPIRED} <= waited_for
    assert waited_for.isdisjoint({ErrorCode.SERVICE_INTERNAL, ErrorCode.TX_FAILED, ErrorCode.FUNDS_INSUFFICIENT})


@pytest.mark.parametrize("code", [code for code in ErrorCode if ERRORS[code].consequence is Consequence.COUNTS])
def test_only_errors_that_may_pass_are_retried(code: ErrorCode) -> None:
    assert ERRORS[code].retryable
