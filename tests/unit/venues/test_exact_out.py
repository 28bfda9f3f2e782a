"""Exact purchases on a new simnet pay the exact amount at the quoted cost, and enforce the maximum.

They use one pool, a split over several pools, or a route through another token.
"""

from typing import Any, cast

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import max_amount_in
from orderd.domain.quote import QuoteRequest, Route, RoutingDecision
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.tokens import Token
from orderd.domain.well_known import WELL_KNOWN, registry_of
from orderd.engine.chain_errors import explain
from orderd.engine.market import Market
from orderd.engine.token_desk import TokenDesk
from orderd.simnet.runtime import Outcome
from orderd.solana.programs import token
from orderd.solana.programs.token import TokenAccount
from orderd.venues.base import trade_instructions
from tests.unit.simnet.conftest import LocalChain
from tests.unit.venues.genesis import SLIPPAGE_BPS, Desk, desk_at_genesis

SOL, USDC, CHILLGUY = WELL_KNOWN["simnet"][:3]
FEE = 5_000
"""Lamports for a transaction with one signature and no priority fee."""
SIZES = {SOL: (10**5, 10**6, 1_500_000_001, 10**12, 5 * 10**12), USDC: (100, 10**4, 123_456_789, 10**11, 8 * 10**11)}


@pytest.fixture(scope="module")
def desk() -> Desk:
    return desk_at_genesis(max_price_impact_bps=500)


def buy(desk: Desk, bought: Token, amount: int, sold: Token, slippage_bps: int = SLIPPAGE_BPS) -> RoutingDecision:
    request = QuoteRequest(sold.mint, bought.mint, amount, exact_out=True)
    return desk.router.route(request, slippage_bps, desk.builder.fits)


