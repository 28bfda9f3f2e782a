"""Taking orders in, and taking them back before anything is signed."""

from collections.abc import Callable, Sequence
from dataclasses import field
from uuid import UUID

from peewee import PeeweeException
from uuid_utils.compat import uuid7

from db import audit, journal, restoring
from db.audit import CANCEL, Actor, Entry
from db.connection import database, refusal, transaction, was_refused
from db.journal import Change, Moved, NewOrder
from db.models import Order
from db.terms import terms_of
from orderd.best_effort import best_effort
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled
from orderd.domain.frozen import dataclass
from orderd.domain.money import BPS
from orderd.domain.order import WAITING, OrderStatus
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_formatting import format_terms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.tokens import TokenRegistry
from orderd.engine import families, halting, views
from orderd.engine.allowance import UNLIMITED, Spending, TradingLimits, accept_within
from orderd.engine.amendment import Amendments, Changes
from orderd.engine.reservation import Reservations
from orderd.wire.orders import OrderView


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission. ``id`` is the new order's id: if a batch is written again, it identifies what the first write
    stored."""

    account_id: UUID
    client_order_id: str
    terms: OrderTerms
    by: Actor
    spending: Spending | None = None
    """The limits of money of the submitter, if any."""
    bounded: OrderTerms | None = None
    """The terms of the order, if those limits bind it to more than ``terms``, by which a repetition is recognised."""
    label: str | None = None
    """Shown with its acceptance. Not part of the comparison of two submissions."""
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class SubmitOutcome:
    """``created`` is false if the same order had been submitted before."""

    order: OrderView
    created: bool


class Intake:
    """Accepts orders durably and hands them to the queue; an answer means that the order is on disk.

    ``send`` publishes changes and queues new orders, ``forget`` removes an order from the rate limit's line; both
    return without waiting, because the answer must not wait. ``name`` is the name of this process in leases.
    """

    def __init__(
        self,
        tokens: TokenRegistry,
        default_slippage: str,
        send: Callable[[Sequence[UUID], Sequence[Moved]], None],
        forget: Callable[[UUID], None],
        name: str | None = None,
        *,
        valid_seconds: int | None = None,
        max_total_cost_bps: int = BPS,
        reservations: Reservations | None = None,
        limits: TradingLimits = UNLIMITED,
    ) -> None:
        self._valid_seconds = valid_seconds
        self._tokens = tokens
        self._default_slippage = default_slippage
        self._send = send
        self._forget = forget
        self._name = name
        self._max_total_cost_bps = max_total_cost_bps
        self._reservations = reservations or Reservations()
        self.limits = limits
        """The daemon's limits for all orders together. New values apply from the next submission on."""
        self._amendments = Amendments(max_total_cost_bps, self._reservations)
        self.on_stored: Callable[[Sequence[Moved]], object] = lambda _: None
        """Gets new orders before all others, in the thread that has stored them."""

    @property
    def registry(self) -> TokenRegistry:
        """The tokens that can be traded, to be found by their names."""
        return self._tokens

    def symbol(self, name: str) -> str:
        """The symbol of a token given by symbol or mint. Raises OrderdError TOKEN_UNKNOWN or TOKEN_AMBIGUOUS."""
        return self._tokens.symbol_of(self._tokens.mint_of(name))

    # What is submitted

    def terms(self, given: GivenTerms) -> OrderTerms:
        """The trader's terms, checked.

        Raises OrderdError of the TOKEN, AMOUNT, SLIPPAGE and COST kinds; TOKEN_UNREAD if a token's decimals are not
        known, which are needed for amounts.
        """
        return understood(given, self._tokens, self._default_slippage, self._max_total_cost_bps)

    def repeated(self, account_id: UUID, client_order_id: str, given: GivenTerms) -> SubmitOutcome | None:
        """The order of an earlier submission with the same given terms; None if there is none.

        A repeated submission is the same order even if a symbol now means another mint, or none. Needs a connection.
        """
        order = journal.submitted_as(account_id, client_order_id)
        if order is None:
            return None
        before = terms_of(order)
        registry = TokenRegistry((before.token_in, before.token_out))
        try:
            terms = understood(given, registry, self._default_slippage, self._max_total_cost_bps)
        except OrderdError:
            return None
        return SubmitOutcome(views.order_view(order), created=False) if _is_same(terms, order) else None

    def resolved(self, terms: OrderTerms) -> OrderTerms:
        """The terms with a relative amount resolved to its current value. Raises OrderdError FUNDS_*. Needs a
        connection."""
        return self._reservations.resolved(terms)

    # Acceptance

    def submit_batch(self, submissions: Sequence[Submission]) -> list[SubmitOutcome | OrderdError]:
        """Store all in one statement and queue them; the results are in the order of the submissions.

        May be called again with the same submissions if the connection was lost, even after the commit. If a client
        order id exists, the answer is its order if the terms are equal, and ORDER_CONFLICT otherwise. New orders are
        refused with SERVICE_HALTED during a halt. A submission with limits of money has its own transaction.
        """
        outcomes: dict[int, SubmitOutcome | OrderdError] = {}
        with database.connection_context():
            new = [self._new_order(each) for each in submissions if each.spending is None]
            added, refused = self._accept(new)
            # From here on something is committed: an error is reported for the one submission that it concerns.
            for number, submission in enumerate(submissions):
                if submission.spending is not None:
                    try:
                        added += accept_within(
                            self._new_order(submission), submission.spending, self._name, self._reservations.check
                        )
                    except (OrderdError, PeeweeException) as error:
                        outcomes[number] = _with_outcome(submission, error)
            stored = {moved.order.id: moved.order for moved in added}
            for number, submission in enumerate(submissions):
                if number in outcomes:
                    continue
                order, why_not = stored.get(submission.id), refused.get(submission.id)
                outcomes[number] = why_not or (_known(submission) if order is None else _new(order))
        answers = [outcomes[number] for number in range(len(submissions))]
        created = [each.order for each in answers if isinstance(each, SubmitOutcome) and each.created]
        self._afterwards(added, [order.id for order in created if order.status in WAITING])
        return answers

    def _accept(self, new: Sequence[NewOrder]) -> tuple[list[Moved], dict[UUID, OrderdError]]:
        if any(self._reservations.reserves(each.terms) for each in new):
            return self._reservations.accept(new, self._name, unless_halted=True)
        return journal.accept(new, self._name, unless_halted=True), {}

    def _new_order(self, submission: Submission) -> NewOrder:
        return new_order(submission, self._valid_seconds)

    def _afterwards(self, added: Sequence[Moved], order_ids: Sequence[UUID]) -> None:
        """Publish and queue. A failure here does not affect the answer, because the orders are on disk."""
        with best_effort("learn"):
            self.on_stored(added)
        with best_effort("enqueue"):
            self._send(order_ids, added)

    def known(self, submission: Submission) -> SubmitOutcome | None:
        """The order that was submitted under the same client order id before; None if there is none.

        Raises OrderdError ORDER_CONFLICT if it has other terms. Needs a database connection.
        """
        outcome = _existing(submission)
        if isinstance(outcome, OrderdError):
            raise outcome
        return outcome

    # Changes of orders

    def amended_terms(self, account_id: UUID, ref: str, changes: Changes, *, sees_all: bool) -> OrderTerms:
        """The terms of an order after these changes. Raises the errors of ``Amendments.terms``."""
        return self._amendments.terms(account_id, ref, changes, sees_all=sees_all)

    def submitted_by(self, account_id: UUID, ref: str, *, sees_all: bool) -> UUID | None:
        """The API key that submitted an order; None for a client without one. Raises the errors of ``views.find``.
        Needs a connection."""
        key_id: UUID | None = views.find(account_id, ref, sees_all=sees_all).token_id
        return key_id

    def amend(
        self,
        account_id: UUID,
        ref: str,
        changes: Changes,
        by: Actor,
        spending: Spending | None = None,
        *,
        sees_all: bool = False,
    ) -> OrderView:
        """Change an order that rests. Raises OrderdError as ``Amendments.amend`` does."""
        moved = self._amendments.amend(account_id, ref, changes, by, spending, sees_all=sees_all)
        with best_effort("publish"):
            self._send([], [moved])
        return views.order_view(moved.order)

    def cancel(self, account_id: UUID, ref: str, by: Actor, *, sees_all: bool = False) -> OrderView:
        """Cancel an order immediately if nothing is signed; a signed order gets no further attempts.

        For a signed order the answer has ``cancel_requested``; it ends with its transaction. Cancelling twice is not an
        error. ``sees_all`` is whether ``ref`` may also name an order of another account.

        Raises OrderdError: ORDER_NOT_FOUND, ORDER_AMBIGUOUS or, for one that has ended, ORDER_NOT_CANCELLABLE.
        """
        with database.connection_context():
            order = views.find(account_id, ref, sees_all=sees_all)
            moved = _cancel(order, by)
            if not moved:
                order = Order.get_by_id(order.id)
                if order.status is not OrderStatus.CANCELLED and not order.cancel_requested:
                    detail = f"it has already ended: {order.status}"
                    raise OrderdError(ErrorCode.ORDER_NOT_CANCELLABLE, detail)
                return views.order_view(order)
        with best_effort("publish"):
            self._send([], moved)
        with best_effort("forget"):
            self._forget(order.id)
        return views.order_view(moved[-1].order)


