"""Methods that enter orders: submitting, previewing and amending, each within the limits of its client."""

from dataclasses import replace
from functools import partial
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderKind
from orderd.domain.terms_given import GivenTerms
from orderd.engine.allowance import Spending
from orderd.engine.intake import Intake, Submission, SubmitOutcome
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.rpc.batch import Batcher
from orderd.gateway.rpc.dispatch import Routes, RpcMethod
from orderd.gateway.rpc.market import MarketData
from orderd.gateway.rpc.terms import TermsReader, check_time
from orderd.gateway.streaming.session import Requester
from orderd.gateway.threads import DatabaseThreads, Threads
from orderd.wire.quotes import PreviewResult
from orderd.wire.rpc import Method
from orderd.wire.submissions import AmendParams, AmendResult, SubmitParams, SubmitResult

_PRICED: Final = frozenset({"amount_in", "limit_price", "stop_price", "take_profit_price", "trail"})
"""Terms that are compared with the market."""


class OrderEntry:
    """``database`` threads have a connection each; ``outside`` threads query venues and chain."""

    def __init__(
        self, intake: Intake, market: MarketData, terms: TermsReader, *, database: DatabaseThreads, outside: Threads
    ) -> None:
        self._intake = intake
        self._batcher = Batcher(intake.submit_batch, database)
        self._market = market
        self._terms = terms
        self._database = database
        self._outside = outside
        self.draining = False

    def routes(self) -> Routes:
        return {
            Method.ORDER_SUBMIT: RpcMethod(SubmitParams, SubmitResult, Scope.TRADE, self.submit),
            Method.ORDER_PREVIEW: RpcMethod(SubmitParams, PreviewResult, Scope.READ, self.preview),
            Method.ORDER_AMEND: RpcMethod(AmendParams, AmendResult, Scope.TRADE, self.amend),
        }

    async def drain(self) -> None:
        """Take no new orders, and wait until the accepted ones are on disk."""
        self.draining = True
        await self._batcher.finish()

    # Submitting

    async def submit(self, caller: Requester, params: SubmitParams, label: str | None = None) -> SubmitResult:
        """Accept an order. The answer means that it is on disk."""
        if self.draining:
            raise OrderdError(ErrorCode.SERVICE_DRAINING, "this daemon is stopping; the order was not taken")
        principal = caller.principal
        try:
            terms = await self._terms.parsed(params)
            submission = Submission(principal.account_id, params.client_order_id, terms, principal.actor, label=label)
            outcome = await self._submit(principal, submission)
        except OrderdError as error:
            outcome = await self._repeated(principal, params, error)
        return SubmitResult.model_construct(order=outcome.order, created=outcome.created)

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
        check_time(terms)
        terms = await self._terms.resolved(terms)
        submission = replace(submission, terms=terms)
        if terms.kind is not OrderKind.MARKET or terms.is_entry:
            await self._outside.run(self._market.check_prices, terms)
        if not counts_money:
            return await self._batcher.submit(submission)
        bounded = await self._outside.run(self._market.bounded, terms)
        spending = Spending(await self._outside.run(self._market.notional, bounded), principal.limits, limits)
        return await self._batcher.submit(replace(submission, spending=spending, bounded=bounded))

    async def preview(self, caller: Requester, params: SubmitParams) -> PreviewResult:  # noqa: ARG002
        """The effect of a submission: the route, and the chain's simulation of the transaction."""
        terms = await self._terms.resolved(await self._terms.parsed(params))
        return await self._outside.run(self._market.preview, terms)

    # Amending

    async def amend(self, caller: Requester, params: AmendParams) -> AmendResult:
        """Amend a resting order."""
        principal = caller.principal
        find = partial(
            self._intake.amended_terms, principal.account_id, params.order, params.changes, sees_all=principal.sees_all
        )
        terms = await self._database.run(find)
        principal.limits.check_pair(terms)
        if "expires" in params.changes:
            check_time(terms)
        if not params.changes.keys().isdisjoint(_PRICED):
            await self._outside.run(self._market.check_prices, terms)
        spending = None
        limits = self._intake.limits
        counts_money = limits.count_money or principal.limits.count_money
        if counts_money and ("amount_in" in params.changes or await self._is_of_another_key(principal, params.order)):
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
        return AmendResult(order=await self._database.change(f"the change of order {params.order}", amend))

    async def _is_of_another_key(self, principal: Principal, order: str) -> bool:
        """Whether the order was submitted with another API key: then a new price is a trade of this one, which counts
        like a submission."""
        find = partial(self._intake.submitted_by, principal.account_id, order, sees_all=principal.sees_all)
        return await self._database.run(find) != principal.key_id
