"""Prices with a unit: the amount of the pair's quote token per base token, whichever of them is sold.

A price is a canonical decimal string. A bound on a price is compared with the output for the whole amount in base
units, so that the comparison is exact and applies to the order's size.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import PLAIN_DECIMAL, format_price
from orderd.domain.tokens import DEVNET_USDC_MINT, USDC_MINT, WSOL_MINT, Token


def parse_price(text: str) -> str:
    """A price as it is kept: ``0105.50`` is ``105.5``. Raises OrderdError PRICE_INVALID."""
    if not PLAIN_DECIMAL.fullmatch(text) or len(text) > _MAX_DIGITS:
        raise OrderdError(ErrorCode.PRICE_INVALID, f"{text[:50]!r} is not a plain decimal number of at most 40 digits")
    if (price := Decimal(text)) <= 0:
        raise OrderdError(ErrorCode.PRICE_INVALID, f"{text} is not above zero")
    return canonical(price)


_MAX_DIGITS = 40


def canonical(price: Decimal) -> str:
    """The shortest decimal string of the same value."""
    text = f"{price:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class PairPrice:
    """Prices of one trade's pair: in units of ``quote`` for one of ``base``.

    The quote token is USDC before SOL before others; of two others, the one whose mint sorts last. So a price means
    the same whichever token of the pair is sold.
    """

    token_in: Token
    token_out: Token

    @property
    def quote(self) -> Token:
        return max(self.token_in, self.token_out, key=lambda token: (_RANK.get(token.mint, 0), token.mint))

    @property
    def base(self) -> Token:
        return self.token_out if self.quote == self.token_in else self.token_in

    @property
    def unit(self) -> str:
        """Such as ``USDC per SOL``."""
        return f"{self.quote.symbol} per {self.base.symbol}"

    def amount_out(self, amount_in: int, price: Fraction) -> Fraction:
        """The output for ``amount_in`` at this price, in base units, not rounded."""
        rate = price if self.quote == self.token_out else 1 / price
        return amount_in * rate * Fraction(10) ** (self.token_out.decimals - self.token_in.decimals)

    def price(self, amount_in: int, amount_out: int) -> Fraction:
        """The price at which ``amount_in`` pays ``amount_out``, both in base units and above zero."""
        rate = Fraction(amount_out, amount_in) * Fraction(10) ** (self.token_in.decimals - self.token_out.decimals)
        return rate if self.quote == self.token_out else 1 / rate

    def price_text(self, amount_in: int, amount_out: int) -> str:
        """The price with nine significant digits and its unit, such as ``101.25 USDC per SOL``."""
        sold, bought = (amount_in, self.token_in.decimals), (amount_out, self.token_out.decimals)
        base, quote = (sold, bought) if self.quote == self.token_out else (bought, sold)
        return f"{format_price(*base, *quote)} {self.unit}"


_RANK = {USDC_MINT: 2, DEVNET_USDC_MINT: 2, WSOL_MINT: 1}
