"""What the market pays for resting orders: which of a pair may be met, and exact quotes for these."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

import structlog

from orderd.domain.errors import OrderdError
from orderd.domain.money import BPS
from orderd.domain.parts import largest_part
from orderd.domain.quote import QuoteRequest
from orderd.engine.routing.floor import check_floor
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.routing.outline import Outline
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.triggers.book import PairBook
from orderd.engine.triggers.watched import Observed, Watched

log = structlog.get_logger(__name__)


class Pricing:
    """Quotes on the pools that a pass has read, ``found``; nothing is read here."""

    def __init__(self, router: Router, fits: Fits, markets: NewMarkets, clock: Callable[[], float]) -> None:
        self._router = router
        self._fits = fits
        self._markets = markets
        self._clock = clock

    def candidates(self, book: PairBook, pair: Pair, outline: Outline, found: Mapping[Pair, Answers]) -> set[UUID]:
        """The orders of the book that need an exact quote."""
        return book.may_be_met(
            lambda amount: self._paid(request_for(pair, amount), found),
            outline.given_up,
            best_rate=outline.best_rate,
            is_searched=outline.is_searched,
        )

    def exact(self, watched: Watched, found: Mapping[Pair, Answers]) -> Observed | None:
        """What the best route pays for the whole order; None if there is no route."""
        try:
            route = self._router.route(watched.request, 0, self._fits, found).route
        except OrderdError as error:
            if watched.is_confirming:
                log.warning("no route", action="trigger_blind", order_id=str(watched.id), error=str(error))
            return None
        return Observed(route.amount_out, route.slot, self._clock())

    def on_liquidity(self, watched: Watched, found: Mapping[Pair, Answers]) -> Observed:
        """Like ``exact``. Raises OrderdError if there is no route, or a guard of the order is not met."""
        terms = watched.terms
        try:
            decision = self._router.route(
                watched.request, 0, self._fits, found, preferred=self._markets.preferred(terms)
            )
        except OrderdError:
            self._markets.check(terms, None)
            raise
        assert terms.least is not None, "it has a limit"
        check_floor(terms, decision.route, terms.least, decision.refusals)
        self._markets.check(terms, decision)
        return Observed(decision.route.amount_out, decision.route.slot, self._clock())

    def largest_part(self, watched: Watched, found: Mapping[Pair, Answers]) -> int | None:
        """The part of the order that gets its limit; None if it is smaller than the smallest part."""

        def is_paid(amount_in: int) -> bool:
            paid = self._paid(replace(watched.request, amount=amount_in), found)
            return paid is not None and watched.pays(amount_in, paid)

        return largest_part(watched.least_part, watched.terms.amount, is_paid)

    def _paid(self, request: QuoteRequest, found: Mapping[Pair, Answers]) -> int | None:
        try:
            return self._router.route(request, 0, self._fits, found).route.amount_out
        except OrderdError:
            return None


def request_for(pair: Pair, amount: int) -> QuoteRequest:
    """A request limited only by the pools: the limits of orders are never wider."""
    return QuoteRequest(*pair, amount, max_cost_bps=BPS, exit_bps=BPS, has_own_floor=True)
