"""Prices of trades in the unit of their pair, so that purchases and sales of a token can be compared in one column."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from orderctl.display.pairs import pair_of
from orderd.domain.money import format_significant

_RANK: Final = {"USDC": 2, "SOL": 1}


def traded_price(token_in: str, amount_in: str, token_out: str, amount_out: str) -> tuple[str, str]:
    """The price of a trade and its unit, such as ``101.25`` and ``USDC per SOL``, whichever of the tokens was sold.

    The amounts are decimal strings above zero.
    """
    return pair_price(token_in, token_out, Fraction(amount_out) / Fraction(amount_in))


def pair_price(token_in: str, token_out: str, rate: Fraction) -> tuple[str, str]:
    """The same for a rate, in ``token_out`` per ``token_in``."""
    if _quote_of(token_in, token_out) == token_out:
        return format_significant(rate), f"{token_out} per {token_in}"
    return format_significant(1 / rate), f"{token_in} per {token_out}"


def _quote_of(token_in: str, token_out: str) -> str:
    """The token in which prices are given: USDC before SOL before others, as for the prices of orders.

    Of two others it is the received one if this client does not know their mints.
    """
    pair = pair_of(token_in, token_out)
    if pair is not None:
        return pair.quote.symbol
    return max(token_out, token_in, key=lambda token: _RANK.get(token, 0))
