"""The reference price of a pair without an order: the mid price for a usual amount."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from orderd.domain.mid import mid_between, text
from orderd.domain.price import PairPrice
from orderd.domain.tokens import DEVNET_USDC_MINT, USDC_MINT, WSOL_MINT
from orderd.engine.routing.search import quoted
from orderd.engine.routing.search_out import cost_of
from orderd.venues.base import OpenPool

_REFERENCE: Final = {USDC_MINT: 100 * 10**6, DEVNET_USDC_MINT: 100 * 10**6, WSOL_MINT: 10**9}
"""Base units of the quote token: 100 USDC, 1 SOL. A pool that cannot take this amount has no price."""


def has_reference(pair: PairPrice) -> bool:
    """Whether prices of the pair are recorded: only those in USDC and SOL."""
    return pair.quote.mint in _REFERENCE


def price_of(pools: Sequence[OpenPool], pair: PairPrice) -> Decimal | None:
    """The price of the base token in the quote token, by pools in the direction of ``pair.token_in``; None without
    one."""
    ask = quoted if pair.quote == pair.token_in else cost_of
    amount = _REFERENCE[pair.quote.mint]
    mid = mid_between([pool.venue_quote(quote) for pool in pools if (quote := ask(pool, amount)) is not None])
    if mid is None:
        return None
    if pair.quote == pair.token_in:
        mid = 1 / mid
    return Decimal(text(mid, pair.base.decimals, pair.quote.decimals))
