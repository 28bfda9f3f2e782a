"""Observes the market of an order on liquidity: the liquidity of its pools, and the properties of the token.

The pools are observed by the same quotes that orders use. The mint is read again each time, once for all orders of a
pass: its authority may give up a power over it at any time.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import structlog
from solders.pubkey import Pubkey

from orderd.amm.curve import NEVER
from orderd.amm.swap import U64_MAX
from orderd.domain.errors import OrderdError
from orderd.domain.liquidity import Guard, ObservedMarket, guards, objection, of_mint
from orderd.domain.money import BPS
from orderd.domain.order import OrderKind
from orderd.domain.quote import QuoteRequest, Route, RoutingDecision
from orderd.domain.terms import OrderTerms
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.solana.json_rpc import RpcRefusedError, RpcResponseError, translated_rpc_errors
from orderd.solana.mints import facts_of
from orderd.solana.programs.token import Mint
from orderd.solana.rpc import ChainAccount, RpcClient
from orderd.venues.account_facts import token_amount
from orderd.venues.single_flight import SingleFlight

_MINT_SECONDS: Final = 0.2
_HOLDERS_SECONDS: Final = 1.0
"""The time-out is long because nodes have to search for the largest holders."""
log = structlog.get_logger(__name__)


class NewMarkets:
    """Thread-safe."""

    def __init__(self, router: Router, rpc: RpcClient, fits: Fits) -> None:
        self._router = router
        self._rpc = rpc
        self._fits = fits
        self._mints: SingleFlight[str, ChainAccount | None] = SingleFlight(self._read_mint, _MINT_SECONDS)
        self._largest: SingleFlight[str, dict[Pubkey, int] | None] = SingleFlight(self._read_largest, _HOLDERS_SECONDS)

    def preferred(self, terms: OrderTerms) -> Fits | None:
        """Selects the routes whose pools an order on liquidity accepts, so that one unacceptable pool does not block
        the others."""
        if terms.kind is not OrderKind.ON_LIQUIDITY:
            return None

        def accepts(route: Route) -> bool:
            assert terms.min_liquidity is not None
            assert terms.max_pool_fee_bps is not None
            return _pool_fee(route) * BPS <= terms.max_pool_fee_bps and self._liquidity(route) >= terms.min_liquidity

        return accepts

    def check(self, terms: OrderTerms, decision: RoutingDecision | None) -> None:
        """Raises OrderdError if a guard of an order on liquidity is not met: POOL_*, ROUTE_*; and RPC_*.

        Without a decision, only the token is checked.
        """
        if terms.kind is OrderKind.ON_LIQUIDITY and (error := objection(self.guards(terms, decision))) is not None:
            raise error

    def guards(self, terms: OrderTerms, decision: RoutingDecision | None) -> Iterator[Guard]:
        """The guards of the order, with what was found. Raises OrderdError RPC_*."""
        if decision is None:
            return iter((of_mint(terms, facts_of(_key(terms), self._mint(terms))),))
        return guards(terms, self._observe(terms, decision.route))

    def _observe(self, terms: OrderTerms, route: Route) -> ObservedMarket:
        account = self._mint(terms)
        back, no_way_back = self._back(terms, route)
        return ObservedMarket(
            liquidity=self._liquidity(route),
            pool_fee=_pool_fee(route),
            back=back,
            no_way_back=no_way_back,
            facts=facts_of(_key(terms), account),
            holder=None if terms.max_holder_bps is None or account is None else self._holder(terms, account, route),
        )

    def _liquidity(self, route: Route) -> int:
        """The maximum that all pools of the last hop together can pay to sellers, in base units of the route's
        input."""
        last = route.hops[-1]
        pair = last.mint_out, last.legs[0].mint_in
        sold_to = {pool.address: pool for pool in self._router.pools([pair])[pair].pools}
        there = [sold_to[leg.pool].curve(U64_MAX).at(NEVER)[1] for leg in last.legs if leg.pool in sold_to]
        if last is route.hops[0]:
            return sum(there)
        return sum(there) * route.amount_in // max(route.hops[0].amount_out, 1)

    def _back(self, terms: OrderTerms, route: Route) -> tuple[int | None, str]:
        """The output of selling the bought amount again, or the reason why no pool buys it."""
        sale = QuoteRequest(
            terms.token_out.mint, terms.token_in.mint, route.amount_out, exit_bps=BPS, has_own_floor=True
        )
        try:
            return self._router.route(sale, 0, self._fits).route.amount_out, ""
        except OrderdError as error:
            return None, f"it cannot be sold again: {error.detail}"

    def _holder(self, terms: OrderTerms, mint: ChainAccount, route: Route) -> Fraction | None:
        """The fraction of the supply in the largest account that does not belong to a pool; None if the node does not
        report it."""
        supply = Mint.decode(mint.data).supply
        pairs = [(leg.mint_in, leg.mint_out) for leg in route.hops[-1].legs]
        pools = {vault for each in self._router.pools(pairs).values() for pool in each.pools for vault in pool.vaults}
        with translated_rpc_errors():
            largest = self._largest.get(terms.token_out.mint)
        if largest is None:
            return None
        return Fraction(max((held for key, held in largest.items() if key not in pools), default=0), max(supply, 1))

    def _mint(self, terms: OrderTerms) -> ChainAccount | None:
        with translated_rpc_errors():
            return self._mints.get(terms.token_out.mint)

    def _read_mint(self, mint: str) -> ChainAccount | None:
        (account,) = self._rpc.get_multiple_accounts([Pubkey.from_string(mint)]).value
        return account

    def _read_largest(self, mint: str) -> dict[Pubkey, int] | None:
        """The balances of the largest accounts, in base units; None if the node does not report them."""
        try:
            keys = self._rpc.get_token_largest_accounts(Pubkey.from_string(mint))
        except (RpcResponseError, RpcRefusedError) as error:
            log.info("largest holders unknown", action="holders_unknown", error=str(error))
            return None
        accounts = self._rpc.get_multiple_accounts(keys).value
        return {key: token_amount(account) for key, account in zip(keys, accounts, strict=True)}


def _pool_fee(route: Route) -> Fraction:
    return max(Fraction(leg.fee_in_input, leg.amount_in) for leg in route.legs)


def _key(terms: OrderTerms) -> Pubkey:
    return Pubkey.from_string(terms.token_out.mint)
