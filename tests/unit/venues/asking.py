"""The best pool of a single venue, for tests of one venue."""

from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest, VenueQuote, best_of
from orderd.venues.base import Venue


def best_quote(venue: Venue, request: QuoteRequest) -> VenueQuote:
    """Raises OrderdError: the refusal of its last pool, or ROUTE_NOT_FOUND if the venue has no pool."""
    liquidity = venue.liquidity(request.mint_in, request.mint_out)
    refusals = list(liquidity.refusals)
    quotes = []
    for pool in liquidity.pools:
        try:
            quote = pool.side.quote_out if request.exact_out else pool.side.quote
            quotes.append(pool.venue_quote(quote(request.amount)))
        except SwapError as error:
            refused = pool.refused(error)
            refusals.append(OrderdError(refused.code, refused.detail))
    if quotes:
        return best_of(quotes)
    if refusals:
        raise refusals[-1]
    raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, f"{venue.name} has no pool for this pair")
