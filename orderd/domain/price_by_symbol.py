"""The prices of trades in one direction per pair, whichever token is sold, if only the tokens' symbols are known.

``price`` decides by mints. Both agree on SOL and USDC, because no other mint can have these symbols.
"""

from fractions import Fraction
from typing import Final

from orderd.domain.money import format_significant

_RANK: Final = {"USDC": 2, "SOL": 1}


def quote_of(token_in: str, token_out: str) -> str | None:
    """The token in which prices are given: USDC before SOL; None if the pair has neither of them."""
    first = max(token_in, token_out, key=lambda token: _RANK.get(token, 0))
    return first if first in _RANK else None


def price_in(quote: str, token_in: str, token_out: str, rate: Fraction) -> tuple[str, str]:
    """A rate in ``token_out`` per ``token_in`` as a price in ``quote``, and its unit, such as ``USDC per SOL``."""
    if quote == token_out:
        return format_significant(rate), f"{token_out} per {token_in}"
    return format_significant(1 / rate), f"{token_in} per {token_out}"
