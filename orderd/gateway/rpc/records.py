"""Read-only methods for records: fills, prices, profits and the portfolio."""

from collections.abc import Callable

from orderd.domain.tokens import TokenRegistry
from orderd.engine.prices.candle_views import read_prices
from orderd.engine.records.history import read_history
from orderd.engine.records.portfolio import value_of
from orderd.engine.records.profit import read_profit
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.rpc.dispatch import Reply, Routes, RpcMethod
from orderd.gateway.streaming.price_feed import PriceFeed
from orderd.gateway.streaming.selection import visible_to
from orderd.gateway.streaming.session import Requester, Session
from orderd.gateway.threads import DatabaseThreads, Threads
from orderd.wire.balances import BalancesResult
from orderd.wire.fills import HistoryParams, HistoryResult
from orderd.wire.prices import PricesParams, PricesResult, PricesSubscribeParams, PricesSubscribeResult
from orderd.wire.profit import PnlParams, PnlResult, PortfolioParams, PortfolioResult
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import UnsubscribeParams, UnsubscribeResult


class Records:
    """``lists`` are threads for slow queries, ``outside`` threads query the chain.

    ``balances`` queries the wallet's balances. Raises OrderdError RPC_*.
    """

    def __init__(
        self,
        tokens: TokenRegistry,
        balances: Callable[[], BalancesResult],
        feed: PriceFeed,
        lists: DatabaseThreads,
        outside: Threads,
    ) -> None:
        self._tokens = tokens
        self._balances = balances
        self._feed = feed
        self._lists = lists
        self._outside = outside

    def routes(self) -> Routes:
        return {
            Method.HISTORY: RpcMethod(HistoryParams, HistoryResult, Scope.READ, self.history),
            Method.PRICES: RpcMethod(PricesParams, PricesResult, Scope.READ, self.prices),
            Method.PRICES_SUBSCRIBE: RpcMethod(
                PricesSubscribeParams, PricesSubscribeResult, Scope.READ, self.subscribe_to_prices
            ),
            Method.PRICES_UNSUBSCRIBE: RpcMethod(
                UnsubscribeParams, UnsubscribeResult, Scope.READ, self.unsubscribe_from_prices
            ),
            Method.PNL: RpcMethod(PnlParams, PnlResult, Scope.READ, self.pnl),
            Method.PORTFOLIO: RpcMethod(PortfolioParams, PortfolioResult, Scope.READ, self.portfolio),
        }

    async def history(self, caller: Requester, params: HistoryParams) -> HistoryResult:
        """Fills, newest first, in pages, with totals."""
        found = await self._lists.run(_history, caller.principal, params)
        if params.token is not None and not found.fills:
            self._tokens.mint_of(params.token)  # as with lists of orders: a misspelt filter is an error
        return found

    async def prices(self, caller: Requester, params: PricesParams) -> PricesResult:  # noqa: ARG002
        """The prices of a pair as candles."""
        return await self._lists.run(read_prices, self._tokens, params)

    async def subscribe_to_prices(
        self, session: Session, params: PricesSubscribeParams
    ) -> Reply[PricesSubscribeResult]:
        """Subscribe to the prices of a pair: its newest candles, and then each change of them."""
        follower, now = await self._feed.prepare(session, params.pair, params.interval)
        result = PricesSubscribeResult(subscription=follower.number, **dict(now))
        return Reply(result, then=lambda: self._feed.follow(follower))

    async def unsubscribe_from_prices(self, session: Session, params: UnsubscribeParams) -> UnsubscribeResult:
        """End a subscription to prices."""
        return UnsubscribeResult(removed=self._feed.unfollow(session, params.subscription))

    async def pnl(self, caller: Requester, params: PnlParams) -> PnlResult:
        """Profit by token and by day."""
        return await self._lists.run(_pnl, self._tokens, caller.principal, params)

    async def portfolio(self, caller: Requester, params: PortfolioParams) -> PortfolioResult:  # noqa: ARG002
        """The wallet's balances and their value."""
        balances = await self._outside.run(self._balances)
        return await self._lists.run(value_of, self._tokens, balances, params)


def _history(principal: Principal, params: HistoryParams) -> HistoryResult:
    return read_history(visible_to(principal, params.account), params)


def _pnl(tokens: TokenRegistry, principal: Principal, params: PnlParams) -> PnlResult:
    return read_profit(tokens, visible_to(principal, params.account), params)
