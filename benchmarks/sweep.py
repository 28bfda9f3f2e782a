"""``python -m benchmarks.sweep``: output of orders of all sizes on a new simnet without a market, in both directions.

The output must never fall as the size grows. A second table shows each range of refused sizes with the reason, and the
largest smaller amount that is routed.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from rich.console import Console
from rich.table import Table

from orderd.domain.errors import OrderdError
from orderd.domain.quote import Route
from orderd.domain.tokens import Token
from orderd.domain.well_known import WELL_KNOWN
from tests.unit.venues.genesis import Desk, desk_at_genesis

SOL, USDC = WELL_KNOWN["simnet"][:2]
LARGEST = {SOL: 50_000 * 10**9, USDC: 5_083_000 * 10**6}
"""In base units. Both have about the same value, at 101.66 USDC per SOL."""
IMPACTS = {"default": 500, "raised": 10_000}


@dataclass(frozen=True)
class Answer:
    """The result of an order; amounts in base units."""

    amount_in: int
    route: Route | None
    refusal: OrderdError | None

    @property
    def received(self) -> int:
        return 0 if self.route is None else self.route.amount_out


def sizes(token: Token, steps: int) -> list[int]:
    """From one SOL or its value to the largest amount, in equal steps."""
    largest = LARGEST[token]
    return [max(largest * step // steps, largest // 50_000) for step in range(1, steps + 1)]


def sweep(desk: Desk, sold: Token, bought: Token, amounts: Iterable[int]) -> list[Answer]:
    return [answer(desk, sold, bought, amount) for amount in amounts]


def answer(desk: Desk, sold: Token, bought: Token, amount_in: int) -> Answer:
    try:
        return Answer(amount_in, desk.route(sold.mint, bought.mint, amount_in).route, None)
    except OrderdError as error:
        return Answer(amount_in, None, error)


def falls(answers: Sequence[Answer]) -> list[Answer]:
    """The answers that receive less than a smaller order, by more than rounding."""
    found, best = [], 0
    for each in answers:
        if each.route is not None:
            if each.received < best - (best >> 20):
                found.append(each)
            best = max(best, each.received)
    return found


def refused(answers: Sequence[Answer]) -> list[list[Answer]]:
    """The refusals, with consecutive ones for the same reason in one group."""
    groups = groupby(answers, key=lambda each: None if each.refusal is None else each.refusal.code)
    return [list(group) for code, group in groups if code is not None]


def largest_routed(desk: Desk, sold: Token, bought: Token, best: Answer, below: int) -> Answer:
    """The largest routed order between ``best``, which is routed, and ``below``, which is not, by bisection."""
    low, high = best.amount_in, below
    while high - low > below // 100_000 + 1:
        middle = (low + high) // 2
        found = answer(desk, sold, bought, middle)
        if found.route is None:
            high = middle
        else:
            low, best = middle, found
    return best


def amount_text(token: Token, amount: int) -> str:
    return f"{Decimal(amount).scaleb(-token.decimals):,.2f} {token.symbol}"


def legs(route: Route) -> str:
    return " + ".join(f"{leg.pool_kind} {Decimal(leg.amount_in) / route.amount_in:.0%}" for leg in route.hops[0].legs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    steps: int = parser.parse_args().steps
    console = Console(width=140)
    for name, limit in IMPACTS.items():
        desk = desk_at_genesis(max_price_impact_bps=limit)
        for sold, bought in ((SOL, USDC), (USDC, SOL)):
            title = f"{sold.symbol} to {bought.symbol}, price impact limit {name}: {limit} bp"
            answers = sweep(desk, sold, bought, sizes(sold, steps))
            table = Table("sold", "received", "route", "impact, bp", "compute units", title=title)
            for each in answers:
                if each.route is None:
                    table.add_row(amount_text(sold, each.amount_in), "-", str(each.refusal and each.refusal.code))
                    continue
                figures = str(each.route.price_impact_bps), f"{each.route.compute_units:,}"
                table.add_row(
                    amount_text(sold, each.amount_in), amount_text(bought, each.received), legs(each.route), *figures
                )
            console.print(table)
            console.print(f"received falls {len(falls(answers))} times")
            table = Table("refused", "code", "reason of the first", "largest routed below", "receives")
            for group in refused(answers):
                first, last = group[0], group[-1]
                assert first.refusal is not None
                routed = [each for each in answers[: answers.index(first)] if each.route is not None]
                best = largest_routed(desk, sold, bought, routed[-1], first.amount_in)
                table.add_row(
                    f"{amount_text(sold, first.amount_in)} to {amount_text(sold, last.amount_in)}",
                    first.refusal.code,
                    first.refusal.detail,
                    amount_text(sold, best.amount_in),
                    amount_text(bought, best.received),
                )
            console.print(table)


if __name__ == "__main__":
    main()
