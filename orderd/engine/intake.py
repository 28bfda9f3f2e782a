"""Taking orders in, and taking them back before anything is signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from db import audit, journal, leases
from db.audit import CANCEL, Actor, Entry
from db.connection import database
from db.journal import Change, NewOrder
from db.models import Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Accepted, Cancelled
from orderd.domain.money import format_amount, parse_amount, parse_slippage_bps
from orderd.domain.order import SIGNED, OrderStatus, OrderTerms
from orderd.domain.tokens import Token, TokenRegistry
from orderd.engine import views
from orderd.engine.allowance import Spending, accept_within
from orderd.engine.publish import Publisher
from orderd.wire import OrderView, QuoteParams, SubmitParams, TokenView

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """``id`` is the new order's: where a batch is written again, it tells what the first writing has stored."""

    account_id: UUID
    client_order_id: str
    terms: OrderTerms
    by: Actor
    spending: Spending | None = None
    """Where the submitter has limits of money."""
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class SubmitOutcome:
    """``created`` is false where the same order had been submitted before."""

    order: OrderView
    created: bool


class Intake:
    """Accepts orders durably and hands them to the queue; an answer means that the order is on disk.

    ``send`` puts order ids in the queue, ``forget`` tells the rate limit that an order no longer waits.
    """

    def __init__(
        self,
        tokens: TokenRegistry,
        default_slippage: str,
        publisher: Publisher,
        send: Callable[[Sequence[UUID]], None],
        forget: Callable[[UUID], None],
    ) -> None:
        self._tokens = tokens
        self._default_slippage = default_slippage
        self._publisher = publisher
        self._send = send
        self._forget = forget

    def tokens(self) -> tuple[TokenView, ...]:
        """What can be traded."""
        return tuple(TokenView(symbol=token.symbol, mint=token.mint, decimals=token.decimals) for token in self._tokens)

    def token(self, name: str) -> Token:
        """The token with this symbol or mint. Raises OrderdError TOKEN_UNKNOWN."""
        return self._tokens.resolve(name)

    def terms(self, params: SubmitParams | QuoteParams) -> OrderTerms:
        """What the trader asks for, checked. Raises OrderdError of the TOKEN, AMOUNT and SLIPPAGE kinds."""
        token_in, token_out = self._tokens.pair(params.token_in, params.token_out)
        slippage = self._default_slippage if params.slippage is None else params.slippage
        return OrderTerms(
            token_in, token_out, parse_amount(params.amount_in, token_in.decimals), parse_slippage_bps(slippage)
        )

    def submit_batch(self, submissions: Sequence[Submission]) -> list[SubmitOutcome | OrderdError]:
        """Store all in one statement and send them off; the answers are in the submissions' order.

        May be called again with the same submissions where the connection was lost, perhaps after the commit.
        A client order id that is taken answers with its order when the terms are equal, else with ORDER_CONFLICT.
        Where limits of money have to be kept within, a submission has a transaction of its own.
        """
        refusals: dict[int, OrderdError] = {}
        with database.connection_context():
            added = journal.accept([_new_order(each) for each in submissions if each.spending is None])
            for number, submission in enumerate(submissions):
                if submission.spending is not None:
                    try:
                        added += accept_within(_new_order(submission), submission.spending)
                    except OrderdError as refusal:
                        refusals[number] = refusal
            by_client_id = {(moved.order.account_id, moved.order.client_order_id): moved.order for moved in added}
            outcomes: list[SubmitOutcome | OrderdError] = []
            for number, submission in enumerate(submissions):
                if number in refusals:
                    outcomes.append(refusals[number])
                    continue
                # The first of several equal ones in a batch is the one that was created.
                order = by_client_id.pop((submission.account_id, submission.client_order_id), None)
                if order is not None and _same_terms(order, submission.terms):
                    outcomes.append(SubmitOutcome(views.order_view(order), created=True))
                else:
                    existing = _existing(submission)
                    assert existing is not None, "it was not added, so its client order id is taken"
                    outcomes.append(existing)
            self._hand_over([each.order.id for each in outcomes if isinstance(each, SubmitOutcome) and each.created])
        self._publisher.publish(added)
        return outcomes

    def _hand_over(self, order_ids: list[UUID]) -> None:
        if not order_ids:
            return
        try:
            self._send(order_ids)
        except Exception as error:  # noqa: BLE001  (whatever the queue's trouble is, the orders are safe in Postgres)
            log.warning("queue unavailable", action="enqueue_failed", orders=len(order_ids), error=str(error))
            leases.give_back(order_ids)

    def known(self, submission: Submission) -> SubmitOutcome | None:
        """The order that was submitted under the same client order id before; None where there is none.

        Raises OrderdError ORDER_CONFLICT where it has other terms. Needs a database connection.
        """
        outcome = _existing(submission)
        if isinstance(outcome, OrderdError):
            raise outcome
        return outcome

    def cancel(self, account_id: UUID, ref: str, by: Actor) -> OrderView:
        """Withdraw an order while nothing is signed; cancelling twice is no error.

        Raises OrderdError: ORDER_NOT_FOUND, ORDER_AMBIGUOUS or ORDER_NOT_CANCELLABLE.
        """
        with database.connection_context():
            order = views.find(account_id, ref)
            with database.atomic():
                cancelled = journal.apply([Change(order.id, Cancelled(), None)])
                audit.record([Entry(by, CANCEL, order_id=moved.order.id) for moved in cancelled])
            if not cancelled:
                order = views.find(account_id, str(order.id))
                if order.status is not OrderStatus.CANCELLED:
                    raise OrderdError(ErrorCode.ORDER_NOT_CANCELLABLE, _why_not(order.status))
                return views.order_view(order)
        self._publisher.publish(cancelled)
        self._forget(order.id)
        return views.order_view(cancelled[0].order)


def _new_order(submission: Submission) -> NewOrder:
    terms = submission.terms
    return NewOrder(
        id=submission.id,
        account_id=submission.account_id,
        fact=Accepted(
            client_order_id=submission.client_order_id,
            token_in=terms.token_in.symbol,
            token_out=terms.token_out.symbol,
            amount_in=format_amount(terms.amount_in, terms.token_in.decimals),
            slippage=views.slippage_percent(terms.slippage_bps),
        ),
        mint_in=terms.token_in.mint,
        mint_out=terms.token_out.mint,
        decimals_in=terms.token_in.decimals,
        decimals_out=terms.token_out.decimals,
        amount_in=terms.amount_in,
        slippage_bps=terms.slippage_bps,
        by=submission.by,
    )


def _same_terms(order: Order, terms: OrderTerms) -> bool:
    stored = (order.mint_in, order.mint_out, order.amount_in, order.slippage_bps)
    return stored == (terms.token_in.mint, terms.token_out.mint, terms.amount_in, terms.slippage_bps)


def _existing(submission: Submission) -> SubmitOutcome | OrderdError | None:
    order = journal.submitted_as(submission.account_id, submission.client_order_id)
    if order is None:
        return None
    if _same_terms(order, submission.terms):
        return SubmitOutcome(views.order_view(order), created=order.id == submission.id)
    return OrderdError(
        ErrorCode.ORDER_CONFLICT,
        f"{submission.client_order_id} is the client order id of order {order.id}, which has other terms",
    )


def _why_not(status: OrderStatus) -> str:
    if status in SIGNED:
        return "its transaction is signed and may land at any moment"
    return f"it has already ended: {status}"