class Wallet:
    """The trader's balance changes on a chain without other traders."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._chain = LocalChain()

    def executes(self, route: Route, limit: int) -> tuple[Outcome, dict[str, int]]:
        """The outcome, and the change of each token in base units."""
        owner, before = self._chain.trader.pubkey(), self._holds()
        trade = trade_instructions(self._desk.router.venue_of, route, owner, limit)
        outcome = self._chain.send(*trade)
        after = self._holds()
        after[SOL.mint] += FEE
        return outcome, {mint: after[mint] - before[mint] for mint in after if after[mint] != before[mint]}

    def _holds(self) -> dict[str, int]:
        """SOL includes wrapped SOL and the rent of accounts, so that creating or closing an account is neutral."""
        chain, owner = self._chain, self._chain.trader.pubkey()
        held = {}
        lamports = chain.account(owner).lamports
        for each in (USDC, CHILLGUY):
            account = chain.bank.accounts.get(chain.held(Pubkey.from_string(each.mint)))
            held[each.mint] = 0 if account is None else TokenAccount.decode(account.data).amount
            lamports += 0 if account is None else account.lamports
        wrapped = chain.bank.accounts.get(chain.held(token.NATIVE_MINT))
        lamports += 0 if wrapped is None else wrapped.lamports
        return {SOL.mint: lamports, **held}


@pytest.mark.parametrize(
    ("bought", "sold", "amount"),
    [(one, other, amount) for one, other in ((SOL, USDC), (USDC, SOL)) for amount in SIZES[one]],
    ids=lambda each: each.symbol if isinstance(each, Token) else str(each),
)
def test_a_purchase_is_exact_at_the_quoted_cost(desk: Desk, bought: Token, sold: Token, amount: int) -> None:
    decision = buy(desk, bought, amount, sold)
    route = decision.route
    assert route.amount_out == amount
    assert all(route.amount_in <= quote.amount_in for quote in decision.quotes)
    assert all(quote.amount_out == amount for quote in decision.quotes)

    landed, gained = Wallet(desk).executes(route, route.amount_in)

    assert landed.error is None, landed.logs
    assert gained == {bought.mint: amount, sold.mint: -route.amount_in}


@pytest.mark.parametrize("amount", [1_500_000_001, 5 * 10**12])
def test_a_trade_above_its_maximum_fails_as_a_whole(desk: Desk, amount: int) -> None:
    route = buy(desk, SOL, amount, USDC).route
    refused, gained = Wallet(desk).executes(route, route.amount_in - len(route.legs))
    assert refused.error is not None
    assert explain(refused.error.to_json(), refused.logs).code is ErrorCode.TX_SLIPPAGE_EXCEEDED
    assert gained == {}


def test_unused_sol_of_the_maximum_is_returned(desk: Desk) -> None:
    route = buy(desk, USDC, 123_456_789, SOL).route
    landed, gained = Wallet(desk).executes(route, max_amount_in(route.amount_in, 10_000))
    assert landed.error is None, landed.logs
    assert gained == {USDC.mint: 123_456_789, SOL.mint: -route.amount_in}


def test_the_maximums_of_the_legs_add_up_to_the_orders_maximum(desk: Desk) -> None:
    route = buy(desk, SOL, 5 * 10**12, USDC).route
    assert len(route.legs) > 1
    for most in range(route.amount_in, route.amount_in + 20):
        ((*ceilings,),) = route.ceilings(most)
        assert most - len(ceilings) < sum(ceilings) <= most
        assert all(leg.amount_in <= ceiling for leg, ceiling in zip(route.legs, ceilings, strict=True))


def test_a_split_costs_less_than_the_cheapest_pool(desk: Desk) -> None:
    decision = buy(desk, SOL, 5 * 10**12, USDC)
    single = min(quote.amount_in for quote in decision.quotes)
    assert decision.route.amount_in < single
    assert decision.gain_bps is not None
    assert decision.gain_bps > 10


@pytest.mark.parametrize("slippage_bps", [0, 50, 300])
def test_a_purchase_through_another_token_is_exact_and_may_leave_half_of_the_slippage(
    desk: Desk, slippage_bps: int
) -> None:
    decision = buy(desk, CHILLGUY, 1_234_567, USDC, slippage_bps)
    route, (first, second) = decision.route, decision.route.hops
    assert decision.through == SOL
    assert first.amount_out == max_amount_in(second.amount_in, slippage_bps // 2)

    landed, gained = Wallet(desk).executes(route, route.amount_in)

    assert landed.error is None, landed.logs
    left = first.amount_out - second.amount_in
    assert gained == {CHILLGUY.mint: 1_234_567, USDC.mint: -route.amount_in} | ({SOL.mint: left} if left else {})

    refused, gained = Wallet(desk).executes(route, route.amount_in - 1)
    assert refused.error is not None
    assert gained == {}


def test_an_exact_purchase_and_the_inverse_sale_have_the_same_route(desk: Desk) -> None:
    """Both use the same search, from opposite ends."""
    for amount in (10**9, 10**12, 5 * 10**12):
        bought = buy(desk, SOL, amount, USDC).route
        sold = desk.route(USDC.mint, SOL.mint, bought.amount_in).route
        assert abs(sold.amount_out - amount) <= amount // 10**6


@pytest.mark.parametrize("amount", [4 * 10**13, 1 << 63])
def test_a_purchase_of_too_much_is_refused_with_the_possible_amount(desk: Desk, amount: int) -> None:
    with pytest.raises(OrderdError, match=r"; \d+ base units can be bought") as refused:
        buy(desk, SOL, amount, USDC)
    assert refused.value.code is ErrorCode.ROUTE_PRICE_IMPACT
    most = int(refused.value.detail.rpartition("; ")[2].partition(" ")[0])
    assert buy(desk, SOL, most - most // 1_000, USDC).route.amount_out < amount


def terms(token_in: str, token_out: str, exact_out: str, **others: str) -> OrderTerms:
    given = GivenTerms.model_validate({"token_in": token_in, "token_out": token_out, "exact_out": exact_out, **others})
    return understood(given, registry_of("simnet"), "0.5")


def test_the_value_of_a_purchase_is_its_maximum_cost(desk: Desk) -> None:
    market = Market(desk.router, desk.builder, cast("Any", None), TokenDesk(registry_of("simnet"), cast("Any", None)))
    with_usdc, with_sol = terms("USDC", "SOL", "1.5"), terms("SOL", "USDC", "150")
    costs = buy(desk, SOL, 1_500_000_000, USDC).route.amount_in
    sold = max_amount_in(buy(desk, USDC, 150_000_000, SOL).route.amount_in, SLIPPAGE_BPS)
    bounded = market.bounded(with_usdc)
    assert (bounded.max_in, market.notional(bounded)) == 2 * (max_amount_in(costs, SLIPPAGE_BPS),)
    assert market.bounded(terms("USDC", "SOL", "1.5", max_in="100")).max_in == 100_000_000
    assert market.bounded(terms("USDC", "SOL", "1.5", max_in="100000")) == bounded, "no more than what is counted"
    assert market.notional(market.bounded(with_sol)) == desk.route(SOL.mint, USDC.mint, sold).route.amount_out


def test_exit_prices_of_a_purchase_are_checked_against_its_quote(desk: Desk) -> None:
    market = Market(desk.router, desk.builder, cast("Any", None), TokenDesk(registry_of("simnet"), cast("Any", None)))
    market.check_prices(terms("USDC", "SOL", "1.5", then_stop="95", then_take_profit="120"))
    for wrong in ("0.01", "9500"):
        with pytest.raises(OrderdError) as refused:
            market.check_prices(terms("USDC", "SOL", "1.5", then_stop=wrong))
        assert refused.value.code is ErrorCode.PRICE_OFF_MARKET


def test_an_exact_purchase_fits_into_a_transaction_if_the_sale_does(desk: Desk) -> None:
    route = buy(desk, SOL, 5 * 10**12, USDC).route
    assert desk.builder.fits(route)
    assert route.exact_out
