"""What a venue is to the rest of orderd."""

from collections.abc import Sequence
from decimal import ROUND_UP, Decimal
from fractions import Fraction
from typing import Final, Protocol

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import BPS
from orderd.domain.quote import QuoteRequest, VenueName, VenueQuote
from orderd.solana.programs import associated_token
from orderd.solana.wrap import swap_with_accounts

_SWAP_ERRORS: Final = {
    SwapErrorKind.ZERO_INPUT: ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    SwapErrorKind.ZERO_OUTPUT: ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    SwapErrorKind.INSUFFICIENT_LIQUIDITY: ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    SwapErrorKind.AMOUNT_IN_EXCEEDS_U64: ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    SwapErrorKind.VAULT_BALANCE_OVERFLOW: ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
}
_HUNDREDTH: Final = Decimal("0.01")


class Venue(Protocol):
    """A DEX. Thread-safe; every method may ask the chain and raises OrderdError, RPC_* where it does not answer."""

    @property
    def name(self) -> VenueName: ...

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        """The addresses of the pools that trade this pair, in either direction."""
        ...

    def is_fresh(self, request: QuoteRequest) -> bool:
        """Whether `quote` would answer at once, from state that is at hand and young enough."""
        ...

    def quote(self, request: QuoteRequest) -> VenueQuote:
        """The venue's best pool for the request.

        Raises OrderdError: ROUTE_NOT_FOUND, ROUTE_INSUFFICIENT_LIQUIDITY, ROUTE_AMOUNT_TOO_SMALL, POOL_CLOSED,
        POOL_UNSUPPORTED, RPC_UNAVAILABLE or RPC_RATE_LIMITED.
        """
        ...

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        """The token programs of the mint paid and of the mint bought."""
        ...

    def swap_instructions(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, min_amount_out: int
    ) -> list[Instruction]:
        """The swap itself, between token accounts that exist. It fails on chain below `min_amount_out` base units."""
        ...


def trade_instructions(venue: Venue, quote: VenueQuote, owner: Pubkey, min_amount_out: int) -> list[Instruction]:
    """A whole trade from and to the owner's own accounts: what `Venue.swap_instructions` needs around it included."""
    program_in, program_out = venue.token_programs(quote)
    mint_in, mint_out = Pubkey.from_string(quote.mint_in), Pubkey.from_string(quote.mint_out)
    source = associated_token.address(owner, mint_in, program_in)
    destination = associated_token.address(owner, mint_out, program_out)
    swap = venue.swap_instructions(quote, owner, source, destination, min_amount_out)
    return swap_with_accounts(swap, owner, mint_in, mint_out, quote.amount_in, program_out=program_out)


def refusal_of(error: SwapError, pool: str) -> OrderdError:
    """A pool's refusal to make a swap, as a trader is told it."""
    return OrderdError(_SWAP_ERRORS[error.kind], f"pool {pool}: {error}")


def impact_bps(impact: Fraction) -> Decimal:
    """A price impact in basis points, rounded up to a hundredth of one: never shown smaller than it is."""
    return (Decimal(impact.numerator) * BPS / impact.denominator).quantize(_HUNDREDTH, rounding=ROUND_UP)
