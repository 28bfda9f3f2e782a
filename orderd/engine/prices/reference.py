"""What a pair costs by its pools alone, when no order says for which amount: the mid for an amount that is usual."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from orderd.amm.swap import SwapError
from orderd.domain.mid import mid_between, text
from orderd.domain.price import PairPrice
from orderd.domain.tokens import DEVNET_USDC_MINT, USDC_MINT, WSOL_MINT
from orderd.engine.routing.search import quoted
from orderd.venues.base import OpenPool

_REFERENCE: Final = {USDC_MINT: 100 * 10**6, DEVNET_USDC_MINT: 100 * 10**6, WSOL_MINT: 10**9}
"""Base units of the quote token: 100 USDC, 1 SOL. A pool that cannot take so much shows no price."""


def is_told(pair: PairPrice) -> bool:
    """Whether prices of the pair are kept: those in USDC and in SOL."""
    return pair.quote.mint in _REFERENCE


def price_of(pools: Sequence[OpenPool], pair: PairPrice) -> Decimal | None:
    """The price of the base token in the quote token, by pools in the direction of ``pair.token_in``; None without
    one."""
    amount = _REFERENCE[pair.quote.mint]
    if pair.quote != pair.token_in:
        spots = [spot for pool in pools if (spot := _spot(pool)) is not None]
        if not spots:
            return None
        amount = max(1, int(amount / max(spots)))
    quotes = [pool.venue_quote(quote) for pool in pools if (quote := quoted(pool, amount)) is not None]
    mid = mid_between(quotes)
    if mid is None:
        return None
    if pair.quote == pair.token_in:
        mid = 1 / mid
    return Decimal(text(mid, pair.base.decimals, pair.quote.decimals))


def _spot(pool: OpenPool) -> Fraction | None:
    try:
        return pool.side.rates().spot
    except SwapError:
        return None
