"""The base fees of Meteora DAMM v2, by time, price or amount, equal the program's bit for bit."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orderd.amm.curve import Curve
from orderd.amm.swap import U64_MAX, SwapError
from orderd.amm.volatility import fee_in
from orderd.pools.meteora_damm_v2.accounts import BaseFee
from orderd.pools.meteora_damm_v2.maths.base_fee import MarketCapSchedule, Moment, RateLimiterSchedule, TimeSchedule
from orderd.pools.meteora_damm_v2.maths.dynamic_fee import DammV2DynamicFee
from orderd.pools.meteora_damm_v2.maths.pool import (
    DammV2Pool,
    marginal_rates,
    swap_exact_in,
    swap_exact_out,
    swap_partial_fill,
)
from orderd.pools.meteora_damm_v2.maths.side import DammV2Side
from orderd.solana.programs.unsupported import UnsupportedPoolError
from tests.unit.amm.vectors import cases, load
from tests.unit.pools.meteora_damm_v2.test_maths import FLAT, NOW, plain_pool

DOCUMENT = load("meteora_damm_v2_base_fees.json")
CASES = cases(DOCUMENT)


def pool_of(account: dict[str, Any]) -> DammV2Pool:
    base_fee = BaseFee(padding_0=bytes(5), **account["base_fee"]).to_maths(account["init_sqrt_price"])
    dynamic_fee = DammV2DynamicFee(**account["dynamic_fee"])
    fields = {name: account[name] for name in DammV2Pool.__slots__ if name in account}
    return DammV2Pool(**fields | {"base_fee": base_fee, "dynamic_fee": dynamic_fee})


@pytest.mark.parametrize("case", CASES)
def test_answers_like_the_program(case: dict[str, Any]) -> None:
    given_, expected = case["input"], case["expected"]
    swap = (swap_exact_in if given_["swap_mode"] == "exact_in" else swap_exact_out)(
        pool_of(DOCUMENT["pools"][case["pool"]]),
        given_["amount"],
        a_to_b=given_["direction"] == "a_to_b",
        now=given_["current_timestamp"],
        point=given_["current_point"],
    )
    assert (swap.amount_in, swap.amount_out) == (expected["amount_in"], expected["amount_out"])
    assert {name: getattr(swap.pool, name) for name in expected["end_state"]} == expected["end_state"]


def test_the_cases_cover_every_mode() -> None:
    modes = {
        (DOCUMENT["pools"][case["pool"]]["base_fee"]["base_fee_mode"], case["input"]["direction"])
        for case in DOCUMENT["cases"]
    }
    assert (len(CASES), modes) == (78, {(mode, way) for mode in (2, 3, 4) for way in ("a_to_b", "b_to_a")})


LIMITER = RateLimiterSchedule(
    cliff_fee_numerator=10_000_000,
    fee_increment_bps=100,
    max_limiter_duration=600,
    max_fee_bps=500,
    reference_amount=1_000_000,
)
"""1 % of the first million, 2 % of the second, up to 5 %."""
PURCHASE = Moment(a_to_b=False, point=NOW, activation_point=NOW, sqrt_price=FLAT)


@pytest.mark.parametrize(
    ("amount", "rate"),
    [
        (1_000_000, 10_000_000),
        (2_000_000, 15_000_000),
        (2_500_000, 18_000_000),
        (5_000_000, 30_000_000),
        (10_000_000, 40_000_000),
    ],
)
def test_a_rate_limiter_increases_with_each_reference_amount(amount: int, rate: int) -> None:
    assert LIMITER.of_gross(amount, PURCHASE) == rate


@pytest.mark.parametrize(
    "moment",
    [
        PURCHASE._replace(a_to_b=True),
        PURCHASE._replace(point=NOW - 1),
        PURCHASE._replace(point=NOW + 601),
    ],
    ids=["sale", "before activation", "after its end"],
)
def test_a_rate_limiter_applies_to_purchases_while_active(moment: Moment) -> None:
    assert LIMITER.of_gross(10**9, moment) == LIMITER.of_net(10**9, moment) == 10_000_000
    assert LIMITER.of_gross(10**9, PURCHASE._replace(point=NOW + 600)) > 10_000_000


def test_an_empty_rate_limiter_is_none() -> None:
    assert not RateLimiterSchedule(10_000_000, 0, 0, 0, 0).applies(PURCHASE)


@given(st.integers(1, 10**8))
@example(990_000)  # the net amount of the first reference amount
@example(4_850_000)  # the net amount where the rate reaches its maximum
@example(4_850_001)
def test_the_rate_of_a_net_amount_gives_that_net_amount(net: int) -> None:
    """Except for rounding up the rate and the fee."""
    rate = LIMITER.of_net(net, PURCHASE)
    gross = -(-net * 10**9 // (10**9 - rate))
    left = gross - fee_in(gross, LIMITER.of_gross(gross, PURCHASE))
    assert abs(left - net) <= 2


@pytest.mark.parametrize(
    ("limiter", "amount"),
    [
        (replace(LIMITER, fee_increment_bps=0), 10**9),
        (replace(LIMITER, reference_amount=0), 10**9),
        (replace(LIMITER, max_fee_bps=99), 10**9),
        (replace(LIMITER, reference_amount=U64_MAX // 2), U64_MAX),
        (replace(LIMITER, cliff_fee_numerator=10**9, max_fee_bps=20_000), 10**7),
    ],
    ids=["no increment", "no reference", "a maximum below the cliff", "more than 64 bits", "a fee of more than all"],
)
def test_an_overflowing_rate_limiter_is_refused(limiter: RateLimiterSchedule, amount: int) -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        limiter.of_net(amount, PURCHASE)


@pytest.mark.parametrize("collect_fee_mode", [0, 1, 2])
def test_the_curve_of_a_rate_limiter_follows_its_quotes(collect_fee_mode: int) -> None:
    """The program allows a rate limiter only with fees in token b; other modes are computed as well."""
    pool = plain_pool(base_fee=LIMITER, collect_fee_mode=collect_fee_mode)
    side = DammV2Side(pool, a_to_b=False, now=NOW, point=NOW)
    segments = list(side.segments())
    assert [segment.amount_in for segment in segments[:5]] == [1_000_000] * 5
    curve = Curve(iter(segments), 10**8)
    for amount in (500_000, 1_000_000, 3_400_000, 5_000_000, 60_000_000):
        taken, paid = curve.at(curve.end(amount))
        assert abs(taken - amount) <= 1
        assert abs(paid - side.quote(amount).amount_out) <= 6


@pytest.mark.parametrize(("fee_version", "highest"), [(0, 500_000_000), (1, 990_000_000)])
def test_the_curve_of_a_rate_limiter_ends_where_no_rate_is_higher(fee_version: int, highest: int) -> None:
    """An account can hold a maximum that is far above what the program charges: some billion increments away."""
    limiter = replace(LIMITER, max_fee_bps=2**32 - 1)
    pool = plain_pool(base_fee=limiter, collect_fee_mode=1, fee_version=fee_version)
    rates, part = marginal_rates(pool, a_to_b=False, point=NOW)
    assert rates == [*range(10_000_000, highest + 1, 10_000_000), highest]
    assert part == limiter.reference_amount


def test_the_curve_of_a_rate_limiter_ends_with_the_pool() -> None:
    pool = plain_pool(base_fee=LIMITER, collect_fee_mode=1, sqrt_max_price=FLAT + (FLAT >> 19))
    segments = list(DammV2Side(pool, a_to_b=False, now=NOW, point=NOW).segments())
    assert [segment.amount_in == 1_000_000 for segment in segments] == [True, False]


def test_a_purchase_by_a_rate_limiter_counts_as_a_step() -> None:
    pool = plain_pool(base_fee=LIMITER, collect_fee_mode=1)
    for a_to_b, steps in ((False, 1), (True, 0)):
        side = DammV2Side(pool, a_to_b=a_to_b, now=NOW, point=NOW)
        assert side.quote_out(10**7).steps == steps
        assert side.quote(10**7).steps == 0


def test_a_partial_fill_pays_the_rate_of_what_is_swapped() -> None:
    pool = plain_pool(base_fee=LIMITER, collect_fee_mode=1, sqrt_max_price=FLAT + (FLAT >> 19))
    swap = swap_partial_fill(pool, 10**9, a_to_b=False, now=NOW, point=NOW)
    assert swap.amount_in < 10**9
    assert swap.fee_numerator == LIMITER.of_net(swap.net_in, PURCHASE) < LIMITER.of_gross(10**9, PURCHASE)


MARKET_CAP = MarketCapSchedule(
    exponential=False,
    cliff_fee_numerator=50_000_000,
    number_of_period=10,
    sqrt_price_step_bps=100,
    scheduler_expiration_duration=600,
    reduction_factor=4_000_000,
    init_sqrt_price=FLAT,
)


@pytest.mark.parametrize(
    ("percent", "point", "rate"),
    [
        (90, NOW, 50_000_000),
        (100, NOW, 50_000_000),
        (103, NOW, 38_000_000),
        (900, NOW, 10_000_000),
        (100, NOW - 1, 10_000_000),
        (100, NOW + 601, 10_000_000),
    ],
)
def test_a_market_cap_schedule_falls_with_each_price_step_until_its_end(percent: int, point: int, rate: int) -> None:
    moment = Moment(True, point, NOW, FLAT * percent // 100 + 1)
    assert MARKET_CAP.of_gross(1, moment) == MARKET_CAP.of_net(1, moment) == rate


@pytest.mark.parametrize("nothing", [{"sqrt_price_step_bps": 0}, {"init_sqrt_price": 0}], ids=str)
def test_a_market_cap_schedule_without_steps_is_refused(nothing: dict[str, Any]) -> None:
    with pytest.raises(SwapError, match="math_overflow"):
        replace(MARKET_CAP, **nothing).of_gross(1, PURCHASE._replace(sqrt_price=2 * FLAT))


def test_an_exponential_fee_is_reduced_by_a_factor_per_period() -> None:
    fee = TimeSchedule(True, 100_000_000, number_of_period=2, period_frequency=60, reduction_factor=5_000)
    rates = [fee.of_gross(1, PURCHASE._replace(point=NOW + seconds)) for seconds in (0, 60, 120, 9_000)]
    assert rates == [100_000_000, 50_000_000, 25_000_000, 25_000_000]


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(UnsupportedPoolError, match="fee_mode"):
        BaseFee(2_500_000, 5, bytes(5), 0, 0, 0).to_maths(FLAT)
