"""The methods of the port: each has its parameters, the scope it needs, and the handler that does the work."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol
from uuid import UUID

from db.audit import Actor
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderKind
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.times import format_moment
from orderd.engine import halting, next_execution, views
from orderd.engine.allowance import Spending
from orderd.engine.intake import Intake, Submission, SubmitOutcome
from orderd.engine.next_execution import NextExecution
from orderd.engine.order_list import list_orders
from orderd.engine.token_desk import TokenDesk
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.rpc.batch import Batcher
from orderd.gateway.rpc.dispatch import Reply, RpcMethod
from orderd.gateway.streaming.heartbeat import HEARTBEAT_SECONDS, Pacemaker
from orderd.gateway.streaming.hub import Hub
from orderd.gateway.streaming.selection import select, visible_to
from orderd.gateway.streaming.session import Requester, Session
from orderd.gateway.threads import DatabaseThreads, Threads
from orderd.wire.balances import BalancesResult
from orderd.wire.halts import HaltParams, HaltResult, LiftResult
from orderd.wire.message import NoParams
from orderd.wire.order_detail import EvidenceResult, OrderDetail, ResolveParams, ResolveResult
from orderd.wire.orders import (
    AmendParams,
    AmendResult,
    CancelResult,
    GetParams,
    ListParams,
    ListResult,
    OrderView,
    SubmitParams,
    SubmitResult,
)
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.quotes import PreviewResult, QuoteParams, QuoteResult, SimulatedFill
from orderd.wire.rpc import Method
from orderd.wire.status import QueueMetrics, StatusResult
from orderd.wire.subscriptions import SubscribeParams, SubscribeResult, UnsubscribeParams, UnsubscribeResult
from orderd.wire.tokens import (
    TokensFound,
    TokensNameParams,
    TokensNameResult,
    TokensResult,
    TokensSearchParams,
    TokensUnnameParams,
    TokensUnnameResult,
)

_PRICED: Final = frozenset({"amount_in", "limit_price", "stop_price", "take_profit_price", "trail"})
"""Terms that are held against the market."""


class MarketData(Protocol):
    """Queries of venues and chain. All raise OrderdError and may take as long as the venues' time-out."""

    def quote(self, terms: OrderTerms) -> QuoteResult: ...

    def preview(self, terms: OrderTerms) -> PreviewResult: ...

    def simulate_fill(self, following: NextExecution) -> SimulatedFill: ...

    def notional(self, terms: OrderTerms) -> int: ...

    def check_prices(self, terms: OrderTerms) -> None: ...

    def balances(self) -> BalancesResult: ...

    def pools(self, params: PoolsParams) -> PoolsResult: ...


class ManualResolution(Protocol):
    """An operator's resolution of unknown outcomes. All raise OrderdError."""

    def evidence(self, account_id: UUID, ref: str, *, sees_all: bool) -> EvidenceResult: ...

    def landed(self, account_id: UUID, ref: str, signature: str, by: Actor, *, sees_all: bool) -> OrderView: ...

    def dead(self, account_id: UUID, ref: str, by: Actor, *, sees_all: bool) -> OrderView: ...


class StatusReport(Protocol):
    """The state of the daemon, in bounded time. ``queue`` raises OrderdError if Postgres does not answer."""

    async def queue(self) -> QueueMetrics: ...

    async def status(self) -> StatusResult: ...


