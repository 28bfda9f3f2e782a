"""Parses given terms: the units of ``OrderTerms`` follow from the tokens."""

from orderd.domain.money import BPS, parse_amount, parse_amount_word, parse_cost_bps, parse_slippage_bps
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_checking import check_prices, check_side, check_wrapped
from orderd.domain.terms_given import GivenTerms
from orderd.domain.tokens import Token, TokenRegistry


def understood(
    given: GivenTerms, tokens: TokenRegistry, default_slippage: str, max_total_cost_bps: int = BPS
) -> OrderTerms:
    """The terms as understood, if no order may cost more than ``max_total_cost_bps``.

    Raises OrderdError of the TOKEN, AMOUNT, SLIPPAGE, COST, PRICE and TIME kinds, or ORDER_TERMS_CONTRADICT.
    """
    check_side(given)
    token_in, token_out = tokens.pair(given.token_in, given.token_out)
    check_wrapped(given, token_in)
    word = None if given.amount_in is None else parse_amount_word(given.amount_in)
    return OrderTerms(
        token_in=token_in,
        token_out=token_out,
        amount_word=word,
        amount_in=None if word else _parsed(given.amount_in, token_in),
        slippage_bps=parse_slippage_bps(default_slippage if given.slippage is None else given.slippage),
        min_out=_parsed(given.min_out, token_out),
        max_cost_bps=None if given.max_cost is None else parse_cost_bps(given.max_cost, max_total_cost_bps),
        use_wrapped=given.use_wrapped,
        exact_out=_parsed(given.exact_out, token_out),
        max_in=_parsed(given.max_in, token_in),
        min_liquidity=_parsed(given.min_liquidity, token_in),
        **check_prices(given),
    )


def _parsed(amount: str | None, token: Token) -> int | None:
    return None if amount is None else parse_amount(amount, token.decimals)
