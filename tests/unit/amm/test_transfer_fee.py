"""Transfer fees of tokens, and pools of such tokens."""

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orderd.amm.curve import Curve, Segment
from orderd.amm.side import Quote, Rates
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.amm.transfer_fee import NO_FEE, FeeSchedule, TaxedSide, TransferFee
from orderd.pools.raydium_cpmm.maths.pool import CpmmPool
from orderd.pools.raydium_cpmm.maths.side import CpmmSide

FEES = st.builds(TransferFee, st.integers(0, 10_000), st.integers(0, U64_MAX))
AMOUNTS = st.integers(1, 2**53)


POOL = CpmmPool(
    trade_fee_rate=2_500,
    protocol_fee_rate=120_000,
    fund_fee_rate=40_000,
    creator_fee_rate=0,
    vault_0=10**12,
    vault_1=5 * 10**12,
    protocol_fees_0=0,
    protocol_fees_1=0,
    fund_fees_0=0,
    fund_fees_1=0,
    creator_fees_0=0,
    creator_fees_1=0,
    creator_fee_on=0,
    enable_creator_fee=False,
)


def pool_side() -> CpmmSide:
    return CpmmSide(POOL, zero_for_one=True)


@pytest.mark.parametrize(
    ("fee", "amount", "withheld_fee"),
    [
        (TransferFee(100, U64_MAX), 1_000, 10),
        (TransferFee(100, U64_MAX), 1_001, 11),
        (TransferFee(100, U64_MAX), 1, 1),
        (TransferFee(100, 5), 1_000, 5),
        (TransferFee(10_000, U64_MAX), 7, 7),
        (TransferFee(0, 5), 1_000, 0),
        (TransferFee(100, 5), 0, 0),
    ],
)
def test_a_fee_is_a_rate_rounded_up_with_a_maximum(fee: TransferFee, amount: int, withheld_fee: int) -> None:
    assert fee.of(amount) == withheld_fee


@given(FEES, AMOUNTS)
@example(TransferFee(10_000, 5), 7)
def test_the_gross_amount_is_the_smallest_that_delivers_the_net_amount(fee: TransferFee, arrived: int) -> None:
    if fee.bps == 10_000 and fee.maximum > U64_MAX // 2:
        return  # a fee of 100 % delivers nothing
    sent = fee.before(arrived)
    assert sent - fee.of(sent) == arrived
    assert sent - 1 - fee.of(sent - 1) < arrived


def test_a_zero_amount_has_no_fee() -> None:
    assert TransferFee(100, 5).before(0) == 0


def test_a_newer_fee_applies_from_its_epoch() -> None:
    older, newer = TransferFee(100, 10), TransferFee(200, 20)
    schedule = FeeSchedule(older, newer, since=7)
    assert [schedule.at(epoch) for epoch in (6, 7, 8)] == [older, newer, newer]


@given(FEES, FEES, AMOUNTS)
def test_a_swap_uses_net_amounts_on_both_sides(fee_in: TransferFee, fee_out: TransferFee, amount: int) -> None:
    side = TaxedSide(pool_side(), fee_in, fee_out)
    try:
        quote = side.quote(amount)
    except SwapError:  # nothing remains after the fee
        return
    inner = side.side.quote(amount - fee_in.of(amount))
    assert (quote.amount_in, quote.transfer_fee_in) == (amount, fee_in.of(amount))
    assert quote.amount_out == inner.amount_out - fee_out.of(inner.amount_out) > 0
    assert quote.transfer_fee_out == fee_out.of(inner.amount_out)
    assert (quote.fee, quote.price_impact) == (inner.fee, inner.price_impact), "the pool's own fee and impact changed"


