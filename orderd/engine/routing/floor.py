"""The minimum that an order may be filled for: set with its first route, and enforced on chain by each transaction.

It is the route's quote less the slippage, and never below the trader's minimum. With a limit price, that is the floor.
The floor stays the same for later attempts: otherwise a market that falls from attempt to attempt would cost one
slippage each time. An order may use a new floor with each route; even then none is below its own minimum.
"""

from collections.abc import Iterable

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import BPS, format_amount, min_amount_out
from orderd.domain.order import Floor
from orderd.domain.quote import QuoteRequest, Route, VenueRefusal
from orderd.domain.quoted import Refused
from orderd.domain.terms import OrderTerms
from orderd.engine.routing.venue_refusals import unless_missed


def request_of(terms: OrderTerms) -> QuoteRequest:
    """The request to the market for an order."""
    return QuoteRequest(
        terms.token_in.mint,
        terms.token_out.mint,
        terms.amount,
        max_cost_bps=BPS if terms.max_cost_bps is None else terms.max_cost_bps,
        has_own_floor=terms.least is not None or terms.max_in is not None,
        exit_bps=terms.max_slippage_bps,
        max_deviation_bps=terms.max_slippage_bps,
        exact_out=terms.exact_out is not None,
        token=terms.token_in if terms.exact_out is None else terms.token_out,
    )


def floor_of(terms: OrderTerms, route: Route, agreed: int | None = None) -> int:
    """In base units. ``agreed`` is the floor of the order's route before this one, None if this is the first.

    Raises OrderdError ROUTE_AMOUNT_TOO_SMALL if the slippage leaves less than one base unit.
    """
    if terms.limit_price is not None:
        assert terms.least is not None
        return terms.least
    if agreed is not None and terms.floor is Floor.FIRST:
        return agreed
    floor = max(min_amount_out(route.amount_out, terms.slippage_bps), terms.min_out or 0)
    if floor < 1:
        raise OrderdError(
            ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
            f"with this slippage the minimum amount out is below one base unit of {terms.token_out.symbol}",
        )
    return floor


def check_floor(terms: OrderTerms, route: Route, floor: int, refusals: Iterable[VenueRefusal | Refused] = ()) -> None:
    """Raises OrderdError ROUTE_BELOW_FLOOR if the best route pays less than the order accepts.

    ROUTE_VENUES_UNAVAILABLE if one of the ``refusals`` is a venue that did not answer: it might pay more.
    """
    if route.amount_out >= floor:
        return
    why = _why(terms, floor)
    detail = (
        f"the best route pays {_amount_text(terms, route.amount_out)}, and the order accepts no less than "
        f"{_amount_text(terms, floor)}: {why}"
    )
    raise unless_missed(refusals, OrderdError(ErrorCode.ROUTE_BELOW_FLOOR, detail))


def _why(terms: OrderTerms, floor: int) -> str:
    if floor == terms.min_out:
        return "its own min_out"
    if terms.limit is not None:
        return f"its limit, {terms.limit.describe()}"
    return "the floor of its first route, which holds in all attempts"


def _amount_text(terms: OrderTerms, amount: int) -> str:
    return f"{format_amount(amount, terms.token_out.decimals)} {terms.token_out.symbol}"
