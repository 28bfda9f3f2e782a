"""A trigger condition is a bound on the output of the whole amount; a met order trades at the requested price or
better."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderKind
from orderd.domain.price import PairPrice, parse_price
from orderd.domain.trigger import Bound, Condition, Trail, limit_out, stop_out
from orderd.domain.well_known import registry_of

SOL, USDC = registry_of("simnet").pair("SOL", "USDC")
SALE, PURCHASE = PairPrice(SOL, USDC), PairPrice(USDC, SOL)
PAIRS = pytest.mark.parametrize("pair", [SALE, PURCHASE], ids=["sale", "purchase"])
AMOUNTS = st.integers(1, 2**64 - 1)
PRICES = st.decimals(min_value="0.000001", max_value="1000000", places=6).map(lambda price: parse_price(f"{price:f}"))
ADVERSE_KINDS = (OrderKind.STOP, OrderKind.STOP_LIMIT)
FAVOURABLE_KINDS = (OrderKind.LIMIT, OrderKind.TAKE_PROFIT)


def is_as_good(pair: PairPrice, amount_in: int, amount_out: int, price: str) -> bool:
    """True if the trade's price is this price or a better one for the trader."""
    paid, asked = pair.price(amount_in, amount_out), Fraction(price)
    return paid >= asked if pair is SALE else paid <= asked


def test_bounds_are_at_least_or_at_most() -> None:
    assert [Bound(10, is_least=True).is_met(paid) for paid in (9, 10, 11)] == [False, True, True]
    assert [Bound(10, is_least=False).is_met(paid) for paid in (9, 10, 11)] == [True, True, False]


@PAIRS
@given(amount_in=AMOUNTS, price=PRICES)
def test_a_limit_is_the_smallest_output_at_its_price(pair: PairPrice, amount_in: int, price: str) -> None:
    least = limit_out(pair, amount_in, price)
    assert least >= 1
    assert is_as_good(pair, amount_in, least, price)
    assert least == 1 or not is_as_good(pair, amount_in, least - 1, price)


@PAIRS
@given(amount_in=AMOUNTS, price=PRICES)
def test_a_stop_is_the_largest_output_no_better_than_its_price(pair: PairPrice, amount_in: int, price: str) -> None:
    most = stop_out(pair, amount_in, price)
    assert pair.amount_out(amount_in, Fraction(price)) - 1 < most <= pair.amount_out(amount_in, Fraction(price))
    assert limit_out(pair, amount_in, price) - max(most, 0) <= 1, "there is a gap between the limit and the stop"


@PAIRS
@pytest.mark.parametrize("kind", FAVOURABLE_KINDS)
def test_a_favourable_kind_waits_for_at_least_an_output(kind: OrderKind, pair: PairPrice) -> None:
    condition = Condition(kind, pair, 3 * 10**9, "105")
    assert not condition.is_adverse
    assert condition.bound() == Bound(limit_out(pair, 3 * 10**9, "105"), is_least=True)


@PAIRS
@pytest.mark.parametrize("kind", ADVERSE_KINDS)
def test_an_adverse_kind_waits_for_at_most_an_output(kind: OrderKind, pair: PairPrice) -> None:
    condition = Condition(kind, pair, 3 * 10**9, "95")
    assert condition.is_adverse
    assert condition.bound() == Bound(stop_out(pair, 3 * 10**9, "95"), is_least=False)


@pytest.mark.parametrize(
    ("text", "kept", "distance", "is_percent"),
    [
        ("3%", "3%", Fraction(3, 100), True),
        ("0.50 %", "0.5%", Fraction(1, 200), True),
        ("99.99%", "99.99%", Fraction(9_999, 10_000), True),
        ("2.50", "2.5", Fraction(5, 2), False),
    ],
)
def test_a_trail_is_a_percentage_or_a_price(text: str, kept: str, distance: Fraction, is_percent: bool) -> None:
    assert Trail.parse(text) == Trail(distance, is_percent, kept)
    assert Trail.parse(kept).text == kept


@pytest.mark.parametrize("text", ["", "%", "0%", "0", "-1%", "3%%", "100%", "250%", "three"])
def test_an_invalid_trail_is_refused(text: str) -> None:
    with pytest.raises(OrderdError) as refused:
        Trail.parse(text)
    assert refused.value.code is ErrorCode.PRICE_INVALID


def trailing(pair: PairPrice, amount_in: int, trail: str) -> Condition:
    return Condition(OrderKind.TRAILING, pair, amount_in, None, Trail.parse(trail))


