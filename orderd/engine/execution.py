"""One order, one turn of a worker: claim, route, build, sign, store, send. The chain's answer is settlement's business.

The order of the last three is what at-most-once rests on: the signed bytes are stored under the order's claim before
they are sent, so that no transaction exists of which Postgres does not know.
"""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import orjson
import structlog

from db import journal
from db.connection import database
from db.journal import Change, Moved, NewAttempt
from db.leases import LiveAttempt
from db.models import Order
from orderd.domain.errors import OrderdError
from orderd.domain.events import Quoted, Routed, Submitted
from orderd.domain.money import format_amount
from orderd.domain.quote import QuoteRequest, VenueName
from orderd.engine.building import Builder, SwapPlan
from orderd.engine.failure import AttemptFailed, LeaseLost
from orderd.engine.leases import Leases
from orderd.engine.offers import offer_of
from orderd.engine.publish import Publisher
from orderd.engine.routing import Router
from orderd.engine.settlement import Settlement
from orderd.engine.views import terms_of
from orderd.solana.sender import Sender

log = structlog.get_logger(__name__)


class Execution:
    """Works orders, from any number of threads. A turn ends when the transaction has been sent once."""

    def __init__(
        self,
        router: Router,
        builder: Builder,
        sender: Sender,
        settlement: Settlement,
        publisher: Publisher,
        leases: Leases,
    ) -> None:
        self._router = router
        self._builder = builder
        self._sender = sender
        self._settlement = settlement
        self._publisher = publisher
        self._leases = leases

    def run(self, order_id: UUID) -> bool:
        """Work one order until it is sent. False where it was not to be had: not due, taken, or ended.

        Raises AttemptFailed when the attempt has failed before anything was signed, LeaseLost when the order was
        taken away in the middle.
        """
        with database.connection_context():  # one connection for the whole turn
            claimed = journal.claim(order_id, self._leases.owner, self._leases.seconds)
            if claimed is None:
                return False
            order = claimed.order
            with self._leases.holding(order.id):
                self._publisher.publish([claimed])
                try:
                    self._submit(order, self._route(order))
                except OrderdError as error:
                    raise AttemptFailed(order.id, order.version, order.failures, error) from error
        return True

    def _route(self, order: Order) -> SwapPlan:
        terms = terms_of(order)
        request = QuoteRequest(order.mint_in, order.mint_out, order.amount_in)
        decision = self._router.route(request, order.slippage_bps, self._builder.fits)
        offer = offer_of(terms, decision)
        route = decision.route
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
        self._write(Change(order.id, fact, order.version, columns))
        return SwapPlan(route, offer.min_amount_out)

    def _submit(self, order: Order, plan: SwapPlan) -> None:
        number = order.failures + 1
        signed = self._builder.sign(plan, memo=f"{order.id}:{number}")
        attempt = NewAttempt(
            number=number,
            signature=str(signed.signature),
            signed_bytes=signed.raw,
            last_valid_block_height=signed.last_valid_block_height,
            venue=str(plan.route.main.venue),
            pool=plan.route.main.pool,
            min_amount_out=plan.min_amount_out,
        )
        fact = Submitted(
            attempt=number,
            signature=attempt.signature,
            last_valid_block_height=attempt.last_valid_block_height,
        )
        moved = self._write(
            Change(order.id, fact, order.version, {"signature": attempt.signature}, new_attempt=attempt)
        )
        # From here on the transaction may land: no error below may be taken for the attempt's end.
        (error,) = self._sender.send([signed.raw])
        if error is not None:
            log.info("first send refused", action="send_refused", order_id=str(order.id), error=str(error))
        self._settlement.track(
            LiveAttempt(
                order=moved.order,
                number=number,
                signature=attempt.signature,
                signed_bytes=attempt.signed_bytes,
                last_valid_block_height=attempt.last_valid_block_height,
                min_amount_out=attempt.min_amount_out,
            )
        )

    def _write(self, change: Change) -> Moved:
        moved = journal.apply([change])
        if not moved:
            raise LeaseLost(f"order {change.order_id} was taken from claim {change.version}")
        self._publisher.publish(moved)
        return moved[0]


def _best_prices(quotes: Sequence[Quoted]) -> dict[VenueName, str]:
    """What the best pool of each venue pays for one token."""
    return {quote.venue: quote.price for quote in sorted(quotes, key=lambda quote: Decimal(quote.price))}