class Methods:
    """Answers calls. ``database`` threads have a connection each; ``outside`` threads query venues and chain, and so do
    ``mints`` threads within the time of an answer."""

    def __init__(
        self,
        *,
        intake: Intake,
        desk: TokenDesk,
        market: MarketData,
        report: StatusReport,
        resolution: ManualResolution,
        hub: Hub,
        pacemaker: Pacemaker,
        database: DatabaseThreads,
        lists: DatabaseThreads,
        outside: Threads,
        mints: Threads,
    ) -> None:
        self._intake = intake
        self._desk = desk
        self._batcher = Batcher(intake.submit_batch, database)
        self._market = market
        self._report = report
        self._resolution = resolution
        self._hub = hub
        self._pacemaker = pacemaker
        self._database = database
        self._lists = lists
        self._outside = outside
        self._mints = mints
        self.draining = False

    def routes(self) -> dict[Method, RpcMethod]:
        """For each method: its parameters and result, the required scope, and its handler."""
        return {
            Method.ORDER_SUBMIT: RpcMethod(SubmitParams, SubmitResult, Scope.TRADE, self.submit),
            Method.ORDER_PREVIEW: RpcMethod(SubmitParams, PreviewResult, Scope.READ, self.preview),
            Method.ORDER_GET: RpcMethod(GetParams, OrderDetail, Scope.READ, self.get),
            Method.ORDER_CANCEL: RpcMethod(GetParams, CancelResult, Scope.TRADE, self.cancel),
            Method.ORDER_AMEND: RpcMethod(AmendParams, AmendResult, Scope.TRADE, self.amend),
            Method.ORDER_SIMULATE_FILL: RpcMethod(GetParams, SimulatedFill, Scope.READ, self.simulate_fill),
            Method.ORDER_EVIDENCE: RpcMethod(GetParams, EvidenceResult, Scope.READ, self.evidence),
            Method.ORDER_RESOLVE: RpcMethod(ResolveParams, ResolveResult, Scope.ADMIN, self.resolve),
            Method.ORDERS_LIST: RpcMethod(ListParams, ListResult, Scope.READ, self.list_orders),
            Method.ORDERS_SUBSCRIBE: RpcMethod(SubscribeParams, SubscribeResult, Scope.READ, self.subscribe),
            Method.ORDERS_UNSUBSCRIBE: RpcMethod(UnsubscribeParams, UnsubscribeResult, Scope.READ, self.unsubscribe),
            Method.QUOTE: RpcMethod(QuoteParams, QuoteResult, Scope.READ, self.quote),
            Method.BALANCES: RpcMethod(NoParams, BalancesResult, Scope.READ, self.balances),
            Method.TOKENS: RpcMethod(NoParams, TokensResult, Scope.READ, self.tokens),
            Method.TOKENS_SEARCH: RpcMethod(TokensSearchParams, TokensFound, Scope.READ, self.search_tokens),
            Method.TOKENS_NAME: RpcMethod(TokensNameParams, TokensNameResult, Scope.ADMIN, self.name_token),
            Method.TOKENS_UNNAME: RpcMethod(TokensUnnameParams, TokensUnnameResult, Scope.ADMIN, self.unname_token),
            Method.POOLS: RpcMethod(PoolsParams, PoolsResult, Scope.READ, self.pools),
            Method.STATUS: RpcMethod(NoParams, StatusResult, Scope.READ, self.status),
            Method.HALT: RpcMethod(HaltParams, HaltResult, Scope.ADMIN, self.halt),
            Method.LIFT: RpcMethod(NoParams, LiftResult, Scope.ADMIN, self.lift),
        }

    async def drain(self) -> None:
        """Take no new orders, and wait until the accepted ones are on disk."""
        self.draining = True
        await self._batcher.finish()

    # Submitting

    async def submit(self, caller: Requester, params: SubmitParams, label: str | None = None) -> Reply:
        """Accept an order. The answer means that it is on disk."""
        if self.draining:
            raise OrderdError(ErrorCode.SERVICE_DRAINING, "this daemon is stopping; the order was not taken")
        principal = caller.principal
        try:
            terms = await self._terms(params)
            submission = Submission(principal.account_id, params.client_order_id, terms, principal.actor, label=label)
            outcome = await self._submit(principal, submission)
        except OrderdError as error:
            outcome = await self._repeated(principal, params, error)
        return Reply(SubmitResult.model_construct(order=outcome.order, created=outcome.created))

    async def _terms(self, given: GivenTerms) -> OrderTerms:
        """The parsed terms. Unknown tokens are first read from the chain, within a time limit."""
        try:
            return self._intake.terms(given)
        except OrderdError as error:
            if error.code is not ErrorCode.TOKEN_UNREAD:
                raise
        await self._mints.run(self._desk.learn, (given.token_in, given.token_out))
        return self._intake.terms(given)

    async def _repeated(self, principal: Principal, params: SubmitParams, error: OrderdError) -> SubmitOutcome:
        """The order that was submitted with the same words before, if the error is due to their present meaning."""
        if error.code.category != "TOKEN" and error.code is not ErrorCode.ORDER_CONFLICT:
            raise error
        given = GivenTerms(**params.model_dump(exclude={"client_order_id"}))
        known = await self._database.run(self._intake.repeated, principal.account_id, params.client_order_id, given)
        if known is None:
            raise error
        return known

    async def _submit(self, principal: Principal, submission: Submission) -> SubmitOutcome:
        """Submit within the client's limits. A repeated submission gets its order regardless of limits, market and
        time."""
        terms = submission.terms
        limits = self._intake.limits
        for each in (limits, principal.limits):
            each.check_pair(terms)
        counts_money = limits.count_money or principal.limits.count_money
        is_plain = terms.kind is OrderKind.MARKET and terms.expires_at is None
        is_plain = is_plain and not terms.is_entry and terms.amount_word is None
        if is_plain and not counts_money:
            return await self._batcher.submit(submission)
        known = await self._database.run(self._intake.known, submission)
        if known is not None:
            return known
        _check_time(terms)
        terms = await self._resolved(terms)
        submission = replace(submission, terms=terms)
        if terms.kind is not OrderKind.MARKET or terms.is_entry:
            await self._outside.run(self._market.check_prices, terms)
        if not counts_money:
            return await self._batcher.submit(submission)
        notional = await self._outside.run(self._market.notional, terms)
        return await self._batcher.submit(replace(submission, spending=Spending(notional, principal.limits, limits)))

    async def _resolved(self, terms: OrderTerms) -> OrderTerms:
        return terms if terms.amount_word is None else await self._database.run(self._intake.resolved, terms)

    async def preview(self, caller: Requester, params: SubmitParams) -> Reply:  # noqa: ARG002
        """The effect of a submission: the route, and the chain's simulation of the transaction."""
        terms = await self._resolved(await self._terms(params))
        return Reply(await self._outside.run(self._market.preview, terms))

    # Single orders

    async def get(self, caller: Requester, params: GetParams) -> Reply:
        """An order with its events, attempts, failures and fills."""
        principal = caller.principal
        return Reply(
            await self._database.run(views.get, principal.account_id, params.order, sees_all=principal.sees_all)
        )

    async def cancel(self, caller: Requester, params: GetParams) -> Reply:
        """Cancel an order, if nothing is signed."""
        principal = caller.principal
        what = f"the cancellation of order {params.order}"
        order = await self._database.change(
            what, self._intake.cancel, principal.account_id, params.order, principal.actor, sees_all=principal.sees_all
        )
        return Reply(CancelResult(order=order))

    async def amend(self, caller: Requester, params: AmendParams) -> Reply:
        """Change an order that rests."""
        principal = caller.principal
        find = partial(
            self._intake.amended_terms, principal.account_id, params.order, params.changes, sees_all=principal.sees_all
        )
        terms = await self._database.run(find)
        principal.limits.check_pair(terms)
        if "expires" in params.changes:
            _check_time(terms)
        if not params.changes.keys().isdisjoint(_PRICED):
            await self._outside.run(self._market.check_prices, terms)
        spending = None
        limits = self._intake.limits
        if "amount_in" in params.changes and (limits.count_money or principal.limits.count_money):
            spending = Spending(await self._outside.run(self._market.notional, terms), principal.limits, limits)
        amend = partial(
            self._intake.amend,
            principal.account_id,
            params.order,
            params.changes,
            principal.actor,
            spending,
            sees_all=principal.sees_all,
        )
        return Reply(AmendResult(order=await self._database.change(f"the change of order {params.order}", amend)))

    async def simulate_fill(self, caller: Requester, params: GetParams) -> Reply:
        """The effect of an order now: its condition, the route, and the chain's simulation of the transaction."""
        principal = caller.principal
        found = await self._database.run(
            next_execution.find, principal.account_id, params.order, sees_all=principal.sees_all
        )
        return Reply(await self._outside.run(self._market.simulate_fill, found))

    async def evidence(self, caller: Requester, params: GetParams) -> Reply:
        """The stored facts about a submitted order's transaction, and its current state on the chain."""
        principal = caller.principal
        evidence = self._resolution.evidence
        return Reply(await self._outside.run(evidence, principal.account_id, params.order, sees_all=principal.sees_all))

    async def resolve(self, caller: Requester, params: ResolveParams) -> Reply:
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
            landed, signature = self._resolution.landed, params.landed
            order = await self._outside.change(
                what,
                landed,
                principal.account_id,
                params.order,
                signature,
                principal.actor,
                sees_all=principal.sees_all,
            )
        return Reply(ResolveResult(order=order))

    # Lists and subscriptions

    async def list_orders(self, caller: Requester, params: ListParams) -> Reply:
        """Orders, newest first, in pages."""
        listed = await self._lists.run(_listed, caller.principal, params)
        if params.token is not None and not listed.orders:
            self._intake.symbol(params.token)  # a misspelt filter is an error; to answer "none" would be to confirm it
        return Reply(listed)

    async def subscribe(self, session: Session, params: SubscribeParams) -> Reply:
        """Follow orders: a snapshot of each, then READY, then each event once and in order."""
        selection = await self._database.run(select, session.principal, params, self._intake.symbol)
        subscription = self._hub.follow(session, selection)
        self._pacemaker.join(session)
        return Reply(
            SubscribeResult(subscription=subscription.number, heartbeat_seconds=HEARTBEAT_SECONDS),
            then=lambda: session.spawn(self._hub.begin(subscription)),
        )

    async def unsubscribe(self, session: Session, params: UnsubscribeParams) -> Reply:
        """End a subscription."""
        return Reply(UnsubscribeResult(removed=self._hub.unfollow(session, params.subscription)))

    # The market, the wallet and tokens

    async def quote(self, caller: Requester, params: QuoteParams) -> Reply:  # noqa: ARG002
        """The quotes of all venues."""
        terms = await self._resolved(await self._terms(params))
        return Reply(await self._outside.run(self._market.quote, terms))

    async def balances(self, caller: Requester, params: NoParams) -> Reply:  # noqa: ARG002
        """The wallet's balances."""
        return Reply(await self._outside.run(self._market.balances))

    async def tokens(self, caller: Requester, params: NoParams) -> Reply:  # noqa: ARG002
        """The tokens that can be traded."""
        return Reply(TokensResult(tokens=self._desk.listed()))

    async def search_tokens(self, caller: Requester, params: TokensSearchParams) -> Reply:  # noqa: ARG002
        """Tokens with this name, on token lists and named by the operator."""
        return Reply(self._desk.search(params.text))

    async def name_token(self, caller: Requester, params: TokensNameParams) -> Reply:
        """Name a mint, or choose the mint of a symbol."""
        name = partial(self._desk.name, params.symbol, params.mint, caller.principal.actor, pinned=params.pinned)
        return Reply(TokensNameResult(token=await self._mints.change(f"the symbol {params.symbol}", name)))

    async def unname_token(self, caller: Requester, params: TokensUnnameParams) -> Reply:
        """Take a symbol back that the operator gave."""
        unname = partial(self._desk.unname, params.symbol, caller.principal.actor)
        return Reply(TokensUnnameResult(removed=await self._mints.change(f"the symbol {params.symbol}", unname)))

    async def pools(self, caller: Requester, params: PoolsParams) -> Reply:  # noqa: ARG002
        """The traded pools in their current state."""
        return Reply(await self._outside.run(self._market.pools, params))

    # The daemon

    async def status(self, caller: Requester, params: NoParams) -> Reply:  # noqa: ARG002
        """How the daemon and its services are."""
        return Reply(await self._report.status())

    async def halt(self, caller: Requester, params: HaltParams) -> Reply:
        """Halt trading: nothing new is signed, and no new order is accepted."""
        # Among the threads that no flood of orders keeps busy.
        return Reply(await self._lists.change("the halt", halting.halt, caller.principal.actor, params.reason))

    async def lift(self, caller: Requester, params: NoParams) -> Reply:  # noqa: ARG002
        """Let trading go on after a halt."""
        return Reply(await self._lists.change("the end of the halt", halting.lift, caller.principal.actor))

    async def queue(self) -> QueueMetrics:
        """Beside the lists that HTTP answers with."""
        return await self._report.queue()


def _listed(principal: Principal, params: ListParams) -> ListResult:
    return list_orders(visible_to(principal, params.account), params)


def _check_time(terms: OrderTerms) -> None:
    if terms.expires_at is not None and terms.expires_at <= datetime.now(UTC):
        raise OrderdError(ErrorCode.TIME_PAST, f"{format_moment(terms.expires_at)} is past")
