"""Buys an exact amount over several pools at the lowest cost; ``split`` does the same for an exact sale.

The output of a split rises with its input, so the search looks for the input whose split pays just the amount; each try
is derived from the previous ones. The legs of the last try are then requested with exact outputs that add up to the
amount, so their costs are those of the pools' own exact-output swaps. The shares of the legs are optimal for the last
input tried, which is so close that the difference is negligible. If a pool refuses its part, the part is reduced, and
the rest is a purchase from the other pools.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
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
    market = _Market(sides, max_legs, cost_per_leg, curve_of, room)
    singles = tuple(_cost_of(side, amount_out) for side in sides)
    near = _near(market, singles, amount_out)
    purchases = [Split((Leg(index, one),)) for index, one in enumerate(singles) if isinstance(one, Quote)]
    if near.best is not None and max_legs > 1:
        purchases += _divided(market, near.best, amount_out)
    steep: Split | None = None
    for each in sorted(purchases, key=lambda each: each.amount_in * (amount_out + cost_per_leg * len(each.legs))):
        if _is_steep(each, room):
            steep = steep or each
        elif _units(each, room) <= room.units and room.fits(each):
            return Offers(singles, each, None, steep)
    return Offers(singles, None, near.less, steep or near.steep)


class _Market(NamedTuple):
    """The pools of a purchase, and the limits of its legs."""

    sides: Sequence[Side]
    max_legs: int
    cost_per_leg: int
    curve_of: CurveOf
    room: Room


def _near(market: _Market, singles: Sequence[Quote | SwapError], amount_out: int) -> Offers:
    """The best split of an input that pays about the amount; if there is none, of an input that pays less."""
    sides, max_legs, cost_per_leg, curve_of, room = market
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


def _divided(market: _Market, near: Split, amount_out: int) -> Iterator[Split]:
    """Splits with exact outputs that add up to the amount.

    One divides it among the legs as ``near`` does. For each leg whose pool refuses its part there is another, in which
    that pool pays as much as it can, and the other pools the rest.
    """
    paid = max(near.amount_out, amount_out)
    parts = {leg.position: leg.quote.amount_out * amount_out // paid for leg in near.legs}
    quotes = {position: _cost_of(market.sides[position], part) for position, part in parts.items()}
    if len(parts) > 1:
        yield from _exactly(market.sides, parts, quotes, amount_out)
    for position, part in parts.items():
        if isinstance(quotes[position], SwapError) and (most := _most(market.sides[position], part)):
            yield from _completed(market, Leg(position, most), amount_out)


def _exactly(
    sides: Sequence[Side], parts: Mapping[int, int], quotes: Mapping[int, Quote | SwapError], amount_out: int
) -> Iterator[Split]:
    """The given parts, but the largest leg buys what the others leave; if its pool refuses, another leg does. No other
    leg becomes larger, because the split may be at its price limit."""
    for last in parts:
        left = amount_out - sum(part for position, part in parts.items() if position != last)
        costs = {**quotes, last: _cost_of(sides[last], left)}
        legs = [Leg(position, quote) for position, quote in costs.items() if isinstance(quote, Quote)]
        if len(legs) == len(parts):
            yield _ordered(legs)
            return


def _completed(market: _Market, kept: Leg, amount_out: int) -> Iterator[Split]:
    """``kept``, and the rest of the amount from the other pools."""
    others = [position for position in range(len(market.sides)) if position != kept.position]

    def whole(rest: Iterable[Leg]) -> Split:
        return _ordered([kept, *(Leg(others[leg.position], leg.quote) for leg in rest)])

    loads = market.room.loads
    rest = best_purchase(
        [market.sides[position] for position in others],
        amount_out - kept.quote.amount_out,
        max_legs=market.max_legs - 1,
        cost_per_leg=market.cost_per_leg,
        curve_of=lambda index, most_steps: market.curve_of(others[index], most_steps),
        room=Room(
            [loads[position] for position in others] if loads else (),
            market.room.units - _units(Split((kept,)), market.room),
            may_fit=lambda rest: market.room.may_fit((kept.position, *(others[index] for index in rest))),
            fits=lambda rest: market.room.fits(whole(rest.legs)),
        ),
    ).best
    if rest is not None:
        yield whole(rest.legs)


def _most(side: Side, refused: int) -> Quote | None:
    """The cost of a smaller amount that the pool pays, close to the largest: its liquidity may end there, and a pool
    refuses some exact outputs that end among limit orders."""
    most, paid = None, refused
    for part in _GIVEN_UP:
        above, paid = paid, refused - 1 - (refused >> part)
        if isinstance(most := _cost_of(side, paid), Quote):
            break
    for _ in range(_NEARER):
        between = (paid + above) // 2
        if isinstance(nearer := _cost_of(side, between), Quote):
            most, paid = nearer, between
        else:
            above = between
    return most if isinstance(most, Quote) else None


def _cost_of(side: Side, amount_out: int) -> Quote | SwapError:
    try:
        return side.quote_out(amount_out)
    except SwapError as error:
        return error


def _ordered(legs: Sequence[Leg]) -> Split:
    return Split(tuple(sorted(legs, key=lambda leg: -leg.quote.amount_in)))


def _is_steep(split: Split, room: Room) -> bool:
    return split.price_impact * MILLION > room.impact


def _units(split: Split, room: Room) -> int:
    loads = room.loads or {leg.position: Load() for leg in split.legs}
    return sum(loads[leg.position].of(leg.quote.steps) for leg in split.legs)
