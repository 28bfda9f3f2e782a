"""The outline of a market bounds every route that a search finds, for pools of all kinds."""

from fractions import Fraction
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from orderd.amm.side import Rates
from orderd.amm.transfer_fee import NO_FEE, TaxedSide, TransferFee
from orderd.domain.errors import OrderdError
from orderd.domain.money import BPS
from orderd.domain.pool_kind import VenueName
from orderd.domain.quote import QuoteRequest
from orderd.domain.trigger import Bound
from orderd.domain.well_known import WELL_KNOWN
from orderd.engine.routing.outline import Outline
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.triggers.book import PairBook
from tests.unit.engine.test_routing import StubVenue, router, side
from tests.unit.venues.genesis import Desk, desk_at_genesis

PAIRS = [*permutations([token.mint for token in WELL_KNOWN["simnet"]], 2)]
AMOUNTS = [part << size for size in range(12, 42) for part in (4, 5, 7)]
"""Amounts in base units: for each power of two the smallest one, a slightly larger and a much larger one."""
LAMPORTS_A_UNIT = 10**6
"""In micro-lamports: the cost of a leg matters for small amounts."""
RENT = 2_039_280


@pytest.fixture(scope="module")
def desk() -> Desk:
    return desk_at_genesis(max_price_impact_bps=BPS)


def request_of(pair: tuple[str, str], amount: int) -> QuoteRequest:
    return QuoteRequest(*pair, amount, exit_bps=BPS, has_own_floor=True)


class _Market:
    """What the best route pays for each amount of a pair, if there is a route."""

    def __init__(self, router: Router, fits: Fits, pair: tuple[str, str]) -> None:
        self._router, self._fits, self._pair = router, fits, pair
        self._found = router.pools([*router._pairs(request_of(pair, 1))])
        self._paid: dict[int, int | None] = {}

    def pays(self, amount: int) -> int | None:
        if amount not in self._paid:
            self._paid[amount] = self._ask(amount)
        return self._paid[amount]

    def _ask(self, amount: int) -> int | None:
        try:
            return self._router.route(request_of(self._pair, amount), 0, self._fits, self._found).route.amount_out
        except OrderdError:
            return None

    @property
    def outline(self) -> Outline:
        return self._router.outline(request_of(self._pair, 1), self._found)


@pytest.fixture(params=PAIRS, ids=lambda pair: "-".join(_symbol(mint) for mint in pair))
def market(desk: Desk, request: pytest.FixtureRequest) -> _Market:
    return _Market(desk.router, desk.builder.fits, request.param)


def _symbol(mint: str) -> str:
    return next(token.symbol for token in WELL_KNOWN["simnet"] if token.mint == mint)


