"""A routing decision in the trader's terms: whole tokens instead of base units, symbols instead of mints."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from orderd.domain.frozen import dataclass
from orderd.domain.money import HUNDREDTH, format_amount, format_price
from orderd.domain.quote import Route, RoutingDecision, VenueQuote, VenueRefusal
from orderd.domain.quoted import Quoted, Refused, RoutedLeg
from orderd.domain.terms import OrderTerms
from orderd.engine.routing.ceiling import ceiling_of, check_ceiling
from orderd.engine.routing.floor import check_floor, floor_of

Agreed = tuple[int | None, int | None]
"""The floor and the ceiling of an order's earlier routes, in base units."""
NOTHING_AGREED: Final[Agreed] = (None, None)


@dataclass(frozen=True, slots=True)
class RouteOffer:
    """A routing decision as it is shown; ``min_amount_out`` is the order's floor with it, in base units.

    For an exact output that is the output, and ``max_amount_in`` the order's ceiling.
    """

    chosen: Quoted
    quotes: tuple[Quoted, ...]
    refusals: tuple[Refused, ...]
    route: tuple[RoutedLeg, ...]
    gain_bps: str | None
    min_amount_out: int
    max_amount_in: int | None = None

    @property
    def limit(self) -> int:
        """The one of the two that the chain has to enforce; the other amount is exact."""
        return self.min_amount_out if self.max_amount_in is None else self.max_amount_in


def offer_of(
    terms: OrderTerms, decision: RoutingDecision, agreed: int | None = None, agreed_most: int | None = None
) -> RouteOffer:
    """``agreed`` is the earlier floor, if there is one, ``agreed_most`` the earlier ceiling.

    Raises OrderdError as ``floor_of`` does.
    """
    route = decision.route
    gain = decision.gain_bps
    quotes = tuple(_quoted(terms, quote) for quote in decision.quotes)
    same = (told for quote, told in zip(decision.quotes, quotes, strict=True) if quote == route.main)
    return RouteOffer(
        chosen=(next(same, None) or _quoted(terms, route.main)) if route.is_single else _chosen(terms, route),
        quotes=quotes,
        refusals=refused_from(decision.refusals),
        route=_legs(terms, decision),
        gain_bps=None if gain is None else f"{gain.quantize(HUNDREDTH):f}",
        min_amount_out=floor_of(terms, route, agreed) if terms.exact_out is None else terms.exact_out,
        max_amount_in=None if terms.exact_out is None else ceiling_of(terms, route, agreed_most),
    )


def check_offer(terms: OrderTerms, route: Route, offer: RouteOffer) -> None:
    """Raises OrderdError as ``check_floor`` and ``check_ceiling`` do."""
    if offer.max_amount_in is None:
        check_floor(terms, route, offer.min_amount_out, offer.refusals)
    else:
        check_ceiling(terms, route, offer.max_amount_in, offer.refusals)


def refused_from(refusals: Iterable[VenueRefusal]) -> tuple[Refused, ...]:
    return tuple(Refused(venue=each.venue, code=each.code, detail=each.detail) for each in refusals)


def _quoted(terms: OrderTerms, quote: VenueQuote) -> Quoted:
    fee_token = terms.token_in if quote.fee_mint == quote.mint_in else terms.token_out
    return Quoted(
        venue=quote.venue,
        pool=quote.pool,
        pool_kind=quote.pool_kind,
        amount_out=format_amount(quote.amount_out, terms.token_out.decimals),
        price=format_price(quote.amount_in, terms.token_in.decimals, quote.amount_out, terms.token_out.decimals),
        fee=format_amount(quote.fee, fee_token.decimals),
        fee_token=fee_token.symbol,
        price_impact_bps=f"{quote.price_impact_bps:f}",
        slot=quote.slot,
        amount_in=_taken(terms, quote),
    )


def _chosen(terms: OrderTerms, route: Route) -> Quoted:
    """A route of several legs as one quote."""
    return Quoted(
        venue=route.main.venue,
        pool=route.main.pool,
        pool_kind=route.main.pool_kind,
        amount_out=format_amount(route.amount_out, terms.token_out.decimals),
        price=format_price(route.amount_in, terms.token_in.decimals, route.amount_out, terms.token_out.decimals),
        fee=format_amount(route.fee, terms.token_in.decimals),
        fee_token=terms.token_in.symbol,
        price_impact_bps=f"{route.price_impact_bps:f}",
        slot=route.slot,
        amount_in=_taken(terms, route),
    )


def _taken(terms: OrderTerms, offered: VenueQuote | Route) -> str | None:
    """The input of the route, if it differs from the order's amount."""
    return format_amount(offered.amount_in, terms.token_in.decimals) if offered.exact_out else None


def _legs(terms: OrderTerms, decision: RoutingDecision) -> tuple[RoutedLeg, ...]:
    between = [] if decision.through is None else [decision.through]
    tokens = [terms.token_in, *between, terms.token_out]
    return tuple(
        RoutedLeg(
            hop=number,
            venue=leg.venue,
            pool=leg.pool,
            pool_kind=leg.pool_kind,
            token_in=tokens[number - 1].symbol,
            token_out=tokens[number].symbol,
            share=f"{(Decimal(leg.amount_in) * 100 / hop.amount_in).quantize(HUNDREDTH).normalize():f}",
            amount_in=format_amount(leg.amount_in, tokens[number - 1].decimals),
            amount_out=format_amount(leg.amount_out, tokens[number].decimals),
        )
        for number, hop in enumerate(decision.route.hops, start=1)
        for leg in hop.legs
    )
