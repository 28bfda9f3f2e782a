import pytest

from orderctl.output.exit_codes import ExitCode
from orderctl.output.failures import exit_code_of, exit_code_of_status
from orderd.domain.errors import ErrorCode
from orderd.domain.order import TERMINAL, OrderStatus


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_has_an_exit_code_that_is_not_success(code: ErrorCode) -> None:
    assert exit_code_of(code) in set(ExitCode) - {ExitCode.OK, ExitCode.INTERRUPTED}


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        (ErrorCode.AMOUNT_NOT_POSITIVE, 2),
        (ErrorCode.TOKEN_UNKNOWN, 2),
        (ErrorCode.ORDER_AMBIGUOUS, 2),
        (ErrorCode.PRICE_OFF_MARKET, 2),
        (ErrorCode.PRICE_WRONG_SIDE, 1),
        (ErrorCode.TIME_PAST, 2),
        (ErrorCode.ORDER_CONFLICT, 2),
        (ErrorCode.ORDER_TERMS_CONTRADICT, 2),
        (ErrorCode.ORDER_TYPE_UNSUPPORTED, 2),
        (ErrorCode.FUNDS_INSUFFICIENT, 1),
        (ErrorCode.ROUTE_PRICE_IMPACT, 1),
        (ErrorCode.ORDER_NOT_CANCELLABLE, 1),
        (ErrorCode.SERVICE_CRASH_LOOP, 1),
        (ErrorCode.SERVICE_DRAINING, 3),
        (ErrorCode.RPC_UNAVAILABLE, 3),
        (ErrorCode.ROUTE_VENUES_UNAVAILABLE, 3),
        (ErrorCode.AUTH_REQUIRED, 4),
        (ErrorCode.LIMIT_DAY, 4),
        (ErrorCode.LIMIT_REQUESTS, 3),
        (ErrorCode.SERVICE_TIMEOUT, 5),
        (ErrorCode.ORDER_NOT_FOUND, 6),
    ],
)
def test_an_error_has_its_documented_exit_code(code: ErrorCode, exit_code: int) -> None:
    assert exit_code_of(code) == exit_code


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_only_a_confirmed_order_is_a_success(status: OrderStatus) -> None:
    assert (exit_code_of_status(status) == 0) is (status is OrderStatus.CONFIRMED)
