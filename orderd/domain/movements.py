"""The movements of a wallet's balances by a transaction, besides its known fill, exact to the base unit."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orderd.domain.tokens import WSOL_MINT


class MovementKind(StrEnum):
    """``trade``: one side of a swap that orderd did not make. ``left_over``: received in addition to a fill."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRADE = "trade"
    LEFT_OVER = "left_over"
    FEE = "fee"
    RENT = "rent"


@dataclass(frozen=True, slots=True)
class Known:
    """The known fill of a transaction: base units by mint, without fee and rent."""

    deltas: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Effect:
    """The changes of the wallet by a transaction: base units by mint; for SOL, lamports and wrapped SOL together.

    ``fee`` are the lamports that the wallet paid for it, ``rent`` the lamports deposited in its token accounts;
    ``deltas`` do not include them.
    """

    deltas: Mapping[str, int]
    fee: int
    rent: int


@dataclass(frozen=True, slots=True)
class Movement:
    mint: str
    amount: int
    kind: MovementKind


def movements_of(effect: Effect, known: Known | None, *, is_own: bool) -> list[Movement]:
    """The movements of a transaction, which together with its fill sum up to its changes.

    ``is_own``: orderd signed it; amounts that it took without a fill, or in addition to one, are a cost.
    """
    left = Counter(dict(effect.deltas))
    if known is not None:
        left.subtract(known.deltas)
        return [
            Movement(mint, amount, MovementKind.LEFT_OVER if amount > 0 else MovementKind.FEE)
            for mint, amount in sorted(left.items())
            if amount
        ]
    movements = []
    for amount, kind in ((effect.fee, MovementKind.FEE), (effect.rent, MovementKind.RENT)):
        if amount:
            movements.append(Movement(WSOL_MINT, -amount, kind))
            left[WSOL_MINT] += amount
    rest = {mint: amount for mint, amount in sorted(left.items()) if amount}
    if is_own:
        kinds = {mint: MovementKind.LEFT_OVER if amount > 0 else MovementKind.FEE for mint, amount in rest.items()}
    elif sorted(amount > 0 for amount in rest.values()) == [False, True]:
        kinds = dict.fromkeys(rest, MovementKind.TRADE)
    else:
        kinds = {mint: MovementKind.DEPOSIT if amount > 0 else MovementKind.WITHDRAWAL for mint, amount in rest.items()}
    return _summed([*movements, *(Movement(mint, amount, kinds[mint]) for mint, amount in rest.items())])


def _summed(movements: list[Movement]) -> list[Movement]:
    """One per mint and kind."""
    sums = Counter[tuple[str, MovementKind]]()
    for each in movements:
        sums[each.mint, each.kind] += each.amount
    return [Movement(mint, amount, kind) for (mint, kind), amount in sums.items() if amount]
