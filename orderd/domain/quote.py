"""What a venue answers when it is asked for a price, and which answer wins."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from orderd.domain.errors import ErrorCode


class VenueName(StrEnum):
    RAYDIUM = "raydium"
    METEORA = "meteora"


class PoolKind(StrEnum):
    """The program a pool belongs to."""

    RAYDIUM_CPMM = "raydium_cpmm"
    METEORA_DLMM = "meteora_dlmm"


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """Sell exactly ``amount_in`` base units of ``mint_in`` for ``mint_out``. Mints are base58."""

    mint_in: str
    mint_out: str
    amount_in: int


@dataclass(frozen=True, slots=True)
class VenueQuote:
    """The best single pool of one venue. Amounts in base units, all pool fees taken off.

    ``fee`` is the pool's fee in base units of ``fee_mint``. ``price_impact_bps`` is what depth costs against the
    pool's spot price, fees not included. ``slot`` is the slot of the pool state that was read.
    """

    venue: VenueName
    pool: str
    pool_kind: PoolKind
    mint_in: str
    mint_out: str
    amount_in: int
    amount_out: int
    fee: int
    fee_mint: str
    price_impact_bps: Decimal
    slot: int


@dataclass(frozen=True, slots=True)
class VenueRefusal:
    """A venue that gave no quote, and why."""

    venue: VenueName
    code: ErrorCode
    detail: str


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """All answers to one request; ``chosen`` is among ``quotes`` and pays the most after all fees."""

    chosen: VenueQuote
    quotes: tuple[VenueQuote, ...]
    refusals: tuple[VenueRefusal, ...]


def best_of(quotes: tuple[VenueQuote, ...]) -> VenueQuote:
    """The quote that pays the most. Among equals the lower price impact wins, then the venue's name: repeatable."""
    return min(quotes, key=lambda quote: (-quote.amount_out, quote.price_impact_bps, quote.venue))
