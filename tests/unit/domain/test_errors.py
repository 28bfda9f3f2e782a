"""Every code says what it means, whether to try again and what to do next."""

import re

import pytest

from orderd.domain.errors import ERRORS, Consequence, ErrorCode, OrderdError


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_keeps_its_promises(code: ErrorCode) -> None:
    spec = ERRORS[code]
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)+", code)
    assert code.value == code.name
    assert code.startswith(f"{code.category}_")
    assert spec.title[0].isupper() or spec.title.startswith("orderd")
    assert not spec.title.endswith(".")
    assert spec.next_step
    assert 400 <= spec.http_status <= 599


def test_an_error_carries_its_code_and_this_case() -> None:
    error = OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused")
    assert str(error) == "RPC_UNAVAILABLE: connection refused"
    assert error.retryable
    assert error.spec.title == "The Solana RPC endpoint does not answer"
    assert error.retry_after is None
    assert OrderdError(ErrorCode.LIMIT_REQUESTS, "61 in a minute", retry_after=2).retry_after == 2


def test_what_is_none_of_an_order_s_doing_is_waited_for() -> None:
    waited_for = {code for code in ErrorCode if OrderdError(code, "").is_awaited}
    assert waited_for == {code for code in ErrorCode if ERRORS[code].consequence is Consequence.WAITS}
    assert {ErrorCode.RPC_UNAVAILABLE, ErrorCode.ROUTE_VENUES_UNAVAILABLE, ErrorCode.TX_EXPIRED} <= waited_for
    assert waited_for.isdisjoint({ErrorCode.SERVICE_INTERNAL, ErrorCode.TX_FAILED, ErrorCode.FUNDS_INSUFFICIENT})


@pytest.mark.parametrize("code", [code for code in ErrorCode if ERRORS[code].consequence is Consequence.COUNTS])
def test_an_order_is_tried_again_only_where_the_same_may_succeed(code: ErrorCode) -> None:
    assert ERRORS[code].retryable
