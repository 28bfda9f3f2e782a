from decimal import Decimal

from orderctl.tui.prices import POINTS_KEPT, Prices, sparkline
from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import VenueName
from orderd.domain.quoted import Refused
from tests.samples.orders import METEORA, QUOTE, RAYDIUM

PAIR = ("SOL", "USDC")


def test_a_line_rises_from_the_lowest_price_to_the_highest() -> None:
    assert sparkline([Decimal(value) for value in range(8)], Decimal(0), Decimal(7)) == ["▁▂▃▄▅▆▇█"]


def test_a_tall_line_has_eight_steps_for_each_of_its_rows() -> None:
    assert sparkline([Decimal(value) for value in range(16)], Decimal(0), Decimal(15), 2) == [
        "        ▁▂▃▄▅▆▇█",
        "▁▂▃▄▅▆▇█████████",
    ]


def test_a_price_that_never_moves_is_a_line_in_the_middle_and_a_missing_one_a_blank() -> None:
    assert sparkline([Decimal(1), None, Decimal(1)], Decimal(1), Decimal(1)) == ["▄ ▄"]


def test_all_venues_share_one_scale() -> None:
    prices = Prices()
    for raydium, meteora in (("100", "104"), ("101", "107")):
        offers = (
            RAYDIUM.model_copy(update={"price": raydium}),
            METEORA.model_copy(update={"price": meteora}),
        )
        prices.add(PAIR, QUOTE.model_copy(update={"quotes": offers}))

    assert prices.of(PAIR).chart(VenueName.RAYDIUM, 10) == ["▁▂"]
    assert prices.of(PAIR).chart(VenueName.METEORA, 10) == ["▅█"]
    assert prices.of(PAIR).chart(VenueName.METEORA, 1) == ["█"]
    assert prices.of(PAIR).scale(10) == (Decimal(100), Decimal(107))
    assert prices.of(PAIR).change(VenueName.RAYDIUM, 10) == Decimal("1.00")
    assert prices.of(PAIR).change(VenueName.RAYDIUM, 1) is None


def test_each_pair_keeps_its_own_last_prices() -> None:
    prices = Prices()
    for _ in range(POINTS_KEPT + 5):
        prices.add(PAIR, QUOTE)

    assert len(prices.of(PAIR).points) == POINTS_KEPT
    assert prices.of(("USDC", "SOL")).latest(VenueName.RAYDIUM) is None


def test_a_venue_without_a_price_shows_the_reason() -> None:
    prices = Prices()
    refused = Refused(venue=VenueName.METEORA, code=ErrorCode.RPC_UNAVAILABLE, detail="no answer in 1.5 s")
    prices.add(PAIR, QUOTE.model_copy(update={"quotes": (RAYDIUM,), "refusals": (refused,)}))

    series = prices.of(PAIR)
    assert series.latest(VenueName.RAYDIUM) == Decimal("101.540141")
    assert series.latest(VenueName.METEORA) is None
    assert series.refusals == {VenueName.METEORA: ErrorCode.RPC_UNAVAILABLE}


def test_a_venue_has_the_price_of_its_best_pool() -> None:
    prices = Prices()
    worse = RAYDIUM.model_copy(update={"price": "99", "pool": "another"})
    prices.add(PAIR, QUOTE.model_copy(update={"quotes": (worse, RAYDIUM, worse)}))

    assert prices.of(PAIR).latest(VenueName.RAYDIUM) == Decimal("101.540141")


def test_a_pair_without_a_pool_has_the_price_of_its_route() -> None:
    prices = Prices()
    prices.add(PAIR, QUOTE.model_copy(update={"quotes": ()}))

    assert prices.of(PAIR).latest(QUOTE.chosen.venue) == Decimal(QUOTE.chosen.price)


def test_a_cheap_token_is_quoted_with_a_larger_amount() -> None:
    prices = Prices()
    rough = QUOTE.model_copy(update={"chosen": RAYDIUM.model_copy(update={"amount_out": "0.00002"})})
    prices.add(PAIR, rough)

    assert not prices.of(PAIR).points
    assert prices.of(PAIR).probe == 1

    prices.add(PAIR, QUOTE)
    prices.add(PAIR, rough)
    assert len(prices.of(PAIR).points) == 2
    assert prices.of(PAIR).probe == 1, "a round price must not change the probe"