@pytest.mark.parametrize(
    ("pair", "amount_in", "best", "trail", "most"),
    [
        (SALE, 10**9, 100_000_000, "3%", 97_000_000),
        (SALE, 10**9, 100_000_000, "2.5", 97_500_000),
        (SALE, 10**9, 100_000_000, "250", 0),  # longer than the price
        # Bought at 100: 3 % higher is 103, 2.5 higher is 102.5.
        (PURCHASE, 100_000_000, 10**9, "3%", 10**9 * 100 // 103),
        (PURCHASE, 100_000_000, 10**9, "2.5", 10**9 * 1_000 // 1_025),
    ],
)
def test_a_trailing_stop_is_at_its_distance_from_the_best_price(
    pair: PairPrice, amount_in: int, best: int, trail: str, most: int
) -> None:
    assert trailing(pair, amount_in, trail).bound(best) == Bound(most, is_least=False)


@PAIRS
@given(amount_in=AMOUNTS, best=AMOUNTS, percent=st.integers(1, 9_999))
def test_a_percentage_trail_is_relative_to_the_best_price(
    pair: PairPrice, amount_in: int, best: int, percent: int
) -> None:
    """For any amount: a purchase is stopped by a risen price, a sale by a fallen one."""
    part, price = Fraction(percent, 10_000), pair.price(amount_in, best)
    behind = price - price * part if pair is SALE else price + price * part
    trail = f"{percent / 100:.2f}%"
    assert trailing(pair, amount_in, trail).bound(best).amount_out == int(pair.amount_out(amount_in, behind))


@PAIRS
def test_a_trailing_stop_without_a_best_price_is_never_met(pair: PairPrice) -> None:
    assert not trailing(pair, 10**9, "3%").bound().is_met(1)


@PAIRS
@given(
    amount_in=AMOUNTS,
    bests=st.tuples(AMOUNTS, AMOUNTS),
    trail=st.one_of(PRICES, st.decimals(min_value="0.01", max_value="99.99", places=2).map(lambda each: f"{each:f}%")),
)
def test_a_trailing_stop_stays_below_the_best_price_and_rises_with_it(
    pair: PairPrice, amount_in: int, bests: tuple[int, int], trail: str
) -> None:
    assume(trail not in ("0.00%",))
    condition = trailing(pair, amount_in, trail)
    assert condition.is_adverse
    lower, higher = (condition.bound(best).amount_out for best in sorted(bests))
    assert lower <= higher < max(bests)
    assert lower < min(bests), "the best price itself met the stop"


def test_a_condition_is_described_as_price_and_amount() -> None:
    limit, stop = (Condition(kind, SALE, 1_500_000_000, "105") for kind in (OrderKind.LIMIT, OrderKind.STOP))
    assert limit.describe() == "105 USDC per SOL = at least 157.5 USDC"
    assert stop.describe() == "105 USDC per SOL = at most 157.5 USDC"
    assert Condition(OrderKind.LIMIT, PURCHASE, 210_000_000, "105").describe() == "105 USDC per SOL = at least 2 SOL"
    assert trailing(SALE, 10**9, "3%").describe() == "3% behind the best price"
    assert trailing(PURCHASE, 10**9, "2.5").describe() == "2.5 USDC per SOL behind the best price"


@pytest.mark.parametrize(
    ("kind", "pair", "is_above"),
    [
        (OrderKind.LIMIT, SALE, True),
        (OrderKind.STOP, SALE, False),
        (OrderKind.LIMIT, PURCHASE, False),
        (OrderKind.STOP, PURCHASE, True),
    ],
)
def test_a_price_is_met_from_the_side_of_its_kind(kind: OrderKind, pair: PairPrice, is_above: bool) -> None:
    assert Condition(kind, pair, 10**9, "100").is_above is is_above


@PAIRS
@given(market=st.fractions(min_value=1, max_value=1000), price=st.integers(1, 1000))
def test_the_distance_is_zero_if_met_and_otherwise_the_needed_price_change(
    pair: PairPrice, market: Fraction, price: int
) -> None:
    for kind in (OrderKind.LIMIT, OrderKind.STOP):
        condition = Condition(kind, pair, 10**9, str(price))
        away = condition.away(market)
        assert condition.fires_at() == price
        assert away is not None
        if condition.is_above:
            assert market * (1 + away) == max(market, Fraction(price))
        else:
            assert market * (1 - away) == min(market, Fraction(price))


def test_the_trigger_price_of_a_trailing_stop_needs_a_best_price() -> None:
    condition = trailing(SALE, 10**9, "3%")
    assert (condition.fires_at(), condition.away(Fraction(100))) == (None, None)
    assert condition.fires_at(100_000_000) == 97
    assert condition.away(Fraction(100), 100_000_000) == Fraction(3, 100)
