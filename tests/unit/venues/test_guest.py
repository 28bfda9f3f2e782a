"""Whatever the data of a pool lead to, only that pool is left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from orderd.amm.curve import Segment
from orderd.amm.side import Quote, Rates
from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.solana.programs.layout import LayoutError
from orderd.venues.guest import Guests, GuestSide, PoolRefusedError

FORESEEN_BY_NOBODY = (ZeroDivisionError(), KeyError("bin"), RecursionError(), AssertionError("odd"))


@dataclass
class OddSide:
    """A side whose every answer is this exception."""

    error: Exception

    def rates(self) -> Rates:
        raise self.error

    def quote(self, amount_in: int) -> Quote:
        raise self.error

    def quote_out(self, amount_out: int) -> Quote:
        raise self.error

    def segments(self) -> Iterator[Segment]:
        raise self.error


QUESTIONS: dict[str, Callable[[GuestSide], object]] = {
    "rates": lambda side: side.rates(),
    "quote": lambda side: side.quote(1),
    "quote_out": lambda side: side.quote_out(1),
    "segments": lambda side: list(side.segments()),
}


@pytest.fixture
def guests() -> Guests:
    return Guests(PoolKind.METEORA_DLMM)


@pytest.mark.parametrize("error", FORESEEN_BY_NOBODY, ids=lambda error: type(error).__name__)
def test_an_exception_from_a_pools_data_is_a_refusal_of_the_pool(
    guests: Guests, error: Exception, injected_pool_faults: Callable[[], int]
) -> None:
    with pytest.raises(PoolRefusedError) as caught, guests.answering("odd"):
        raise error
    assert (caught.value.pool, caught.value.code, caught.value.passing) == ("odd", ErrorCode.POOL_UNSUPPORTED, False)
    assert injected_pool_faults() == 1


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("error", FORESEEN_BY_NOBODY, ids=lambda error: type(error).__name__)
def test_a_side_raises_nothing_but_swap_errors(
    guests: Guests, error: Exception, question: str, injected_pool_faults: Callable[[], int]
) -> None:
    with pytest.raises(SwapError) as caught:
        QUESTIONS[question](GuestSide(OddSide(error), guests, "odd"))
    assert caught.value.kind is SwapErrorKind.UNFORESEEN
    assert injected_pool_faults() == 1


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_swap_error_of_a_side_is_not_a_fault(guests: Guests, question: str) -> None:
    refusal = SwapError(SwapErrorKind.ZERO_OUTPUT)
    with pytest.raises(SwapError) as caught:
        QUESTIONS[question](GuestSide(OddSide(refusal), guests, "small"))
    assert caught.value is refusal


def test_a_foreseen_refusal_keeps_its_code_and_is_not_a_fault(guests: Guests) -> None:
    unavailable = OrderdError(ErrorCode.RPC_UNAVAILABLE, "connection refused")
    with pytest.raises(OrderdError) as caught, guests.answering("pool"):
        raise unavailable
    assert caught.value is unavailable
    with pytest.raises(PoolRefusedError) as refused, guests.answering("pool"):
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    assert (refused.value.code, refused.value.passing) == (ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY, True)
    with pytest.raises(PoolRefusedError, match="cannot be read") as refused, guests.answering("pool"):
        raise LayoutError("too short")
    assert (refused.value.code, refused.value.passing) == (ErrorCode.POOL_UNSUPPORTED, False)


def test_a_fault_is_counted_each_time_and_logged_once_per_pool(
    guests: Guests, injected_pool_faults: Callable[[], int]
) -> None:
    with capture_logs() as logged:
        for pool in ("odd", "odd", "odder"):
            with pytest.raises(PoolRefusedError), guests.answering(pool):
                raise ZeroDivisionError
    assert [line["pool"] for line in logged] == ["odd", "odder"]
    assert injected_pool_faults() == 3
