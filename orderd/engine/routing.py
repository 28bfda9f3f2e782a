"""Finding the best route: every venue is asked at the same time, and the one that pays the most wins."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest, RoutingDecision, VenueQuote, VenueRefusal, best_of
from orderd.venues.base import Venue

log = structlog.get_logger(__name__)

# Where no venue offers anything, the reason that tells the trader most is the one to give.
_MOST_TELLING = (
    ErrorCode.ROUTE_VENUES_UNAVAILABLE,
    ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    ErrorCode.POOL_CLOSED,
    ErrorCode.POOL_UNSUPPORTED,
    ErrorCode.ROUTE_NOT_FOUND,
)
_UNAVAILABLE = frozenset(
    {ErrorCode.RPC_UNAVAILABLE, ErrorCode.RPC_RATE_LIMITED, ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_INTERNAL}
)


class Router:
    """Asks the venues. One that is slow or down does not keep the order from the others."""

    def __init__(self, venues: Sequence[Venue], *, timeout_ms: int, max_price_impact_bps: int, threads: int) -> None:
        self._venues = tuple(venues)
        self._timeout = timeout_ms / 1000
        self._max_price_impact_bps = max_price_impact_bps
        self._executor = ThreadPoolExecutor(threads * len(self._venues), thread_name_prefix="venue")

    def venue(self, name: str) -> Venue:
        return next(venue for venue in self._venues if venue.name == name)

    def route(self, request: QuoteRequest) -> RoutingDecision:
        """All answers and the best one.

        Raises OrderdError: ROUTE_* or POOL_* where no venue offers anything, ROUTE_PRICE_IMPACT where even the best
        offer moves the price too far.
        """
        answers = self._ask(request)
        quotes = tuple(answer for answer in answers if isinstance(answer, VenueQuote))
        refusals = tuple(answer for answer in answers if isinstance(answer, VenueRefusal))
        if not quotes:
            raise _nothing_offered(refusals)
        chosen = best_of(quotes)
        if chosen.price_impact_bps > self._max_price_impact_bps:
            raise OrderdError(
                ErrorCode.ROUTE_PRICE_IMPACT,
                f"the best offer, {chosen.venue}, moves the price by {chosen.price_impact_bps} basis points, "
                f"the limit is {self._max_price_impact_bps}",
            )
        return RoutingDecision(chosen, quotes, refusals)

    def _ask(self, request: QuoteRequest) -> list[VenueQuote | VenueRefusal]:
        pending: dict[int, Future[VenueQuote | VenueRefusal]] = {}
        answers: dict[int, VenueQuote | VenueRefusal] = {}
        for position, venue in enumerate(self._venues):
            # A venue that has its pools of this slot at hand answers in microseconds: no thread is worth that.
            if venue.is_fresh(request):
                answers[position] = _answer(venue, request)
            else:
                pending[position] = self._executor.submit(_answer, venue, request)
        wait(pending.values(), timeout=self._timeout)
        for position, future in pending.items():
            if future.done():
                answers[position] = future.result()
            else:
                future.cancel()
                answers[position] = VenueRefusal(
                    self._venues[position].name,
                    ErrorCode.SERVICE_TIMEOUT,
                    f"no answer within {self._timeout * 1000:.0f} ms",
                )
        return [answers[position] for position in range(len(self._venues))]


def _answer(venue: Venue, request: QuoteRequest) -> VenueQuote | VenueRefusal:
    try:
        return venue.quote(request)
    except OrderdError as error:
        return VenueRefusal(venue.name, error.code, error.detail)
    except Exception:
        # A venue that stumbles over its own data must not take the order down with it.
        log.exception("venue failed", action="venue_failed", venue=venue.name)
        return VenueRefusal(venue.name, ErrorCode.SERVICE_INTERNAL, "the venue's data could not be read")


def _nothing_offered(refusals: Sequence[VenueRefusal]) -> OrderdError:
    told = "; ".join(f"{refusal.venue}: {refusal.detail}" for refusal in refusals)
    codes = {
        ErrorCode.ROUTE_VENUES_UNAVAILABLE if refusal.code in _UNAVAILABLE else refusal.code for refusal in refusals
    }
    code = next((code for code in _MOST_TELLING if code in codes), ErrorCode.ROUTE_NOT_FOUND)
    return OrderdError(code, told or "no venue is configured")
