"""The methods about what has been. They change nothing."""

from collections.abc import Callable

from orderd.domain.tokens import Token
from orderd.engine.records.history import read_history
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.rpc.dispatch import Reply, Route
from orderd.gateway.streaming.selection import seen_by
from orderd.gateway.streaming.session import Caller
from orderd.gateway.threads import DatabaseThreads
from orderd.records import HistoryParams, HistoryResult
from orderd.wire import Method


class Records:
    """``lists`` are threads whose calls may take as long as those of lists."""

    def __init__(self, token: Callable[[str], Token], lists: DatabaseThreads) -> None:
        """``token`` finds one by its name; raises OrderdError TOKEN_UNKNOWN."""
        self._token = token
        self._lists = lists

    def routes(self) -> dict[Method, Route]:
        """As those of ``Methods``."""
        return {
            Method.HISTORY: Route(HistoryParams, HistoryResult, Scope.READ, self.history),
        }

    async def history(self, caller: Caller, params: HistoryParams) -> Reply:
        """Fills, newest first, in pages, and what they came to."""
        found = await self._lists.run(_history, caller.principal, params)
        if params.token is not None and not found.fills:
            self._token(params.token)  # as with lists of orders: a misspelt filter is told
        return Reply(found)


def _history(principal: Principal, params: HistoryParams) -> HistoryResult:
    return read_history(seen_by(principal, params.account), params)