@given(st.integers(0, 9_000), st.integers(0, 9_000), st.integers(0, 10**9), st.integers(1, 10**11))
def test_an_exact_output_is_a_net_amount(bps_in: int, bps_out: int, maximum: int, wanted: int) -> None:
    fee_in, fee_out = TransferFee(bps_in, maximum), TransferFee(bps_out, maximum)
    quote = TaxedSide(pool_side(), fee_in, fee_out).quote_out(wanted)
    assert quote.amount_out == wanted
    sent = quote.amount_out + quote.transfer_fee_out
    assert sent - fee_out.of(sent) == wanted
    assert quote.amount_in - fee_in.of(quote.amount_in) == pool_side().quote_out(sent).amount_in


def test_a_program_may_refuse_an_exact_output_of_a_token_with_a_fee() -> None:
    side = TaxedSide(pool_side(), TransferFee(100, 9), TransferFee(100, 9), buys_exactly=False)
    with pytest.raises(SwapError):
        side.quote_out(1_000)
    TaxedSide(pool_side(), TransferFee(100, 9), TransferFee(0, 9), buys_exactly=False).quote_out(1_000)


def test_an_output_consumed_by_the_fee_is_refused() -> None:
    with pytest.raises(SwapError) as refused:
        TaxedSide(pool_side(), NO_FEE, TransferFee(10_000, U64_MAX)).quote(1_000)
    assert refused.value.kind is SwapErrorKind.ZERO_OUTPUT


def test_the_rates_include_all_fees() -> None:
    spot, fee, *_ = pool_side().rates()
    taxed = TaxedSide(pool_side(), TransferFee(100, 9), TransferFee(200, 9)).rates()
    assert taxed[:2] == (spot, 1 - (1 - fee) * Fraction(99, 100) * Fraction(98, 100))


def test_a_fee_of_everything_up_to_a_maximum_leaves_a_curve() -> None:
    """Without a curve, such a token could be bought for an exact amount, but not be sold."""
    flat, whole = TransferFee(10_000, 5), TransferFee(10_000, U64_MAX)
    assert [*TaxedSide(pool_side(), flat, flat).segments()] == [*TaxedSide(pool_side(), NO_FEE, NO_FEE).segments()]
    with pytest.raises(SwapError):
        next(TaxedSide(pool_side(), whole, NO_FEE).segments())


def test_the_rates_say_which_part_of_the_fees_has_a_maximum() -> None:
    spot, fee, *_ = pool_side().rates()
    taxed = TaxedSide(pool_side(), TransferFee(100, 1_000), TransferFee(200, 500)).rates()
    assert taxed.fee - taxed.bounded_fee == fee
    assert 0 <= taxed.maximum - 500 - spot * 1_000 < 1
    assert TaxedSide(pool_side(), TransferFee(100, U64_MAX), NO_FEE).rates()[2:] == (Fraction(0), 0)


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.integers(10**6, 10**12))
def test_the_curve_matches_the_exact_swap(bps_in: int, bps_out: int, amount: int) -> None:
    side = TaxedSide(pool_side(), TransferFee(bps_in, U64_MAX), TransferFee(bps_out, U64_MAX))
    curve = Curve(side.segments(), U64_MAX)
    taken, paid = curve.at(curve.end(amount))
    assert abs(taken - amount) <= amount * 10**-9 + 2
    assert abs(paid - side.quote(amount).amount_out) <= paid * 10**-6 + 3


class Stepping:
    def rates(self) -> Rates:
        raise NotImplementedError

    def quote(self, amount_in: int) -> Quote:
        raise NotImplementedError

    def quote_out(self, amount_out: int) -> Quote:
        raise NotImplementedError

    def segments(self) -> Iterator[Segment]:
        yield Segment(1 << 96, 2 << 96, 98, 3)


def test_a_segment_keeps_its_steps() -> None:
    (segment,) = TaxedSide(Stepping(), TransferFee(200, 1), NO_FEE).segments()
    assert (segment.steps, segment.amount_in) == (3, 100)
    assert segment.start > 1 << 96, "the transfer fee must worsen the price"
