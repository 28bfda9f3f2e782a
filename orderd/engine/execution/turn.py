"""One order, one turn of a worker: claim, route, build, sign, store, send. The chain's answer is settlement's business.

The order of the last three is what at-most-once rests on: the signed bytes are stored under the order's claim before
they are sent, so that no transaction exists of which Postgres does not know.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from decimal import Decimal
from uuid import UUID

import orjson
import structlog

from db import journal
from db.connection import database
from db.journal import Change, Moved, NewAttempt
from db.leases import LiveAttempt
from db.models import Order
from db.terms import terms_of
from db.validity import expiry
from orderd.domain.errors import OrderdError
from orderd.domain.events import Quoted, Routed, Submitted
from orderd.domain.money import format_amount
from orderd.domain.quote import VenueName
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.execution.building import Builder, SignedAttempt, SwapPlan
from orderd.engine.execution.rerouting import Rerouting
from orderd.engine.execution.together import Together
from orderd.engine.failure import AttemptFailedError, LeaseLostError
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.routing.floor import check_floor, request_of
from orderd.engine.routing.offers import offer_of
from orderd.engine.routing.router import Router
from orderd.engine.settlement.live import LiveAttempts
from orderd.solana.rpc import RpcError
from orderd.solana.sender import Sender

Written = tuple[Change, Moved | journal.Objection | None]
"""A change, and what came of it."""
log = structlog.get_logger(__name__)


class Execution:
    """Works orders, from any number of threads. A turn ends when the transaction has been sent once."""

    def __init__(
        self,
        router: Router,
        builder: Builder,
        sender: Sender,
        live: LiveAttempts,
        publisher: Publisher,
        leases: Leases,
        look: Callable[[], object] = lambda: None,
    ) -> None:
        """``look`` is as in ``Dispatch``."""
        self._router = router
        self._builder = builder
        self._sender = sender
        self._live = live
        self._publisher = publisher
        self._leases = leases
        self._look = look
        # One commit and one request for what ten threads have at the same time.
        self._claim = Together("claim", self._claim_all)
        self._write = Together("write", self._write_all)
        self._send = Together("send", self._send_all)

    def run(self, order_id: UUID) -> bool:
        """Work one order until it is sent. False where it was not to be had: not due, taken, or ended.

        Raises AttemptFailedError when the attempt has failed before anything was signed, LeaseLostError when the order
        was taken away in the middle.
        """
        claimed = self._claim(order_id).result()
        if claimed is None:
            return False
        order = claimed.order
        with self._leases.holding(order.id):
            try:
                self._submit(order, *self._sign(order))
            except LeaseLostError:
                self._expire(order)
                raise
            except OrderdError as error:
                raise AttemptFailedError(order, error) from error
        return True

    def _sign(self, order: Order) -> tuple[SwapPlan, SignedAttempt]:
        """Take the best route, and where it is refused the best one without what refused, while the lease lasts."""
        others = Rerouting(self._builder.fits, self._leases.seconds)
        while True:
            plan, routed = self._route(order, others)
            try:
                return plan, self._builder.sign(plan, memo=f"{order.id}:{order.failures + 1}")
            except RouteRefusedError as refusal:
                others.refused(refusal)
            finally:  # whatever comes next is written on top of it, and keeps to its floor
                order = _moved(routed).order

    def _route(self, order: Order, others: Rerouting) -> "tuple[SwapPlan, Future[Written]]":
        """The plan, and its event, which is on its way to the disk."""
        terms = terms_of(order)
        with others.routing():
            decision = self._router.route(request_of(terms), order.slippage_bps, others.fits)
        route = decision.route
        offer = offer_of(terms, decision, order.min_amount_out)
        check_floor(terms, route, offer.min_amount_out, decision.refusals)
        log.info(
            "routed",
            action="routed",
            order_id=str(order.id),
            selected_dex=offer.chosen.venue,
            price=offer.chosen.price,
            best_prices=_best_prices(offer.quotes),
            route=[f"{leg.pool_kind} {leg.share} %" for leg in offer.route],
            gain_bps=offer.gain_bps,
            prices={f"{quote.pool_kind} {quote.pool}": quote.price for quote in offer.quotes},
            refusals={refusal.venue: refusal.detail for refusal in offer.refusals},
        )
        fact = Routed(
            chosen=offer.chosen,
            quotes=offer.quotes,
            refusals=offer.refusals,
            min_amount_out=format_amount(offer.min_amount_out, order.decimals_out),
            route=offer.route,
            gain_bps=offer.gain_bps,
        )
        columns = {
            "venue": str(route.main.venue),
            "pool": route.main.pool,
            "route": None if route.is_single else orjson.dumps([leg.model_dump() for leg in offer.route]).decode(),
            "quoted_amount_out": route.amount_out,
            "min_amount_out": offer.min_amount_out,
        }
        routed = self._write(Change(order.id, fact, order.version, columns))
        return SwapPlan(route, offer.min_amount_out), routed

    def _submit(self, order: Order, plan: SwapPlan, signed: SignedAttempt) -> None:
        number = order.failures + 1
        attempt = NewAttempt(
            number=number,
            signature=str(signed.signature),
            signed_bytes=signed.raw,
            last_valid_block_height=signed.last_valid_block_height,
            venue=str(plan.route.main.venue),
            pool=plan.route.main.pool,
            min_amount_out=plan.min_amount_out,
            blockhash_slot=signed.blockhash_slot,
        )
        fact = Submitted(
            attempt=number,
            signature=attempt.signature,
            last_valid_block_height=attempt.last_valid_block_height,
        )
        change = Change(
            order.id, fact, order.version, {"signature": attempt.signature}, valid=True, new_attempt=attempt
        )
        moved = _moved(self._write(change))
        # From here on the transaction may land: no error below may be taken for the attempt's end.
        self._live.track(
            LiveAttempt(
                order=moved.order,
                number=number,
                signature=attempt.signature,
                signed_bytes=attempt.signed_bytes,
                last_valid_block_height=attempt.last_valid_block_height,
                min_amount_out=attempt.min_amount_out,
                blockhash_slot=attempt.blockhash_slot,
            )
        )
        self._send((order.id, signed.raw))

    def _expire(self, order: Order) -> None:
        """End an order whose claim could not write, if that is because it is no longer valid."""
        if order.valid_until is not None:
            with database.connection_context():
                self._look()
                self._publisher.publish(journal.apply([expiry(order)]))

    def _claim_all(self, order_ids: Sequence[UUID]) -> list[Moved | None]:
        with database.connection_context():
            claimed = journal.claim(order_ids, self._leases.owner, self._leases.seconds)
        self._publisher.publish(claimed)
        # Of two threads that want the same order one has it.
        by_id = {each.order.id: each for each in claimed}
        return [by_id.pop(order_id, None) for order_id in order_ids]

    def _write_all(self, changes: Sequence[Change]) -> "list[Written]":
        with database.connection_context():
            written = [*zip(changes, journal.apply_each(changes), strict=True)]
        self._publisher.publish([moved for _, moved in written if isinstance(moved, Moved)])
        return written

    def _send_all(self, signed: Sequence[tuple[UUID, bytes]]) -> list[RpcError | None]:
        answers = self._sender.send([raw for _, raw in signed])
        for (order_id, _), error in zip(signed, answers, strict=True):
            if error is not None:
                log.info("first send refused", action="send_refused", order_id=str(order_id), error=str(error))
        return answers


def _moved(write: "Future[Written]") -> Moved:
    """What a write led to. Raises LeaseLostError where the order is another's, and what the database objects to."""
    change, moved = write.result()
    if moved is None:
        raise LeaseLostError(f"order {change.order_id} was taken from claim {change.version}")
    if isinstance(moved, Exception):
        raise moved
    return moved


def _best_prices(quotes: Sequence[Quoted]) -> dict[VenueName, str]:
    """What the best pool of each venue pays for one token."""
    return {quote.venue: quote.price for quote in sorted(quotes, key=lambda quote: Decimal(quote.price))}
