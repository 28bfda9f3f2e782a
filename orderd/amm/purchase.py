"""Buys an exact amount over several pools at the lowest cost; ``split`` does the same for an exact sale.

The output of a split rises with its input, so the search looks for the input whose split pays just the amount; each try
is derived from the previous ones. The legs of the last try are then requested with exact outputs that add up to the
amount, so their costs are those of the pools' own exact-output swaps. The shares of the legs are optimal for the last
input tried, which is so close that the difference is negligible.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from math import isqrt
from typing import Final, NamedTuple

from orderd.amm.best_split import CurveOf, best_split
from orderd.amm.curve import NEVER, PRECISION
from orderd.amm.side import Quote, Side
from orderd.amm.split import Leg, Offers, Room, Split
from orderd.amm.swap import U64_MAX, SwapError
from orderd.amm.water_filling import MILLION, Load

_TRIES: Final = 10
_NEAR: Final = 16
"""A split that pays more than the amount, by at most 2 ** -16 of it, is close enough. One that pays less may be at its
price limit, so that its legs could not buy more."""
_SMOOTH: Final = 3
_FAR: Final = 4
"""If the nearest inputs on both sides differ by more than ``_FAR`` times after ``_SMOOTH`` tries, a small pool with an
absurd price bends the curve between them, and their geometric mean is a better guess."""
_GIVEN_UP: Final = (64, 20, 16, 12, 10, 8, 7, 6, 5, 4, 3)
"""If a pool refuses a leg's part, the part is reduced by 2 ** -n of it, for these n in order."""
_NEARER: Final = 6
"""Number of bisections between the refused and the accepted part afterwards. Other pools fill the gap at higher
prices."""
_MOVED: Final = tuple(number * number for number in range(48))
"""Base units that are moved between two legs if pools refuse their parts. Pools that round accept and refuse amounts in
alternating runs, whose lengths differ by pool; squares hit these runs at different positions."""


def best_purchase(
    sides: Sequence[Side],
    amount_out: int,
    *,
    max_legs: int,
    cost_per_leg: int,
    curve_of: CurveOf,
    room: Room | None = None,
) -> Offers:
    """The cheapest way to buy ``amount_out`` over at most ``max_legs`` of ``sides``, within ``room``.

    ``cost_per_leg`` is in base units of output, as for ``best_split``. All quotes of the result are for exact outputs,
    except those of ``less``, the part of the amount that can be bought. It never costs more than the cheapest single
    pool that fits, costs per leg included.
    """
    room = room or Room()
    singles = tuple(_cost_of(side, amount_out) for side in sides)
    purchases = [Split((Leg(index, one),)) for index, one in enumerate(singles) if isinstance(one, Quote)]
    near = _near(sides, singles, amount_out, max_legs, cost_per_leg, curve_of, room)
    if near.best is not None and len(near.best.legs) > 1:
        purchases += _exactly(sides, near.best, amount_out)
    elif near.best is not None and max_legs > 1 and isinstance(singles[near.best.legs[0].position], SwapError):
        purchases += _completed(sides, near.best.legs[0].position, amount_out)
    steep: Split | None = None
    for each in sorted(purchases, key=lambda each: each.amount_in * (amount_out + cost_per_leg * len(each.legs))):
        if _is_steep(each, room):
            steep = steep or each
        elif _units(each, room) <= room.units and room.fits(each):
            return Offers(singles, each, None, steep)
    return Offers(singles, None, near.less, steep or near.steep)


def _near(
    sides: Sequence[Side],
    singles: Sequence[Quote | SwapError],
    amount_out: int,
    max_legs: int,
    cost_per_leg: int,
    curve_of: CurveOf,
    room: Room,
) -> Offers:
    """The best split of an input that pays about the amount; if there is none, of an input that pays less."""
    least = _least(sides, amount_out, curve_of)
    amount_in = _first_guess(singles, least, amount_out)
    # The size of a split for another amount does not decide whether a set of legs fits.
    drafted = replace(room, fits=lambda _: True)
    sell = partial(best_split, sides, max_legs=max_legs, cost_per_leg=cost_per_leg, curve_of=curve_of)
    offers, tries = Offers((), None), list[_Try]()
    for _ in range(_TRIES):
        if amount_in > U64_MAX:
            break
        offers = sell(amount_in, room=drafted)
        offer = offers.best or offers.less or offers.steep
        if offer is None or (offers.best is None and offer.amount_out <= amount_out):
            break
        if offers.best is not None and 0 <= offer.amount_out - amount_out <= amount_out >> _NEAR:
            break
        tries.append(_Try(offer.amount_in, offer.amount_out))
        amount_in = _next_guess(tries, least, amount_out)
    if offers.best is not None and len(offers.best.legs) > 1 and not room.fits(offers.best):
        return sell(offers.best.amount_in, room=room)
    return offers


class _Try(NamedTuple):
    amount_in: int
    amount_out: int


def _least(sides: Sequence[Side], amount_out: int, curve_of: CurveOf) -> _Try:
    """A small part of the amount at the best initial price of all pools: a lower bound of the cost."""
    start = min((curve_of(index, U64_MAX).start for index in range(len(sides))), default=NEVER)
    part = max(amount_out >> _NEAR, 1)
    return _Try(0, 0) if start >= NEVER else _Try(-(-part * start * start >> 2 * PRECISION), part)


