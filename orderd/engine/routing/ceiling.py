"""The maximum cost of an order for an exact output: the counterpart of ``floor``, with the same rules.

It is the quoted cost of the first route plus the slippage, never above the trader's maximum, and it stays the same.
"""

from collections.abc import Iterable

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import format_amount, max_amount_in
from orderd.domain.order import Floor
from orderd.domain.quote import Route, VenueRefusal
from orderd.domain.quoted import Refused
from orderd.domain.terms import OrderTerms
from orderd.engine.routing.venue_refusals import unless_missed


def ceiling_of(terms: OrderTerms, route: Route, agreed: int | None = None) -> int:
    """In base units. ``agreed`` is the ceiling of the order's route before this one, None if this is the first."""
    if agreed is not None and terms.floor is Floor.FIRST:
        return agreed
    ceiling = max_amount_in(route.amount_in, terms.slippage_bps)
    return ceiling if terms.max_in is None else min(ceiling, terms.max_in)


def check_ceiling(
    terms: OrderTerms, route: Route, ceiling: int, refusals: Iterable[VenueRefusal | Refused] = ()
) -> None:
    """Raises OrderdError ROUTE_ABOVE_CEILING if the best route costs more than the order accepts.

    ROUTE_VENUES_UNAVAILABLE if one of the ``refusals`` is a venue that did not answer: it might cost less.
    """
    if route.amount_in <= ceiling:
        return
    why = "its own max_in" if ceiling == terms.max_in else "the ceiling of its first route, which holds in all attempts"
    detail = (
        f"the best route takes {_amount_text(terms, route.amount_in)}, and the order pays no more than "
        f"{_amount_text(terms, ceiling)}: {why}"
    )
    raise unless_missed(refusals, OrderdError(ErrorCode.ROUTE_ABOVE_CEILING, detail))


def _amount_text(terms: OrderTerms, amount: int) -> str:
    return f"{format_amount(amount, terms.token_in.decimals)} {terms.token_in.symbol}"
