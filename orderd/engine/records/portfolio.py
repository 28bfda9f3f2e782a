"""The wallet's balances and their value by recorded prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from orderd.domain.money import format_amount, format_significant, parse_amount
from orderd.domain.tokens import TokenRegistry
from orderd.engine.records.valuation import Valuation
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.profit import Holding, PortfolioParams, PortfolioResult


def value_of(tokens: TokenRegistry, balances: BalancesResult, params: PortfolioParams) -> PortfolioResult:
    """The portfolio. Tokens that cannot be traded are listed without a value. Needs a connection."""
    valuation = Valuation(tokens, tokens.resolve(params.unit))
    unit, now = valuation.unit, datetime.now(UTC)
    held = balances.balances
    prices = {each.mint: valuation.price(each.mint, now) for each in held}
    before = {each.mint: valuation.price(each.mint, now - timedelta(days=1)) for each in held}
    base = {each.mint: _base_units(tokens, each) for each in held}
    values = {mint: valuation.worth(mint, base[mint], price) for mint, price in prices.items()}
    value = sum(each for each in values.values() if each is not None)
    valued = [mint for mint, worth in values.items() if worth is not None and base[mint]]
    worths_before = [valuation.worth(mint, base[mint], before[mint]) for mint in valued]
    value_before = sum(each for each in worths_before if each is not None)
    is_compared = value_before > 0 and None not in worths_before
    return PortfolioResult(
        wallet=balances.wallet,
        unit=params.unit,
        value=format_amount(value, unit.decimals),
        change=_percent(Fraction(value, value_before) - 1) if is_compared else None,
        holdings=tuple(
            Holding(
                token=each.token,
                mint=each.mint,
                amount=each.amount,
                price=None if (price := prices[each.mint]) is None else format_significant(price),
                value=None if (worth := values[each.mint]) is None else format_amount(worth, unit.decimals),
                share=None if worth is None or not value else _percent(Fraction(worth, value)),
                change=None if price is None or (was := before[each.mint]) is None else _percent(price / was - 1),
            )
            for each in held
        ),
    )


def _base_units(tokens: TokenRegistry, balance: Balance) -> int:
    """A balance in base units; 0 for a token whose decimals are not known, which has no price either."""
    token = tokens.find(balance.mint)
    return 0 if token is None or balance.amount == "0" else parse_amount(balance.amount, token.decimals)


def _percent(part: Fraction) -> str:
    """With two places, rounded half even."""
    percent = round(Decimal(part.numerator) * 100 / part.denominator, 2)
    return f"{abs(percent) if percent.is_zero() else percent:f}"
