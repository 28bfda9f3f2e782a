"""Prices of trades in the unit of their pair, so that purchases and sales of a token can be compared in one column."""

from __future__ import annotations

from fractions import Fraction

from orderd.domain.price_by_symbol import price_in, quote_of


def traded_price(token_in: str, amount_in: str, token_out: str, amount_out: str) -> tuple[str, str]:
    """The price of a trade and its unit, such as ``101.25`` and ``USDC per SOL``, whichever of the tokens was sold.

    The amounts are decimal strings above zero.
    """
    return pair_price(token_in, token_out, Fraction(amount_out) / Fraction(amount_in))


def pair_price(token_in: str, token_out: str, rate: Fraction) -> tuple[str, str]:
    """The same for a rate, in ``token_out`` per ``token_in``."""
    return price_in(_quote_of(token_in, token_out), token_in, token_out, rate)


def described_price(token_in: str, token_out: str, rate: str) -> str:
    """The same as text: ``101.25 USDC per SOL``."""
    return " ".join(pair_price(token_in, token_out, Fraction(rate)))


def _quote_of(token_in: str, token_out: str) -> str:
    """The token in which prices are given, as for the prices of orders.

    Of two tokens other than SOL and USDC it is the received one if this client does not know their mints.
    """
    if (quote := quote_of(token_in, token_out)) is not None:
        return quote
    from orderctl.display.pairs import pair_of

    pair = pair_of(token_in, token_out)
    return token_out if pair is None else pair.quote.symbol
