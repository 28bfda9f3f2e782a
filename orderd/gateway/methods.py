"""The methods of the port: each names its parameters, the scope it needs, and who does the work."""

from dataclasses import replace
from typing import Protocol

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderTerms
from orderd.engine import views
from orderd.engine.allowance import Spending
from orderd.engine.intake import Intake, Submission, SubmitOutcome
from orderd.gateway.auth import Principal, Scope
from orderd.gateway.batch import Batcher
from orderd.gateway.heartbeat import HEARTBEAT_SECONDS, Pacemaker
from orderd.gateway.hub import Hub
from orderd.gateway.rpc import Reply, Route
from orderd.gateway.selection import select
from orderd.gateway.session import Caller, Session
from orderd.gateway.threads import DatabaseThreads, Threads
from orderd.wire import (
    BalancesResult,
    CancelResult,
    GetParams,
    ListParams,
    Method,
    NoParams,
    PoolsParams,
    PoolsResult,
    PreviewResult,
    QueueMetrics,
    QuoteParams,
    QuoteResult,
    StatusResult,
    SubmitParams,
    SubmitResult,
    SubscribeParams,
    SubscribeResult,
    TokensResult,
    UnsubscribeParams,
    UnsubscribeResult,
)


class Market(Protocol):
    """What venues and chain say now. All raise OrderdError and may take as long as the venues' time limit."""

    def quote(self, terms: OrderTerms) -> QuoteResult: ...

    def preview(self, terms: OrderTerms) -> PreviewResult: ...

    def notional(self, terms: OrderTerms) -> int: ...

    def balances(self) -> BalancesResult: ...

    def pools(self, params: PoolsParams) -> PoolsResult: ...


class StatusReport(Protocol):
    """How the daemon is. ``queue`` may raise what Peewee raises, ``slot`` OrderdError RPC_*."""

    def queue(self) -> QueueMetrics: ...

    def slot(self) -> int: ...

    def status(self, *, draining: bool = False) -> StatusResult: ...


class Methods:
    """Answers calls. ``database`` threads hold a connection each; ``market`` threads wait for the outside world."""

    def __init__(
        self,
        *,
        intake: Intake,
        market: Market,
        report: StatusReport,
        hub: Hub,
        pacemaker: Pacemaker,
        database: DatabaseThreads,
        outside: Threads,
    ) -> None:
        self._intake = intake
        self._batcher = Batcher(intake.submit_batch, database)
        self._market = market
        self._report = report
        self._hub = hub
        self._pacemaker = pacemaker
        self._database = database
        self._outside = outside
        self.draining = False

    def routes(self) -> dict[Method, Route]:
        return {
            Method.ORDER_SUBMIT: Route(SubmitParams, Scope.TRADE, self.submit),
            Method.ORDER_PREVIEW: Route(SubmitParams, Scope.READ, self.preview),
            Method.ORDER_GET: Route(GetParams, Scope.READ, self.get),
            Method.ORDER_CANCEL: Route(GetParams, Scope.TRADE, self.cancel),
            Method.ORDERS_LIST: Route(ListParams, Scope.READ, self.list_orders),
            Method.ORDERS_SUBSCRIBE: Route(SubscribeParams, Scope.READ, self.subscribe),
            Method.ORDERS_UNSUBSCRIBE: Route(UnsubscribeParams, Scope.READ, self.unsubscribe),
            Method.QUOTE: Route(QuoteParams, Scope.READ, self.quote),
            Method.BALANCES: Route(NoParams, Scope.READ, self.balances),
            Method.TOKENS: Route(NoParams, Scope.READ, self.tokens),
            Method.POOLS: Route(PoolsParams, Scope.READ, self.pools),
            Method.STATUS: Route(NoParams, Scope.READ, self.status),
        }

    async def drain(self) -> None:
        """Take no new orders, and wait until those that were taken are on disk."""
        self.draining = True
        await self._batcher.finish()

    async def submit(self, caller: Caller, params: SubmitParams) -> Reply:
        if self.draining:
            raise OrderdError(ErrorCode.SERVICE_DRAINING, "this daemon is stopping; the order was not taken")
        who = caller.principal
        submission = Submission(who.account_id, params.client_order_id, self._intake.terms(params), who.actor)
        outcome = await self._submit(who, submission)
        if outcome.created:
            self._hub.learn(outcome.order, who.account_id)
        return Reply(SubmitResult.model_construct(order=outcome.order, created=outcome.created))

    async def _submit(self, who: Principal, submission: Submission) -> SubmitOutcome:
        """Within the submitter's limits. What was submitted before is answered whatever the limits have become."""
        who.limits.check_pair(submission.terms)
        if not who.limits.count_money:
            return await self._batcher.submit(submission)
        known = await self._database.run(self._intake.known, submission)
        if known is not None:
            return known
        notional = await self._outside.run(self._market.notional, submission.terms)
        return await self._batcher.submit(replace(submission, spending=Spending(notional, who.limits)))

    async def preview(self, caller: Caller, params: SubmitParams) -> Reply:  # noqa: ARG002
        return Reply(await self._outside.run(self._market.preview, self._intake.terms(params)))

    async def get(self, caller: Caller, params: GetParams) -> Reply:
        return Reply(await self._database.run(views.get, caller.principal.account_id, params.order))

    async def cancel(self, caller: Caller, params: GetParams) -> Reply:
        who = caller.principal
        order = await self._database.run(self._intake.cancel, who.account_id, params.order, who.actor)
        return Reply(CancelResult(order=order))

    async def list_orders(self, caller: Caller, params: ListParams) -> Reply:
        return Reply(await self._database.run(views.list_orders, caller.principal.account_id, params))

    async def subscribe(self, session: Session, params: SubscribeParams) -> Reply:
        selection = await self._database.run(select, session.principal, params, self._intake.token)
        subscription = self._hub.follow(session, selection)
        self._pacemaker.join(session)
        return Reply(
            SubscribeResult(subscription=subscription.number, heartbeat_seconds=HEARTBEAT_SECONDS),
            then=lambda: session.spawn(self._hub.begin(subscription)),
        )

    async def unsubscribe(self, session: Session, params: UnsubscribeParams) -> Reply:
        return Reply(UnsubscribeResult(removed=self._hub.unfollow(session, params.subscription)))

    async def quote(self, caller: Caller, params: QuoteParams) -> Reply:  # noqa: ARG002
        return Reply(await self._outside.run(self._market.quote, self._intake.terms(params)))

    async def balances(self, caller: Caller, params: NoParams) -> Reply:  # noqa: ARG002
        return Reply(await self._outside.run(self._market.balances))

    async def tokens(self, caller: Caller, params: NoParams) -> Reply:  # noqa: ARG002
        return Reply(TokensResult(tokens=self._intake.tokens()))

    async def pools(self, caller: Caller, params: PoolsParams) -> Reply:  # noqa: ARG002
        return Reply(await self._outside.run(self._market.pools, params))

    async def status(self, caller: Caller, params: NoParams) -> Reply:  # noqa: ARG002
        return Reply(await self._outside.run(self._report_status))

    async def queue(self) -> QueueMetrics:
        """Beside the lists that HTTP answers with."""
        return await self._database.run(self._report.queue)

    def _report_status(self) -> StatusResult:
        return self._report.status(draining=self.draining)
