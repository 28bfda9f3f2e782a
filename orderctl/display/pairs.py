"""The pairs of known tokens, by which prices are read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from orderd.domain.errors import OrderdError
from orderd.domain.price import PairPrice
from orderd.domain.tokens import Token, TokenRegistry
from orderd.domain.well_known import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderd.wire.tokens import TokenView

_TOKENS: Final = TokenRegistry(EVERYWHERE)


def know(tokens: Iterable[TokenView]) -> None:
    """Register tokens that the daemon has described, so that their prices can be shown."""
    new = {each.symbol: Token(each.symbol, each.mint, each.decimals) for each in tokens}
    if not new.items() <= _tokens_by_name.items():
        _tokens_by_name.update(new)
        pair_of.cache_clear()


_tokens_by_name: dict[str, Token] = {}


@lru_cache
def pair_of(token_in: str, token_out: str) -> PairPrice | None:
    """The pair of two symbols; None if one is unknown."""
    try:
        sold, bought = (_tokens_by_name.get(name) or _TOKENS.resolve(name) for name in (token_in, token_out))
    except OrderdError:
        return None
    return None if sold == bought else PairPrice(sold, bought)
