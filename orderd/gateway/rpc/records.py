"""The methods about what has been. They change nothing."""

from orderd.domain.tokens import TokenRegistry
from orderd.engine.prices.told import read_prices
from orderd.engine.records.history import read_history
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.rpc.dispatch import Reply, Route
from orderd.gateway.streaming.selection import seen_by
from orderd.gateway.streaming.session import Caller
from orderd.gateway.threads import DatabaseThreads
from orderd.records import HistoryParams, HistoryResult, PricesParams, PricesResult
from orderd.wire import Method


class Records:
    """``lists`` are threads whose calls may take as long as those of lists."""

    def __init__(self, tokens: TokenRegistry, lists: DatabaseThreads) -> None:
        self._tokens = tokens
        self._lists = lists

    def routes(self) -> dict[Method, Route]:
        """As those of ``Methods``."""
        return {
            Method.HISTORY: Route(HistoryParams, HistoryResult, Scope.READ, self.history),
            Method.PRICES: Route(PricesParams, PricesResult, Scope.READ, self.prices),
        }

    async def history(self, caller: Caller, params: HistoryParams) -> Reply:
        """Fills, newest first, in pages, and what they came to."""
        found = await self._lists.run(_history, caller.principal, params)
        if params.token is not None and not found.fills:
            self._tokens.mint_of(params.token)  # as with lists of orders: a misspelt filter is told
        return Reply(found)

    async def prices(self, caller: Caller, params: PricesParams) -> Reply:  # noqa: ARG002
        """What a pair has cost, as candles."""
        return Reply(await self._lists.run(read_prices, self._tokens, params))


def _history(principal: Principal, params: HistoryParams) -> HistoryResult:
    return read_history(seen_by(principal, params.account), params)