def new_order(new: Submission, valid_seconds: int | None = None) -> NewOrder:
    """The row of a submission."""
    terms = new.bounded or new.terms
    first = None if terms == new.terms else new.terms
    return NewOrder(
        new.id, new.account_id, new.client_order_id, terms, new.by, valid_seconds, label=new.label, first_terms=first
    )


@transaction
def _cancel(order: Order, by: Actor) -> list[Moved]:
    moved = families.cancel(order.id) if terms_of(order).is_family else []
    moved = moved or _withdraw(order.id)
    audit.record([Entry(by, CANCEL, order_id=each.order.id) for each in moved])
    return moved


def _withdraw(order_id: UUID) -> list[Moved]:
    return journal.apply([Change(order_id, Cancelled(), None)]) or journal.request_cancel(order_id)


def _new(order: Order) -> SubmitOutcome:
    return SubmitOutcome(views.order_view(order), created=True)


def _known(submission: Submission) -> SubmitOutcome | OrderdError:
    """The existing order with the same client order id; if there is none, a halt prevented the acceptance."""
    try:
        existing = _existing(submission)
    except PeeweeException as error:
        return _with_outcome(submission, error)
    return existing or _lost(submission) or halting.current() or _halt_just_lifted()


def _lost(submission: Submission) -> OrderdError | None:
    signature = restoring.traded_as(submission.account_id, submission.client_order_id)
    if signature is None:
        return None
    detail = f"it was traded by transaction {signature} before the database was restored, and is not traded again"
    return OrderdError(ErrorCode.ORDER_TRADED, detail)


