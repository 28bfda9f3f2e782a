"""Profit agrees with an independent computation, and quantities agree with the ledger to the base unit."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.profit import CostBook, CostMethod, Earned, TokenMovement, Traded
from orderd.domain.tokens import USDC_MINT, WSOL_MINT

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OTHER = "OtherMint"
Happened = Traded | TokenMovement


def book(*happened: Happened, unit: str = USDC_MINT, method: CostMethod = CostMethod.FIFO) -> CostBook:
    made = CostBook(unit, method)
    made.enter(happened)
    return made


def bought(sol: int, usdc: int, *, minutes: int = 0, fee: int = 0, rent: int = 0) -> Traded:
    return Traded(NOON + timedelta(minutes=minutes), USDC_MINT, usdc, WSOL_MINT, sol, usdc, fee, rent)


def sold(sol: int, usdc: int, *, minutes: int = 0, fee: int = 0) -> Traded:
    return Traded(NOON + timedelta(minutes=minutes), WSOL_MINT, sol, USDC_MINT, usdc, usdc, fee)


@pytest.mark.parametrize(("method", "realised", "cost"), [(CostMethod.FIFO, 50, 225), (CostMethod.AVERAGE, 25, 200)])
def test_a_sale_takes_the_oldest_lots_or_the_average_of_all(method: CostMethod, realised: int, cost: int) -> None:
    """FIFO: 10 units that cost 100, and 5 of 20 units that cost 300. Average: 15 of 30 units cost 200."""
    sol = book(bought(10, 100), bought(20, 300), sold(15, 225), method=method).positions[WSOL_MINT]
    assert (sol.held, sol.in_lots, sol.total.realised, sol.cost) == (15, 15, realised, cost)


def test_a_sale_beyond_all_lots_realises_no_profit() -> None:
    sol = book(bought(10, 100), sold(40, 800)).positions[WSOL_MINT]
    assert (sol.held, sol.uncovered, sol.total.realised) == (-30, 30, 100), (
        "only the ten units with a cost count, which brought 200 of 800"
    )


def test_fees_and_rent_are_counted_at_the_cost_of_sol() -> None:
    in_usdc = book(bought(100, 1_000, fee=4, rent=6))
    assert in_usdc.positions[WSOL_MINT].total == Earned(0, 40, 60)
    assert (in_usdc.positions[WSOL_MINT].held, in_usdc.positions[WSOL_MINT].cost) == (90, 900)
    in_sol = book(sold(100, 1_000, fee=4), unit=WSOL_MINT)
    assert in_sol.positions[WSOL_MINT].total == Earned(0, 4, 0)
    assert in_sol.positions[USDC_MINT].cost == 1_000, "a trade has its given value"


def test_deposits_are_lots_at_their_value_and_withdrawals_realise_nothing() -> None:
    moved = [
        TokenMovement(NOON, WSOL_MINT, 10, 100),
        TokenMovement(NOON, WSOL_MINT, -4),
        TokenMovement(NOON, USDC_MINT, 50),
    ]
    sol = book(*moved).positions[WSOL_MINT]
    assert (sol.held, sol.cost, sol.total.realised, sol.is_estimated) == (6, 60, 0, True)
    assert not book(*moved).positions[USDC_MINT].is_estimated, "the unit of account needs no estimate"


def test_a_cost_outside_of_a_trade_is_a_fee() -> None:
    assert book(TokenMovement(NOON, WSOL_MINT, 10, 100), TokenMovement(NOON, WSOL_MINT, -4, is_cost=True)).days == {
        (NOON.date(), WSOL_MINT): Earned(fees=40)
    }
    in_sol = book(TokenMovement(NOON, WSOL_MINT, -4, is_cost=True), unit=WSOL_MINT)
    assert in_sol.positions[WSOL_MINT].total.fees == 4


def test_a_deposit_without_a_value_is_held_without_a_cost() -> None:
    sol = book(TokenMovement(NOON, WSOL_MINT, 10), sold(4, 40)).positions[WSOL_MINT]
    assert (sol.held, sol.in_lots, sol.uncovered, sol.total.realised) == (6, 0, 4, 0)


def test_a_trade_without_a_value_passes_its_cost_on() -> None:
    swapped = Traded(NOON, WSOL_MINT, 10, OTHER, 7, None, is_estimated=True)
    known = book(bought(10, 100), swapped)
    assert (known.positions[OTHER].cost, known.positions[OTHER].is_estimated) == (100, True)
    assert known.positions[WSOL_MINT].total.realised == 0
    unknown = book(swapped)
    assert (unknown.positions[OTHER].held, unknown.positions[OTHER].in_lots) == (7, 0)


def test_profit_is_attributed_to_its_day_in_utc() -> None:
    late = sold(5, 100, minutes=12 * 60)
    days = book(bought(10, 100), sold(5, 60), late).days
    assert [(day.day, mint, earned.realised) for (day, mint), earned in days.items()] == [
        (21, WSOL_MINT, 10),
        (22, WSOL_MINT, 50),
    ]


# An independent computation without lots: the cost of the n-th unit ever bought.


def ledger(happened: Sequence[Happened]) -> Counter[str]:
    """The wallet's balances, by adding up all changes."""
    held = Counter[str]()
    for each in happened:
        if isinstance(each, TokenMovement):
            held[each.mint] += each.amount
        else:
            held[each.mint_in] -= each.amount_in
            held[each.mint_out] += each.amount_out
            held[WSOL_MINT] -= each.fee + each.rent
    return held


