"""What the wallet holds, and what that is worth, by what is kept of prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from orderd.domain.money import format_amount, format_significant, parse_amount
from orderd.domain.tokens import TokenRegistry
from orderd.engine.prices.stored_mints import learn
from orderd.engine.records.valuation import Valuation
from orderd.records import Holding, PortfolioParams, PortfolioResult
from orderd.wire import BalancesResult


def value_of(tokens: TokenRegistry, balances: BalancesResult, params: PortfolioParams) -> PortfolioResult:
    """Needs a connection."""
    valuation = Valuation(tokens, tokens.resolve(params.unit))
    unit, now = valuation.unit, datetime.now(UTC)
    learn(tokens, [each.mint for each in balances.balances])
    held = [(tokens.resolve(each.mint), each.amount) for each in balances.balances]
    prices = {token: valuation.price(token.mint, now) for token, _ in held}
    before = {token: valuation.price(token.mint, now - timedelta(days=1)) for token, _ in held}
    base = {token: 0 if amount == "0" else parse_amount(amount, token.decimals) for token, amount in held}
    values = {token: valuation.worth(token.mint, base[token], prices[token]) for token, _ in held}
    value = sum(each for each in values.values() if each is not None)
    valued = [token for token, _ in held if values[token] is not None and base[token]]
    worths_before = [valuation.worth(token.mint, base[token], before[token]) for token in valued]
    value_before = sum(each for each in worths_before if each is not None)
    is_compared = value_before > 0 and None not in worths_before
    return PortfolioResult(
        wallet=balances.wallet,
        unit=params.unit,
        value=format_amount(value, unit.decimals),
        change=_percent(Fraction(value, value_before) - 1) if is_compared else None,
        holdings=tuple(
            Holding(
                token=token.symbol,
                mint=token.mint,
                amount=amount,
                price=None if (price := prices[token]) is None else format_significant(price),
                value=None if (worth := values[token]) is None else format_amount(worth, unit.decimals),
                share=None if worth is None or not value else _percent(Fraction(worth, value)),
                change=None if price is None or (was := before[token]) is None else _percent(price / was - 1),
            )
            for token, amount in held
        ),
    )


def _percent(part: Fraction) -> str:
    """With two places, rounded half even."""
    percent = round(Decimal(part.numerator) * 100 / part.denominator, 2)
    return f"{abs(percent) if percent.is_zero() else percent:f}"
