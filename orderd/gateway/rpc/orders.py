"""Methods of existing orders: looking at one, cancelling it, resolving its outcome; lists and subscriptions."""

from typing import Protocol
from uuid import UUID

from db.audit import Actor
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.engine import next_execution, views
from orderd.engine.intake import Intake
from orderd.engine.order_list import list_orders
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.rpc.dispatch import Reply, Routes, RpcMethod
from orderd.gateway.rpc.market import MarketData
from orderd.gateway.streaming.heartbeat import HEARTBEAT_SECONDS, Pacemaker
from orderd.gateway.streaming.hub import Hub
from orderd.gateway.streaming.selection import select, visible_to
from orderd.gateway.streaming.session import Requester, Session
from orderd.gateway.threads import DatabaseThreads, Threads
from orderd.wire.order_detail import EvidenceResult, OrderDetail, ResolveParams, ResolveResult
from orderd.wire.orders import CancelResult, GetParams, ListParams, ListResult, OrderView
from orderd.wire.quotes import SimulatedFill
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import SubscribeParams, SubscribeResult, UnsubscribeParams, UnsubscribeResult


class ManualResolution(Protocol):
    """An operator's resolution of unknown outcomes. All raise OrderdError."""

    def evidence(self, account_id: UUID, ref: str, *, sees_all: bool) -> EvidenceResult: ...

    def landed(self, account_id: UUID, ref: str, signature: str, by: Actor, *, sees_all: bool) -> OrderView: ...

    def dead(self, account_id: UUID, ref: str, by: Actor, *, sees_all: bool) -> OrderView: ...


class OrderMethods:
    """``database`` threads have a connection each, ``lists`` threads too, for slow queries; ``outside`` threads query
    the chain."""

    def __init__(
        self,
        intake: Intake,
        market: MarketData,
        resolution: ManualResolution,
        hub: Hub,
        pacemaker: Pacemaker,
        *,
        database: DatabaseThreads,
        lists: DatabaseThreads,
        outside: Threads,
    ) -> None:
        self._intake = intake
        self._market = market
        self._resolution = resolution
        self._hub = hub
        self._pacemaker = pacemaker
        self._database = database
        self._lists = lists
        self._outside = outside

    def routes(self) -> Routes:
        return {
            Method.ORDER_GET: RpcMethod(GetParams, OrderDetail, Scope.READ, self.get),
            Method.ORDER_CANCEL: RpcMethod(GetParams, CancelResult, Scope.TRADE, self.cancel),
            Method.ORDER_SIMULATE_FILL: RpcMethod(GetParams, SimulatedFill, Scope.READ, self.simulate_fill),
            Method.ORDER_EVIDENCE: RpcMethod(GetParams, EvidenceResult, Scope.READ, self.evidence),
            Method.ORDER_RESOLVE: RpcMethod(ResolveParams, ResolveResult, Scope.ADMIN, self.resolve),
            Method.ORDERS_LIST: RpcMethod(ListParams, ListResult, Scope.READ, self.list_orders),
            Method.ORDERS_SUBSCRIBE: RpcMethod(SubscribeParams, SubscribeResult, Scope.READ, self.subscribe),
            Method.ORDERS_UNSUBSCRIBE: RpcMethod(UnsubscribeParams, UnsubscribeResult, Scope.READ, self.unsubscribe),
        }

    # One order

    async def get(self, caller: Requester, params: GetParams) -> OrderDetail:
        """An order with its events, attempts, failures and fills."""
        principal = caller.principal
        return await self._database.run(views.get, principal.account_id, params.order, sees_all=principal.sees_all)

    async def cancel(self, caller: Requester, params: GetParams) -> CancelResult:
        """Cancel an order, if nothing is signed."""
        principal = caller.principal
        what = f"the cancellation of order {params.order}"
        order = await self._database.change(
            what, self._intake.cancel, principal.account_id, params.order, principal.actor, sees_all=principal.sees_all
        )
        return CancelResult(order=order)

    async def simulate_fill(self, caller: Requester, params: GetParams) -> SimulatedFill:
        """The effect of an order now: its condition, the route, and the chain's simulation of the transaction."""
        principal = caller.principal
        found = await self._database.run(
            next_execution.find, principal.account_id, params.order, sees_all=principal.sees_all
        )
        return await self._outside.run(self._market.simulate_fill, found)

    async def evidence(self, caller: Requester, params: GetParams) -> EvidenceResult:
        """The stored facts about a submitted order's transaction, and its current state on the chain."""
        principal = caller.principal
        evidence = self._resolution.evidence
        return await self._outside.run(evidence, principal.account_id, params.order, sees_all=principal.sees_all)

    async def resolve(self, caller: Requester, params: ResolveParams) -> ResolveResult:
        """Resolve an order with an unknown outcome."""
        principal = caller.principal
        if (params.landed is None) == (not params.dead):
            raise OrderdError(ErrorCode.ORDER_NOT_RESOLVABLE, "give landed or dead, and not both")
        what = f"the outcome of order {params.order}"
        if params.landed is None:
            order = await self._outside.change(
                what,
                self._resolution.dead,
                principal.account_id,
                params.order,
                principal.actor,
                sees_all=principal.sees_all,
            )
        else:
            order = await self._outside.change(
                what,
                self._resolution.landed,
                principal.account_id,
                params.order,
                params.landed,
                principal.actor,
                sees_all=principal.sees_all,
            )
        return ResolveResult(order=order)

    # Lists and subscriptions

    async def list_orders(self, caller: Requester, params: ListParams) -> ListResult:
        """Orders, newest first, in pages."""
        listed = await self._lists.run(_listed, caller.principal, params)
        if params.token is not None and not listed.orders:
            self._intake.symbol(params.token)  # a misspelt filter is an error; to answer "none" would be to confirm it
        return listed

    async def subscribe(self, session: Session, params: SubscribeParams) -> Reply[SubscribeResult]:
        """Follow orders: a snapshot of each, then READY, then each event once and in order."""
        selection = await self._database.run(select, session.principal, params, self._intake.symbol)
        subscription = self._hub.follow(session, selection)
        self._pacemaker.join(session)
        return Reply(
            SubscribeResult(subscription=subscription.number, heartbeat_seconds=HEARTBEAT_SECONDS),
            then=lambda: session.spawn(self._hub.begin(subscription)),
        )

    async def unsubscribe(self, session: Session, params: UnsubscribeParams) -> UnsubscribeResult:
        """End a subscription."""
        return UnsubscribeResult(removed=self._hub.unfollow(session, params.subscription))


def _listed(principal: Principal, params: ListParams) -> ListResult:
    return list_orders(visible_to(principal, params.account), params)
