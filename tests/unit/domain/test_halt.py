"""What a halt reports to the orders that it stops."""

from datetime import UTC, datetime

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.halt import CODES, Halt, HaltCause

AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (HaltCause.OPERATOR, ErrorCode.SERVICE_HALTED),
        (HaltCause.RESTORE, ErrorCode.SERVICE_HALTED),
        (HaltCause.SHARED_WALLET, ErrorCode.WALLET_SHARED),
    ],
)
def test_the_error_of_a_halt_has_its_actor_time_and_reason(cause: HaltCause, code: ErrorCode) -> None:
    error = Halt(cause, "desk", "prices look wrong", AT).error
    assert (error.code, error.detail) == (code, "halted by desk at 2026-11-27 09:30:00 UTC: prices look wrong")
    assert error.is_awaited, "orders must wait until the halt is lifted"


def test_a_halt_from_the_console_has_no_name() -> None:
    assert Halt(HaltCause.OPERATOR, "", "maintenance", AT).summary.startswith("halted by an operator at ")


def test_each_cause_has_its_code() -> None:
    assert {cause.code for cause in HaltCause} == CODES