@pytest.fixture(params=["free paths", "expensive paths"])
def _costs(request: pytest.FixtureRequest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "expensive paths":
        monkeypatch.setattr(desk.router, "_unit_price", lambda: LAMPORTS_A_UNIT)
        monkeypatch.setattr(desk.router, "_rent_of_way", lambda _: RENT)


@pytest.mark.usefixtures("_costs")
def test_no_amount_has_a_better_average_price_than_the_first_unit(market: _Market) -> None:
    best = market.outline.best_rate
    assert best is not None
    paid = {amount: paid for amount in AMOUNTS if (paid := market.pays(amount)) is not None}
    assert len(paid) > len(AMOUNTS) // 4
    assert all(Fraction(out, amount) <= best for amount, out in paid.items())


@pytest.mark.usefixtures("_costs")
def test_a_book_includes_every_order_that_just_meets_its_bound(market: _Market) -> None:
    _check_book(market)


@pytest.mark.parametrize("price", [0, LAMPORTS_A_UNIT], ids=["free legs", "expensive legs"])
@pytest.mark.parametrize("rent", [0, RENT], ids=["no rent", "rent"])
@pytest.mark.parametrize("depth", [10**15, 10**10], ids=["deep", "shallow"])
def test_a_book_includes_orders_whose_best_path_is_too_expensive_for_small_amounts(
    price: int, rent: int, depth: int
) -> None:
    sol, usdc, token, *_ = (each.mint for each in WELL_KNOWN["simnet"])
    sides = {
        (sol, token): (side(0.099, depth), side(0.0988, depth)),
        (sol, usdc): (side(1.0),),
        (usdc, token): (side(0.1),),
    }
    routes = router(StubVenue(VenueName.RAYDIUM, sides), price=price, rent_of_way=rent)
    market = _Market(routes, lambda _: True, (sol, token))
    if rent:
        ways = {paid * 1_000 // amount for amount in AMOUNTS if (paid := market.pays(amount)) is not None}
        assert {98, 99} <= ways, "small amounts take the direct path, larger ones the other"
    _check_book(market)


@pytest.mark.parametrize(
    ("bps", "maximum"),
    [(500, 10**4), (500, 10**7), (500, 2**63), (BPS, 10**4)],
    ids=["low maximum", "high maximum", "no maximum", "all up to a maximum"],
)
@pytest.mark.parametrize("is_bought", [False, True], ids=["sold", "bought"])
@pytest.mark.parametrize("pools", [1, 2], ids=["one pool", "two pools"])
@pytest.mark.parametrize("is_through", [False, True], ids=["direct", "through another token"])
def test_a_book_includes_orders_whose_transfer_fee_has_a_maximum(
    bps: int, maximum: int, is_bought: bool, pools: int, is_through: bool
) -> None:
    """So a larger amount has a better average price."""
    sol, usdc, token, *_ = (each.mint for each in WELL_KNOWN["simnet"])
    fee = TransferFee(bps, maximum)
    fees = (NO_FEE, fee) if is_bought else (fee, NO_FEE)
    taxed = tuple(TaxedSide(side(price), *fees) for price in (0.1, 0.0999)[:pools])
    pair, taxed_pair, other = (sol, token), (usdc, token), (sol, usdc)
    if not is_bought:
        pair, taxed_pair, other = (token, sol), (token, usdc), (usdc, sol)
    sides: Any = {taxed_pair: taxed, other: (side(2.0),)} if is_through else {pair: taxed}
    market = _Market(router(StubVenue(VenueName.RAYDIUM, sides)), lambda _: True, pair)
    best = market.outline.best_rate
    assert best is not None
    paid = {amount: paid for amount in AMOUNTS if (paid := market.pays(amount)) is not None}
    assert len(paid) > len(AMOUNTS) // 2
    assert all(Fraction(out, amount) <= best for amount, out in paid.items())
    _check_book(market)


def _check_book(market: _Market) -> None:
    """For orders that wait for a better price and for a worse one, with any other orders in the book."""
    outline = market.outline
    met = {
        UUID(int=2 * amount + is_least): (amount, Bound(paid, is_least))
        for amount in AMOUNTS
        if (paid := market.pays(amount)) is not None
        for is_least in (False, True)
    }
    for some in (met, *({order_id: each} for order_id, each in met.items())):
        book = PairBook()
        for order_id, (amount, bound) in some.items():
            book.put(order_id, amount, [bound])
        found = book.may_be_met(
            market.pays, outline.given_up, best_rate=outline.best_rate, is_searched=outline.is_searched
        )
        assert found == some.keys()


def outline(*pools: tuple[object, Rates | None], given_up: int = 0) -> Outline:
    return Outline(pools, None, given_up, 1)


def test_an_outline_changes_only_with_pools_fees_and_path_costs() -> None:
    pool, other = [1], [1]
    rates = Rates(Fraction(100), Fraction(1, 400))
    before = outline((pool, rates))
    assert outline((pool, Rates(*rates))).is_as(before)
    for now in (
        outline((other, rates)),
        outline((pool, rates._replace(fee=Fraction(1, 500)))),
        outline((pool, None)),
        outline((pool, rates), (other, rates)),
        outline(),
        outline((pool, rates), given_up=1),
    ):
        assert not now.is_as(before)