def realised_of_sol(happened: Sequence[Happened]) -> Fraction:
    """Realised profit by FIFO in USDC: the proceeds of sales less the cost of the units with these numbers."""
    purchases: list[tuple[int, Fraction]] = []  # units, and the cost per unit
    gone, earned = 0, Fraction(0)

    def cost_of(first: int, last: int) -> tuple[Fraction, int]:
        total, known, number = Fraction(0), 0, 0
        for units, each in purchases:
            overlap = max(0, min(last, number + units) - max(first, number))
            total, known, number = total + overlap * each, known + overlap, number + units
        return total, known

    def leave(units: int) -> tuple[Fraction, int]:
        nonlocal gone
        cost, known = cost_of(gone, gone + units)
        gone += known
        return cost, known

    for each in happened:
        if isinstance(each, TokenMovement):
            if each.mint == WSOL_MINT and each.amount > 0 and each.value is not None:
                purchases.append((each.amount, Fraction(each.value, each.amount)))
            elif each.mint == WSOL_MINT and each.amount < 0:
                leave(-each.amount)
            continue
        assert each.value is not None
        if each.mint_in == WSOL_MINT:
            cost, known = leave(each.amount_in)
            earned += Fraction(each.value * known, each.amount_in) - cost
        else:
            purchases.append((each.amount_out, Fraction(each.value, each.amount_out)))
        leave(each.fee + each.rent)
    return earned


def a_thousand(seed: int) -> list[Happened]:
    """Trades of SOL and USDC at a random-walk price with fees, deposits and withdrawals."""
    chance, price, happened = random.Random(seed), 100.0, list[Happened]()
    for minute in range(1_000):
        price *= chance.uniform(0.99, 1.01)
        sol = chance.randint(10**6, 10**10)
        usdc, fee = int(sol * price / 1_000), chance.randint(5_000, 60_000)
        match chance.randrange(10):
            case 0:
                happened.append(TokenMovement(NOON + timedelta(minutes=minute), WSOL_MINT, sol, usdc))
            case 1:
                happened.append(TokenMovement(NOON + timedelta(minutes=minute), WSOL_MINT, -sol // 4))
            case 2 | 3 | 4 | 5:
                happened.append(sold(sol, usdc, minutes=minute, fee=fee))
            case _:
                happened.append(bought(sol, usdc, minutes=minute, fee=fee, rent=chance.choice((0, 0, 2_039_280))))
    return happened


@pytest.mark.untraced
@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_random_trades_agree_with_an_independent_computation(seed: int) -> None:
    happened = a_thousand(seed)
    made = book(*happened)
    assert {mint: position.held for mint, position in made.positions.items()} == ledger(happened)
    assert abs(made.positions[WSOL_MINT].total.realised - realised_of_sol(happened)) <= len(happened), (
        "one unit of rounding per sale"
    )
    by_day = sum(earned.realised for earned in made.days.values())
    assert by_day == made.positions[WSOL_MINT].total.realised


_AMOUNT = st.integers(1, 10**9)


@st.composite
def _entries(draw: st.DrawFn) -> list[Happened]:
    mints = st.sampled_from([USDC_MINT, WSOL_MINT, OTHER])
    happened = list[Happened]()
    for _ in range(draw(st.integers(1, 25))):
        value = draw(st.none() | _AMOUNT)
        if draw(st.booleans()):
            amount = draw(_AMOUNT) * draw(st.sampled_from([1, -1]))
            happened.append(TokenMovement(NOON, draw(mints), amount, value, is_cost=amount < 0 and draw(st.booleans())))
            continue
        first, second = draw(st.permutations([USDC_MINT, WSOL_MINT, OTHER]))[:2]
        happened.append(
            Traded(NOON, first, draw(_AMOUNT), second, draw(_AMOUNT), value, draw(_AMOUNT), draw(st.integers(0, 99)))
        )
    return happened


@given(_entries(), st.sampled_from([USDC_MINT, WSOL_MINT]), st.sampled_from(CostMethod))
def test_quantities_always_agree_with_the_ledger(happened: list[Happened], unit: str, method: CostMethod) -> None:
    made, held = book(*happened, unit=unit, method=method), ledger(happened)
    for mint, position in made.positions.items():
        assert position.held == held[mint]
        assert position.in_lots >= 0
        assert position.cost >= 0
        assert bool(position.in_lots) >= bool(position.cost)


@given(st.lists(st.tuples(_AMOUNT, _AMOUNT), min_size=1), st.sampled_from(CostMethod))
def test_selling_everything_realises_the_whole_difference(purchases: list[tuple[int, int]], method: CostMethod) -> None:
    """However sales divide the lots, rounding loses none of their cost."""
    paid, got = sum(usdc for _, usdc in purchases), sum(sol for sol, _ in purchases)
    sales = [sold(part, 1) for part in (got // 3, got - got // 3) if part]
    sol = book(*(bought(*each) for each in purchases), *sales, method=method).positions[WSOL_MINT]
    assert (sol.total.realised, sol.in_lots, sol.cost) == (len(sales) - paid, 0, 0)
