"""Profit by token and by day: from the fills of an account, or from the wallet's fills and other movements."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import groupby
from uuid import UUID

from db import movements
from db.movements import KeptFill, KeptMovement
from orderd.domain.money import format_amount, format_significant
from orderd.domain.movements import MovementKind
from orderd.domain.profit import CostBook, CostMethod, Earned, TokenMovement, TokenPosition, Traded
from orderd.domain.times import parse_moment
from orderd.domain.tokens import Token, TokenRegistry
from orderd.engine.records.valuation import Valuation
from orderd.engine.stored_mints import learn
from orderd.wire.profit import PnlDay, PnlParams, PnlResult, PnlToken, PnlTotals

_COSTS = (MovementKind.FEE, MovementKind.RENT)


def read_profit(tokens: TokenRegistry, account_id: UUID | None, params: PnlParams) -> PnlResult:
    """The profit of an account, or of all. Needs a connection. Movements besides fills belong to the wallet, so they
    count only for all accounts together.

    Raises OrderdError: TOKEN_UNKNOWN, TIME_INVALID.
    """
    since = None if params.since is None else parse_moment(params.since)
    unit = tokens.resolve(params.unit)
    valuation = Valuation(tokens, unit, is_estimate=True)
    fills = movements.all_fills(account_id)
    moved = [] if account_id is not None else movements.all_movements()
    book = CostBook(unit.mint, CostMethod(params.method))
    learn(
        tokens,
        {mint for fill in fills for mint in (fill.mint_in, fill.mint_out)} | {each.movement.mint for each in moved},
    )
    happened = [*_trades(fills, valuation), *_movements(moved, valuation)]
    book.enter(sorted(happened, key=lambda each: each.at))
    days = {
        key: earned
        for key, earned in sorted(book.days.items())
        if since is None or key[0] >= since.astimezone(UTC).date()
    }
    found = ((tokens.find(mint), position) for mint, position in book.positions.items())
    held = sorted(((token, each) for token, each in found if token is not None), key=lambda each: each[0].symbol)
    now = datetime.now(UTC)
    present = Valuation(tokens, unit)
    prices = {token: present.price(token.mint, now) for token, _ in held}
    above_cost = {token: _above_cost(token, position, prices[token], valuation) for token, position in held}
    whole = _sum(days.values())
    known = [each for each in above_cost.values() if each is not None]
    total = sum(known) if len(known) == len(held) else None
    return PnlResult(
        unit=unit.symbol,
        method=params.method,
        since=params.since,
        tokens=tuple(
            PnlToken(
                token=token.symbol,
                mint=token.mint,
                held=format_amount(position.held, token.decimals),
                cost=format_amount(position.held if token == unit else position.cost, unit.decimals),
                price=None if (price := prices[token]) is None else format_significant(price),
                value=_formatted(valuation.worth(token.mint, position.held, price), unit),
                unrealised=_formatted(above_cost[token], unit),
                uncovered=format_amount(position.uncovered, token.decimals),
                is_estimated=position.is_estimated,
                **_earned(_sum(earned for (_, mint), earned in days.items() if mint == token.mint), unit),
            )
            for token, position in held
        ),
        days=tuple(
            PnlDay(day=f"{day:%Y-%m-%d}", token=token.symbol, **_earned(earned, unit))
            for (day, mint), earned in days.items()
            if (token := tokens.find(mint)) is not None
        ),
        totals=PnlTotals(
            **_earned(whole, unit),
            unrealised=_formatted(total, unit),
            net=None if total is None else _formatted(whole.realised - whole.fees - whole.rent + total, unit),
        ),
        fills=len(fills),
        movements=len(moved),
    )


def _trades(fills: Sequence[KeptFill], valuation: Valuation) -> Iterator[Traded]:
    for fill in fills:
        value, is_estimated = _value(
            valuation, fill.at, (fill.mint_in, fill.amount_in), (fill.mint_out, fill.amount_out)
        )
        yield Traded(
            fill.at,
            fill.mint_in,
            fill.amount_in,
            fill.mint_out,
            fill.amount_out,
            value,
            fill.network_fee,
            fill.rent,
            is_estimated,
        )


def _value(valuation: Valuation, at: datetime, given: tuple[str, int], got: tuple[str, int]) -> tuple[int | None, bool]:
    """The value of a trade, and whether it is an estimate. An amount in the unit itself is exact."""
    for mint, amount in (got, given):
        if mint == valuation.unit.mint:
            return amount, False
    worths = (valuation.worth(mint, amount, valuation.price(mint, at)) for mint, amount in (got, given))
    return next((worth for worth in worths if worth is not None), None), True


def _movements(moved: Sequence[KeptMovement], valuation: Valuation) -> Iterator[Traded | TokenMovement]:
    for _, rows in groupby(moved, key=lambda each: (each.at, each.signature)):
        group = list(rows)
        sides = [each for each in group if each.movement.kind is MovementKind.TRADE]
        for each in group:
            if each not in sides:
                yield TokenMovement(
                    each.at,
                    each.movement.mint,
                    each.movement.amount,
                    _worth_then(each, valuation) if each.movement.amount > 0 else None,
                    is_cost=each.movement.kind in _COSTS,
                )
        if sides:
            sold, bought = sorted(sides, key=lambda each: each.movement.amount)
            given, got = (sold.movement.mint, -sold.movement.amount), (bought.movement.mint, bought.movement.amount)
            value, is_estimated = _value(valuation, sold.at, given, got)
            yield Traded(sold.at, *given, *got, value, is_estimated=is_estimated)


def _worth_then(each: KeptMovement, valuation: Valuation) -> int | None:
    """By the price stored with it; without one, by the stored prices of that time."""
    kept = each.sol if valuation.unit.is_native else each.usdc
    price = None if kept is None else Fraction(kept)
    if price is None:
        price = valuation.price(each.movement.mint, each.at)
    return valuation.worth(each.movement.mint, each.movement.amount, price)


def _above_cost(token: Token, position: TokenPosition, price: Fraction | None, valuation: Valuation) -> int | None:
    """The current value of its lots less their cost; None if not known."""
    if token == valuation.unit or not position.in_lots:
        return 0
    worth = valuation.worth(token.mint, position.in_lots, price)
    return None if worth is None else worth - position.cost


def _sum(each: Iterable[Earned]) -> Earned:
    whole = Earned()
    for earned in each:
        whole.add(earned)
    return whole


def _formatted(amount: int | None, unit: Token) -> str | None:
    return None if amount is None else format_amount(amount, unit.decimals)


def _earned(earned: Earned, unit: Token) -> dict[str, str]:
    return {
        "realised": format_amount(earned.realised, unit.decimals),
        "fees": format_amount(earned.fees, unit.decimals),
        "rent": format_amount(earned.rent, unit.decimals),
    }
