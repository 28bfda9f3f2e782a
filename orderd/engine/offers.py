"""The venues' answers in the trader's terms: whole tokens instead of base units, symbols instead of mints."""

from dataclasses import dataclass
from decimal import Decimal

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Quoted, Refused
from orderd.domain.money import format_amount, format_price, min_amount_out
from orderd.domain.order import OrderTerms
from orderd.domain.quote import RoutingDecision, VenueQuote


@dataclass(frozen=True, slots=True)
class Offer:
    """A routing decision as it is told; ``min_amount_out`` in base units, the slippage taken off."""

    chosen: Quoted
    quotes: tuple[Quoted, ...]
    refusals: tuple[Refused, ...]
    min_amount_out: int


def offer_of(terms: OrderTerms, decision: RoutingDecision) -> Offer:
    """Raises OrderdError ROUTE_AMOUNT_TOO_SMALL where the slippage leaves less than one base unit."""
    floor = min_amount_out(decision.chosen.amount_out, terms.slippage_bps)
    if floor < 1:
        raise OrderdError(
            ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
            f"with this slippage the least to be received is below one base unit of {terms.token_out.symbol}",
        )
    return Offer(
        chosen=_quoted(terms, decision.chosen),
        quotes=tuple(_quoted(terms, quote) for quote in decision.quotes),
        refusals=tuple(Refused(venue=each.venue, code=each.code, detail=each.detail) for each in decision.refusals),
        min_amount_out=floor,
    )


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
        price_impact_bps=f"{quote.price_impact_bps.quantize(Decimal('0.01')):f}",
        slot=quote.slot,
    )
