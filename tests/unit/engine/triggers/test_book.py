"""The book of a pair misses no order that the market meets, and needs few quotes for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.trigger import Bound
from orderd.engine.triggers.book import PairBook, Probe

DUST = 1 << 14


@dataclass(frozen=True)
class Market:
    """Pays less per unit the more is sold, in whole base units; pays nothing above ``most``."""

    lines: tuple[tuple[Fraction, int], ...]
    most: int

    def pays(self, amount: int) -> int | None:
        paid = int(min(Fraction(rate) * amount + beside for rate, beside in self.lines))
        return paid if paid >= 1 and amount <= self.most else None


RATES = st.one_of(
    st.fractions(
        min_value=Fraction(1, 10**6), max_value=Fraction(1, 10**4)
    ),  # the smallest amounts are paid a few base units
    st.fractions(min_value=Fraction(1, 100), max_value=1_000),
)


@st.composite
def markets(draw: st.DrawFn) -> Market:
    first = draw(RATES)
    lines = [(first, 0)]
    for _ in range(draw(st.integers(0, 3))):
        rate, beside = lines[-1]
        slower = rate * draw(st.fractions(min_value=0, max_value=1))
        lines.append((slower, beside + draw(st.integers(0, 10**9))))
    return Market(tuple(lines), draw(st.one_of(st.just(2**64), st.integers(DUST // 2, 2**40))))


AMOUNTS = st.one_of(
    st.integers(1, 2 * DUST),
    st.integers(DUST - 3, DUST + 3),
    st.integers(14, 40).flatmap(lambda size: st.integers(1 << size, (2 << size) - 1)),
)


@st.composite
def orders(draw: st.DrawFn, market: Market) -> dict[UUID, tuple[int, tuple[Bound, ...]]]:
    """Orders whose bounds are at or near the market price."""
    found = {}
    for number in range(draw(st.integers(1, 12))):
        amount = draw(AMOUNTS)
        near = (market.pays(amount) or 1) + draw(st.integers(-3, 3))
        bounds = tuple(
            Bound(max(near + beside, 0), is_least)
            for is_least, beside in draw(
                st.lists(st.tuples(st.booleans(), st.integers(-(10**6), 10**6) | st.just(0)), min_size=1, max_size=2)
            )
        )
        found[UUID(int=number)] = amount, bounds
    return found


def met(pays: Probe, resting: Mapping[UUID, tuple[int, tuple[Bound, ...]]]) -> set[UUID]:
    """The orders that are met if each is evaluated alone."""
    return {
        order_id
        for order_id, (amount, bounds) in resting.items()
        if (paid := pays(amount)) is not None and any(bound.is_met(paid) for bound in bounds)
    }


@given(st.data())
def test_no_met_order_is_left_out(data: st.DataObject) -> None:
    market = data.draw(markets())
    resting = data.draw(orders(market))
    book = PairBook()
    for order_id, (amount, bounds) in resting.items():
        book.put(order_id, amount, bounds)
    assert met(market.pays, resting) <= book.may_be_met(market.pays) <= resting.keys()


@given(st.data())
def test_replaced_and_removed_orders_leave_no_trace(data: st.DataObject) -> None:
    market = data.draw(markets())
    resting = data.draw(orders(market))
    book = PairBook()
    for order_id, (amount, bounds) in resting.items():
        book.put(order_id, 3 * amount, [Bound(1, is_least=True), Bound(1, is_least=True)])
        book.put(order_id, amount, bounds)
    assert len(book) == len(resting)
    left = {}
    for order_id in resting:
        if data.draw(st.booleans()):
            book.drop(order_id)
        else:
            left[order_id] = resting[order_id]
    book.drop(UUID(int=10**6))
    assert len(book) == len(left)
    assert met(market.pays, left) <= book.may_be_met(market.pays) <= left.keys()
    for order_id in left:
        book.drop(order_id)
    assert book.may_be_met(_nobody_asks) == set()


def _nobody_asks(amount: int) -> int:
    raise AssertionError(f"an empty book asks what {amount} would be paid")


def linear(rate: int) -> Callable[[int], int]:
    return lambda amount: amount * rate


def test_orders_far_from_the_market_are_not_evaluated() -> None:
    book = PairBook()
    amount = 3 * 10**9
    for number in range(100):
        book.put(UUID(int=number), amount, [Bound(amount * (101 + number), is_least=True)])
        book.put(UUID(int=1_000 + number), amount, [Bound(amount * (99 - number), is_least=False)])
    assert book.may_be_met(linear(100)) == set()
    assert book.may_be_met(linear(103)) == {UUID(int=number) for number in range(3)}
    assert book.may_be_met(linear(97)) == {UUID(int=1_000 + number) for number in range(3)}


def test_near_misses_are_not_evaluated_with_an_exact_outline() -> None:
    """Most trailing stops are near misses, when the market is slightly below their best price."""
    book = PairBook()
    amount = 3 * 10**9
    book.put(UUID(int=1), amount, [Bound(amount * 1_001 // 10, is_least=True)])
    book.put(UUID(int=2), amount, [Bound(amount * 999 // 10, is_least=False)])
    assert book.may_be_met(linear(100)) == {UUID(int=1), UUID(int=2)}
    assert book.may_be_met(linear(100), is_searched=False) == set()
    near = {UUID(int=number): Bound(amount * 100, is_least=bool(number)) for number in range(2)}
    for order_id, bound in near.items():
        book.put(order_id, amount, [bound])
    assert book.may_be_met(linear(100), is_searched=False) == near.keys()


def test_one_quote_per_side_covers_all_orders_of_a_size() -> None:
    book, asked = PairBook(), []

    def probe(amount: int) -> int:
        asked.append(amount)
        return amount

    for number in range(100):
        amount = (1 << 20) + number
        book.put(UUID(int=number), amount, [Bound(2 * amount, is_least=True), Bound(amount // 2, is_least=False)])
    book.may_be_met(probe)
    assert asked == [1 << 20, 2 << 20], "the smallest amount for limits, the largest for stops"


def test_a_dust_order_is_always_evaluated() -> None:
    book = PairBook()
    book.put(UUID(int=1), DUST - 1, [Bound(10**9, is_least=True)])
    assert book.may_be_met(_nobody_asks) == {UUID(int=1)}


def test_an_order_is_evaluated_although_the_smallest_of_its_size_is_paid_nothing() -> None:
    book = PairBook()
    book.put(UUID(int=1), (2 << 20) - 1, [Bound(1, is_least=True)])
    assert book.may_be_met(lambda amount: 1 if amount > (1 << 20) else None) == {UUID(int=1)}


def test_rounding_does_not_hide_a_stop() -> None:
    """For outputs of a few base units, rounding is a large part of the output."""
    rate, amount = Fraction(4, 2 << 20), 7 * (1 << 20) // 5
    assert (int((2 << 20) * rate), int(amount * rate)) == (4, 2), (
        "the largest amount of this size is not affected by rounding"
    )
    book = PairBook()
    book.put(UUID(int=1), amount, [Bound(2, is_least=False)])
    assert book.may_be_met(lambda sold: int(sold * rate)) == {UUID(int=1)}


def test_the_price_of_the_first_unit_excludes_limits_without_a_quote() -> None:
    book = PairBook()
    for number in range(100):
        amount = 3 << (20 + number % 10)
        book.put(UUID(int=number), amount, [Bound(amount * (101 + number), is_least=True)])
    assert book.may_be_met(_nobody_asks, best_rate=Fraction(100)) == set()
    assert book.may_be_met(linear(103), best_rate=Fraction(103)) == {UUID(int=number) for number in range(3)}


def test_a_quote_for_one_size_covers_other_sizes() -> None:
    """With quotes for the smallest amount (limits) and the largest (stops), other sizes need no quotes."""
    book, asked = PairBook(), []

    def probe(amount: int) -> int:
        asked.append(amount)
        return amount

    for size in range(20, 30):
        amount = (1 << size) + 1
        book.put(UUID(int=size), amount, [Bound(2 * amount, is_least=True), Bound(amount // 2, is_least=False)])
    assert book.may_be_met(probe) == set()
    assert asked == [1 << 20, 1 << 30]


@dataclass(frozen=True)
class Paths:
    """Paths with an output per unit and a cost each: the one with the highest net output is used."""

    ways: tuple[tuple[Fraction, int], ...]

    def pays(self, amount: int) -> int:
        return max((int(rate * amount) - cost, int(rate * amount)) for rate, cost in self.ways)[1]


@given(st.lists(st.tuples(RATES, st.integers(0, 10**7)), min_size=1, max_size=3), st.data())
def test_no_order_is_left_out_for_a_path_that_is_too_expensive_for_smaller_ones(
    ways: list[tuple[Fraction, int]], data: st.DataObject
) -> None:
    market = Paths(tuple(ways))
    amounts = data.draw(st.lists(AMOUNTS, min_size=1, max_size=8, unique=True))
    costs, best = [cost for _, cost in ways], max(rate for rate, _ in ways)
    book = PairBook()
    for number, amount in enumerate(amounts):
        book.put(UUID(int=number), amount, [Bound(market.pays(amount), is_least=number % 2 == 0)])
    found = book.may_be_met(market.pays, max(costs) - min(costs), best_rate=best)
    assert found == {UUID(int=number) for number in range(len(amounts))}


COST = 5_000_000


def of_two_routes(amount: int) -> int:
    """A cheap route that pays 100 per unit and an expensive one that pays 103: the higher net output is used."""
    return max((100 * amount, 100 * amount), (103 * amount - COST, 103 * amount))[1]


def test_a_limit_is_met_by_a_route_that_the_smallest_of_its_size_cannot_afford() -> None:
    book = PairBook()
    amount = (2 << 20) - 1
    book.put(UUID(int=1), amount, [Bound(103 * amount, is_least=True)])
    assert of_two_routes(1 << 20) == 100 << 20
    assert book.may_be_met(of_two_routes, COST) == {UUID(int=1)}


def test_a_stop_is_met_although_the_largest_of_its_size_has_a_better_route() -> None:
    book = PairBook()
    amount = (1 << 20) + 1
    book.put(UUID(int=1), amount, [Bound(101 * amount, is_least=False)])
    assert of_two_routes(2 << 20) == 103 * (2 << 20)
    assert book.may_be_met(of_two_routes, COST) == {UUID(int=1)}
