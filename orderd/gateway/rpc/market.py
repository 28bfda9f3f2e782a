"""Methods that show the market: quotes, pools, the wallet's balances, and tokens with their names."""

from functools import partial
from typing import Protocol

from orderd.domain.terms import OrderTerms
from orderd.engine.next_execution import NextExecution
from orderd.engine.token_desk import TokenDesk
from orderd.gateway.access.authentication import Scope
from orderd.gateway.rpc.dispatch import Routes, RpcMethod
from orderd.gateway.rpc.terms import TermsReader
from orderd.gateway.streaming.session import Requester
from orderd.gateway.threads import Threads
from orderd.wire.balances import BalancesResult
from orderd.wire.message import NoParams
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.quotes import PreviewResult, QuoteParams, QuoteResult, SimulatedFill
from orderd.wire.rpc import Method
from orderd.wire.tokens import (
    TokensFound,
    TokensNameParams,
    TokensNameResult,
    TokensResult,
    TokensSearchParams,
    TokensUnnameParams,
    TokensUnnameResult,
)


class MarketData(Protocol):
    """Queries of venues and chain. All raise OrderdError and may take as long as the venues' time-out."""

    def quote(self, terms: OrderTerms) -> QuoteResult: ...

    def preview(self, terms: OrderTerms) -> PreviewResult: ...

    def simulate_fill(self, following: NextExecution) -> SimulatedFill: ...

    def bounded(self, terms: OrderTerms) -> OrderTerms: ...

    def notional(self, terms: OrderTerms) -> int: ...

    def check_prices(self, terms: OrderTerms) -> None: ...

    def balances(self) -> BalancesResult: ...

    def pools(self, params: PoolsParams) -> PoolsResult: ...


class MarketMethods:
    """``outside`` threads query venues and chain, and so do ``mints`` threads within the time of an answer."""

    def __init__(
        self, market: MarketData, desk: TokenDesk, terms: TermsReader, *, outside: Threads, mints: Threads
    ) -> None:
        self._market = market
        self._desk = desk
        self._terms = terms
        self._outside = outside
        self._mints = mints

    def routes(self) -> Routes:
        return {
            Method.QUOTE: RpcMethod(QuoteParams, QuoteResult, Scope.READ, self.quote),
            Method.BALANCES: RpcMethod(NoParams, BalancesResult, Scope.READ, self.balances),
            Method.POOLS: RpcMethod(PoolsParams, PoolsResult, Scope.READ, self.pools),
            Method.TOKENS: RpcMethod(NoParams, TokensResult, Scope.READ, self.tokens),
            Method.TOKENS_SEARCH: RpcMethod(TokensSearchParams, TokensFound, Scope.READ, self.search_tokens),
            Method.TOKENS_NAME: RpcMethod(TokensNameParams, TokensNameResult, Scope.ADMIN, self.name_token),
            Method.TOKENS_UNNAME: RpcMethod(TokensUnnameParams, TokensUnnameResult, Scope.ADMIN, self.unname_token),
        }

    async def quote(self, caller: Requester, params: QuoteParams) -> QuoteResult:  # noqa: ARG002
        """The quotes of all venues."""
        terms = await self._terms.resolved(await self._terms.parsed(params))
        return await self._outside.run(self._market.quote, terms)

    async def balances(self, caller: Requester, params: NoParams) -> BalancesResult:  # noqa: ARG002
        """The wallet's balances."""
        return await self._outside.run(self._market.balances)

    async def pools(self, caller: Requester, params: PoolsParams) -> PoolsResult:  # noqa: ARG002
        """The traded pools in their current state."""
        return await self._outside.run(self._market.pools, params)

    async def tokens(self, caller: Requester, params: NoParams) -> TokensResult:  # noqa: ARG002
        """The tokens that can be traded."""
        return TokensResult(tokens=self._desk.listed())

    async def search_tokens(self, caller: Requester, params: TokensSearchParams) -> TokensFound:  # noqa: ARG002
        """Tokens with this name, on token lists and named by the operator."""
        return self._desk.search(params.text)

    async def name_token(self, caller: Requester, params: TokensNameParams) -> TokensNameResult:
        """Pin a symbol to a mint."""
        name = partial(self._desk.name, params.symbol, params.mint, caller.principal.actor, pinned=params.pinned)
        return TokensNameResult(token=await self._mints.change(f"the symbol {params.symbol}", name))

    async def unname_token(self, caller: Requester, params: TokensUnnameParams) -> TokensUnnameResult:
        """Unpin a symbol from a mint."""
        unname = partial(self._desk.unname, params.symbol, caller.principal.actor)
        return TokensUnnameResult(removed=await self._mints.change(f"the symbol {params.symbol}", unname))
