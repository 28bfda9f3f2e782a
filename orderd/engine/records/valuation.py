"""Values of tokens in one of them, by recorded prices."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from db import candles
from orderd.domain.price import PairPrice
from orderd.domain.tokens import Token, TokenRegistry

UNITS: Final = ("USDC", "SOL")
"""The units of values; these symbols are the same on each chain, and reserved."""


class Valuation:
    """Prices in ``unit``, cached per minute. Needs a connection."""

    def __init__(self, tokens: TokenRegistry, unit: Token, *, is_estimate: bool = False) -> None:
        """``is_estimate``: if no price of the hour before is known, the nearest one is used."""
        self._tokens = tokens
        self.unit = unit
        self._is_estimate = is_estimate
        self._known: dict[tuple[str, str, datetime], Decimal | None] = {}

    def price(self, mint: str, at: datetime) -> Fraction | None:
        """The price of one whole token in whole units at that time; None if not known."""
        token = self._tokens.find(mint)
        if token is None:
            return None
        if token == self.unit:
            return Fraction(1)
        direct = self._rate(token, self.unit, at)
        if direct is not None:
            return direct
        for way in map(self._tokens.resolve, UNITS):
            if way not in (token, self.unit):
                first, second = self._rate(token, way, at), self._rate(way, self.unit, at)
                if first is not None and second is not None:
                    return first * second
        return None

    def worth(self, mint: str, amount: int, price: Fraction | None) -> int | None:
        """Base units of the unit for an amount of base units at a price of whole tokens, rounded down."""
        token = self._tokens.find(mint)
        if price is None or token is None:
            return None
        return int(amount * price * Fraction(10) ** (self.unit.decimals - token.decimals))

    def _rate(self, token: Token, other: Token, at: datetime) -> Fraction | None:
        pair = PairPrice(token, other)
        key = (pair.base.mint, pair.quote.mint, at.replace(second=0, microsecond=0))
        if key not in self._known:
            self._known[key] = candles.price_at(pair.base.mint, pair.quote.mint, at, is_estimate=self._is_estimate)
        price = self._known[key]
        if price is None:
            return None
        return Fraction(price) if pair.base == token else 1 / Fraction(price)