def _halt_just_lifted() -> OrderdError:
    return OrderdError(ErrorCode.SERVICE_HALTED, "the halt was lifted a moment ago")


def _with_outcome(submission: Submission, error: OrderdError | PeeweeException) -> OrderdError:
    """The error of a submission that was not accepted; ``outcome_unknown`` if the connection was lost."""
    if isinstance(error, OrderdError):
        return error
    if was_refused(error):
        return refusal(error, "the order was not taken")
    return outcome_unknown(submission)


def outcome_unknown(submission: Submission) -> OrderdError:
    """The answer if it is not known whether an order was stored."""
    name = f"order {submission.id} (client order id {submission.client_order_id})"
    detail = f"Postgres did not confirm in time whether {name} was stored"
    return OrderdError(
        ErrorCode.SERVICE_TIMEOUT, f"{detail}; look for it, or send it again with the same client order id"
    )


def _is_same(terms: OrderTerms, order: Order) -> bool:
    """Whether these are the terms that the order was submitted with, whatever amendments it has had since."""
    if order.first_terms is None:
        return terms.is_same_as(terms_of(order))
    if (terms.token_in.mint, terms.token_out.mint) != (order.mint_in, order.mint_out):
        return False  # the stored terms have symbols, which may mean other mints now
    not_compared = set() if terms.amount_word is None else {"amount_in"}
    given = format_terms(terms).model_dump(mode="json", exclude=not_compared)
    return given == {name: value for name, value in order.first_terms.items() if name not in not_compared}


def _existing(submission: Submission) -> SubmitOutcome | OrderdError | None:
    order = journal.submitted_as(submission.account_id, submission.client_order_id)
    if order is None:
        return None
    if _is_same(submission.terms, order):
        return SubmitOutcome(views.order_view(order), created=order.id == submission.id)
    return OrderdError(
        ErrorCode.ORDER_CONFLICT,
        f"{submission.client_order_id} is the client order id of order {order.id}, which has other terms",
    )
