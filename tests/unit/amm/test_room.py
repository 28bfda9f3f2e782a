"""The best split among those that fit: within compute units, an impact on the price, and what somebody else allows."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from random import Random

import pytest

from orderd.amm.pouring import MILLION, Load
from orderd.amm.side import Quote, Side
from orderd.amm.split import Leg, Offers, Room, Split, best_split
from orderd.amm.swap import SwapError
from tests.unit.amm.pools import KINDS, random_pool
from tests.unit.amm.test_split import pool

MAX_LEGS = 3
GRID = 60
A_STEP = {"clmm": 16_000, "dlmm": 5_300}


def market(seed: int) -> tuple[list[Side], list[Load], int]:
    """Two to five pools, their loads, and about what all of them hold."""
    random = Random(seed)
    kinds = [random.choice(KINDS) for _ in range(random.randint(2, 5))]
    pools = [random_pool(random, kind) for kind in kinds]
    loads = [Load(random.randint(20_000, 80_000), A_STEP.get(kind, 0)) for kind in kinds]
    return [each.side for each in pools], loads, sum(each.depth for each in pools)


def tight(seed: int, loads: Sequence[Load]) -> Room:
    """Limits of which one or more will bind, and pairs that do not fit together."""
    random = Random(f"room {seed}")
    forbidden = {pair for pair in combinations(range(len(loads)), 2) if random.random() < 0.3}

    def may_fit(legs: tuple[int, ...]) -> bool:
        return not any(pair in forbidden for pair in combinations(sorted(legs), 2))

    return Room(
        loads,
        random.choice((200_000, 400_000, 1_300_000)),
        random.choice((20, 100, 500, 10_000)) * 100,
        may_fit,
        lambda split: may_fit(tuple(leg.position for leg in split.legs)),
    )


def fits(split: Split, room: Room) -> bool:
    units = sum(room.loads[leg.position].of(leg.quote.steps) for leg in split.legs)
    return units <= room.units and split.price_impact * MILLION <= room.impact and room.fits(split)


def brute_force(sides: Sequence[Side], amount: int, room: Room) -> int:
    """The most that a single pool or a pair pays on a grid; nothing where none fits."""
    return max((split.amount_out for split in _grid(sides, amount) if fits(split, room)), default=0)


def _grid(sides: Sequence[Side], amount: int) -> Iterator[Split]:
    for index, side in enumerate(sides):
        yield from _split(((index, side, amount),))
    for (one, first), (two, second) in combinations(enumerate(sides), 2):
        for share in range(1, GRID):
            part = amount * share // GRID
            yield from _split(((one, first, part), (two, second, amount - part)))


def _split(parts: Sequence[tuple[int, Side, int]]) -> Iterator[Split]:
    try:
        yield Split(tuple(Leg(index, side.quote(part)) for index, side, part in parts))
    except SwapError:
        return


def best(sides: Sequence[Side], amount: int, room: Room, max_legs: int = MAX_LEGS) -> Offers:
    return best_split(sides, amount, max_legs=max_legs, cost_a_leg=0, room=room)


@pytest.mark.parametrize("block", range(8))
def test_nothing_that_fits_pays_more(block: int) -> None:
    """Neither a single pool nor a pair on a grid; where one does not take it all, no part pays less than they do."""
    for seed in range(block * 25, (block + 1) * 25):
        sides, loads, depth = market(seed)
        room = tight(seed, loads)
        amount = int(depth * (0.001, 0.01, 0.05, 0.2)[seed % 4])
        offers = best(sides, amount, room)
        found = offers.best or offers.less
        paid = brute_force(sides, amount, room)
        if found is None:
            assert paid == 0, seed
            continue
        assert fits(found, room), seed
        assert found.amount_out * 100_000 >= paid * 99_999, (seed, found.amount_out / paid)
        assert (found.amount_in == amount) == (offers.best is not None), seed


@pytest.mark.parametrize("block", range(8))
def test_what_is_received_never_falls_as_the_order_grows(block: int) -> None:
    for seed in range(block * 8, (block + 1) * 8):
        sides, loads, depth = market(seed)
        room = tight(seed, loads)
        most = 0
        for step in range(1, 41):
            found = best(sides, depth * step // 160, room)
            if found.best is not None:
                assert found.best.amount_out >= most - (most >> 16), (seed, step)
                most = max(most, found.best.amount_out)
