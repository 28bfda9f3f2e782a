"""An order on its way through a turn, and what is stored and logged of its route."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog

from db.journal import NewAttempt
from db.leases import LiveAttempt
from db.models import Order
from orderd.domain.events import Routed
from orderd.domain.mid import text as mid_text
from orderd.domain.money import format_amount
from orderd.domain.pool_kind import VenueName
from orderd.domain.quote import QuoteRequest, RoutingDecision
from orderd.domain.quoted import Quoted
from orderd.domain.terms import OrderTerms
from orderd.engine.execution.building import SignedAttempt
from orderd.engine.execution.rerouting import Rerouting
from orderd.engine.execution.swap_plan import SwapPlan
from orderd.engine.routing.offers import RouteOffer

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class OrderInTurn:
    """An order in this turn, as it was last stored, and the refusals of its routes so far."""

    order: Order
    terms: OrderTerms
    request: QuoteRequest
    others: Rerouting


@dataclass(frozen=True, slots=True)
class RoutedOrder:
    """An order with its plan, which is not stored yet."""

    work: OrderInTurn
    plan: SwapPlan
    offer: RouteOffer
    decision: RoutingDecision

    @property
    def fact(self) -> Routed:
        offer = self.offer
        return Routed(
            chosen=offer.chosen,
            quotes=offer.quotes,
            refusals=offer.refusals,
            min_amount_out=format_amount(offer.min_amount_out, self.work.order.decimals_out),
            max_amount_in=None
            if offer.max_amount_in is None
            else format_amount(offer.max_amount_in, self.work.order.decimals_in),
            route=offer.route,
            gain_bps=offer.gain_bps,
        )

    @property
    def columns(self) -> dict[str, Any]:
        route, legs = self.plan.route, self.offer.route
        columns = {
            "venue": str(route.main.venue),
            "pool": route.main.pool,
            "route": None if route.is_single else [leg.model_dump() for leg in legs],
            "quoted_amount_out": route.amount_out,
            "min_amount_out": self.offer.min_amount_out,
        }
        if route.exact_out:
            columns |= {"quoted_amount_in": route.amount_in, "max_amount_in": self.offer.max_amount_in}
        return columns

    def attempt(self, signed: SignedAttempt) -> NewAttempt:
        """The attempt to be stored before its bytes are sent."""
        route, order, mid = self.plan.route, self.work.order, self.decision.mid()
        return NewAttempt(
            number=order.failures + 1,
            signature=str(signed.signature),
            signed_bytes=signed.raw,
            last_valid_block_height=signed.last_valid_block_height,
            venue=str(route.main.venue),
            pool=route.main.pool,
            min_amount_out=self.plan.min_amount_out,
            blockhash_slot=signed.blockhash_slot,
            max_amount_in=self.offer.max_amount_in,
            pool_fee=route.fee,
            mid=None if mid is None else mid_text(mid, order.decimals_in, order.decimals_out),
        )

    def log(self) -> None:
        """For the log, when there is nothing else to do."""
        if not logging.getLogger(__name__).isEnabledFor(logging.INFO):
            return
        offer = self.offer
        log.info(
            "routed",
            action="routed",
            order_id=str(self.work.order.id),
            selected_dex=offer.chosen.venue,
            price=offer.chosen.price,
            best_prices=_best_prices(offer.quotes),
            route=[f"{leg.pool_kind} {leg.share} %" for leg in offer.route],
            gain_bps=offer.gain_bps,
            prices={f"{quote.pool_kind} {quote.pool}": quote.price for quote in offer.quotes},
            refusals={refusal.venue: refusal.detail for refusal in offer.refusals},
        )


def live_attempt(order: Order, attempt: NewAttempt) -> LiveAttempt:
    """A stored attempt, for settlement."""
    return LiveAttempt(
        order=order,
        number=attempt.number,
        signature=attempt.signature,
        signed_bytes=attempt.signed_bytes,
        last_valid_block_height=attempt.last_valid_block_height,
        min_amount_out=attempt.min_amount_out,
        blockhash_slot=attempt.blockhash_slot,
    )


def _best_prices(quotes: Sequence[Quoted]) -> dict[VenueName, str]:
    """The best pool's price at each venue, per token."""
    return {quote.venue: quote.price for quote in sorted(quotes, key=lambda quote: Decimal(quote.price))}
