"""What is known about a new market if the node does not answer every query."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest, Route, RoutingDecision
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.tokens import Token, TokenRegistry
from orderd.domain.well_known import EVERYWHERE
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.routing.router import Router
from orderd.solana.programs import token
from tests.integration.engine.test_execution import QUOTE
from tests.unit.venues.chain import Chain

MINT = Pubkey.from_bytes(bytes([7] * 32))
DECISION = RoutingDecision(Route.single(QUOTE), (QUOTE,), ())


@dataclass
class Pools:
    """Stands in for the router: one pool that sells, and one that buys back if ``back`` is given."""

    back: int | None = None
    asked: list[QuoteRequest] = field(default_factory=list)

    def pools(self, pairs: Any) -> Any:
        return {pair: SimpleNamespace(pools=()) for pair in pairs}

    def route(self, request: QuoteRequest, *_: Any) -> RoutingDecision:
        self.asked.append(request)
        if self.back is None:
            raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, "no pool buys it")
        return SimpleNamespace(route=SimpleNamespace(amount_out=self.back))  # type: ignore[return-value]


def terms(**others: Any) -> OrderTerms:
    given = GivenTerms(
        token_in="USDC", token_out=str(MINT), amount_in="100", limit_price="1", min_liquidity="1", **others
    )
    return understood(given, TokenRegistry((*EVERYWHERE, Token("NEW", str(MINT), 6))), "0.5")


def found(chain: Chain, pools: Pools, **others: Any) -> dict[str, str]:
    markets = NewMarkets(cast("Router", pools), chain.rpc(), lambda _: True)
    return {guard.name: guard.found for guard in markets.guards(terms(**others), DECISION)}


def test_an_unsupported_query_of_holders_does_not_mean_that_there_are_none() -> None:
    chain = Chain()
    chain.put(MINT, token.PROGRAM_ID, token.Mint.new(6, supply=100))
    chain.unknown_methods.add("getTokenLargestAccounts")
    seen = found(chain, Pools(back=100), max_holder="50")
    assert seen["largest holder"] == "the node does not tell"
    assert "getTokenLargestAccounts" not in found(chain, Pools(back=100)), (
        "holders must only be queried if the order limits them"
    )


def test_a_token_that_cannot_be_sold_again_is_reported() -> None:
    chain, pools = Chain(), Pools()
    chain.put(MINT, token.PROGRAM_ID, token.Mint.new(6, supply=100))
    seen = found(chain, pools)
    assert seen["round trip"] == "it cannot be sold again: no pool buys it"
    (sale,) = pools.asked
    assert (sale.mint_in, sale.amount) == (str(MINT), QUOTE.amount_out), "the round trip must sell the whole purchase"


def test_simultaneous_orders_read_the_mint_once() -> None:
    chain = Chain()
    chain.put(MINT, token.PROGRAM_ID, token.Mint.new(6, supply=100))
    markets = NewMarkets(cast("Router", Pools(back=100)), chain.rpc(), lambda _: True)
    for _ in range(3):
        assert [*markets.guards(terms(), DECISION)]
    assert chain.methods == ["getMultipleAccounts"]