def _first_guess(singles: Sequence[Quote | SwapError], least: _Try, amount_out: int) -> int:
    """The cost at the cheapest single pool, which is enough; if no pool has it all, the cost without price impact."""
    if costs := [single.amount_in for single in singles if isinstance(single, Quote)]:
        return min(costs)
    return -(-amount_out * least.amount_in // max(least.amount_out, 1))


def _next_guess(tries: Sequence[_Try], least: _Try, amount_out: int) -> int:
    """The input on the curve through the last two tries, if it is between the nearest tries on both sides; otherwise on
    the curve through these."""
    below = max((each for each in tries if each.amount_out < amount_out), default=least)
    above = min((each for each in tries if each.amount_out > amount_out), default=None)
    if above is not None and len(tries) > _SMOOTH and above.amount_in > _FAR * below.amount_in:
        return isqrt(below.amount_in * above.amount_in)
    if len(tries) > 1 and tries[-1].amount_out != tries[-2].amount_out:
        guess = _along(tries[-2], tries[-1], amount_out)
        if below.amount_in < guess and (above is None or guess < above.amount_in):
            return guess
    return _along(least, below, amount_out) if above is None else _along(below, above, amount_out)


def _along(one: _Try, other: _Try, amount_out: int) -> int:
    """The input that pays the amount on a constant-product curve through both tries, rounded up.

    On such a curve, ``out = b * in / (a + in)``, the reciprocals of both amounts are linear. Pools with concentrated
    liquidity are close to it, while linear interpolation of the amounts is poor when a pool is nearly exhausted.
    """
    (in_1, out_1), (in_2, out_2) = sorted((one, other))
    across = (out_2 - out_1) * amount_out * in_2
    left = across - (in_2 - in_1) * (amount_out - out_1) * out_2
    if in_1 > 0 and out_2 > out_1 and left > 0:
        return -(-in_1 * across // left)
    return -(-amount_out * in_2 // out_2)


def _exactly(sides: Sequence[Side], near: Split, amount_out: int) -> list[Split]:
    """The same legs with exact outputs that add up to the amount; empty if pools refuse their parts, even if these are
    changed a little.

    The largest leg buys what the others leave; if its pool refuses, another leg does. No other leg becomes larger,
    because the split may be at its price limit.
    """
    paid = max(near.amount_out, amount_out)
    parts = {leg.position: leg.quote.amount_out * amount_out // paid for leg in near.legs}
    for moved, last in product(_MOVED, parts):
        quotes = dict(_costs_of_others(sides, parts, last, moved))
        bought = sum(quote.amount_out for quote in quotes.values() if isinstance(quote, Quote))
        quotes[last] = _cost_of(sides[last], amount_out - bought)
        legs = [Leg(position, quote) for position, quote in quotes.items() if isinstance(quote, Quote)]
        if len(legs) == len(quotes):
            return [Split(tuple(sorted(legs, key=lambda leg: -leg.quote.amount_in)))]
    return []


def _costs_of_others(
    sides: Sequence[Side], parts: Mapping[int, int], last: int, moved: int
) -> Iterator[tuple[int, Quote | SwapError]]:
    """What the legs but the last one cost, by position. The first of them takes ``moved`` base units from the last."""
    for position, part in parts.items():
        if position != last:
            yield position, _cost_of(sides[position], part + moved) if moved else _cost_of_about(sides[position], part)
            moved = 0


def _completed(sides: Sequence[Side], best: int, amount_out: int) -> list[Split]:
    """For an amount that the best pool refuses: as much as it pays, and the rest from each of the other pools in
    turn."""
    most = _cost_of_about(sides[best], amount_out)
    if not isinstance(most, Quote):
        return []
    rests = [(index, _cost_of(side, amount_out - most.amount_out)) for index, side in enumerate(sides) if index != best]
    return [Split((Leg(best, most), Leg(index, rest))) for index, rest in rests if isinstance(rest, Quote)]


def _cost_of_about(side: Side, amount_out: int) -> Quote | SwapError:
    """The cost of the amount, or of the closest smaller amount that the pool pays: its liquidity may end there, and a
    pool refuses some exact outputs that end among limit orders."""
    quote = _cost_of(side, amount_out)
    refused, paid = amount_out, 0
    for part in _GIVEN_UP:
        if isinstance(quote, Quote):
            break
        refused, paid = paid or amount_out, amount_out - 1 - (amount_out >> part)
        quote = _cost_of(side, paid)
    for _ in range(_NEARER if paid else 0):
        between = (paid + refused) // 2
        nearer = _cost_of(side, between)
        if isinstance(nearer, Quote):
            quote, paid = nearer, between
        else:
            refused = between
    return quote


def _cost_of(side: Side, amount_out: int) -> Quote | SwapError:
    try:
        return side.quote_out(amount_out)
    except SwapError as error:
        return error


def _is_steep(split: Split, room: Room) -> bool:
    return split.price_impact * MILLION > room.impact


def _units(split: Split, room: Room) -> int:
    loads = room.loads or {leg.position: Load() for leg in split.legs}
    return sum(loads[leg.position].of(leg.quote.steps) for leg in split.legs)
