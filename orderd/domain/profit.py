"""Profit of trades: lots by FIFO or at their average cost, in integers of base units.

Values are in base units of one token, the unit; of the unit itself there are no lots. The proceeds of a sale above the
cost of the lots it takes are realised profit. Fees and rent are paid in SOL and use lots of SOL at their cost. A
deposit is a lot at its value at that time; a withdrawal takes lots at their cost and realises nothing.

An unknown value is never invented. A deposit without a value makes no lot. A sale beyond all lots is counted at cost,
so it neither gains nor loses; it is reported as uncovered. A trade without a value transfers the cost of the sold lots
to the bought token.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from orderd.domain.tokens import WSOL_MINT


class CostMethod(StrEnum):
    """The lots that a sale uses: the oldest first, or an equal part of all."""

    FIFO = "fifo"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class Traded:
    """``amount_in`` of one mint for ``amount_out`` of another. ``value`` is their value, None if unknown. ``fee`` and
    ``rent`` are in lamports, and paid in addition.
    """

    at: datetime
    mint_in: str
    amount_in: int
    mint_out: str
    amount_out: int
    value: int | None
    fee: int = 0
    rent: int = 0
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class TokenMovement:
    """Base units that were received or, if negative, sent without a trade, and their total value (not negative).

    ``is_cost``: it was a fee.
    """

    at: datetime
    mint: str
    amount: int
    value: int | None = None
    is_cost: bool = False


@dataclass(slots=True)
class Earned:
    """The result of one token, for a day or in total, in base units of the unit."""

    realised: int = 0
    fees: int = 0
    rent: int = 0

    def add(self, other: "Earned") -> None:
        self.realised += other.realised
        self.fees += other.fees
        self.rent += other.rent


@dataclass(slots=True)
class _Lot:
    """A lot. Its cost is divided over its units, rounded so that the parts add up to the whole."""

    amount: int
    cost: int
    taken: int = 0

    @property
    def left(self) -> int:
        return self.amount - self.taken

    @property
    def cost_left(self) -> int:
        return self.cost - self.cost * self.taken // self.amount

    def take(self, amount: int) -> int:
        before = self.cost * self.taken // self.amount
        self.taken += amount
        return self.cost * self.taken // self.amount - before


@dataclass(slots=True)
class TokenPosition:
    """The position in one token. ``held`` is the sum of all movements; the part of it that is in lots has a cost."""

    held: int = 0
    uncovered: int = 0
    is_estimated: bool = False
    total: Earned = field(default_factory=Earned)
    lots: "deque[_Lot]" = field(default_factory=deque)

    @property
    def in_lots(self) -> int:
        return sum(lot.left for lot in self.lots)

    @property
    def cost(self) -> int:
        """The cost of the lots."""
        return sum(lot.cost_left for lot in self.lots)


class CostBook:
    """Processes trades and movements in the order of time. ``unit`` is a mint."""

    def __init__(self, unit: str, method: CostMethod) -> None:
        self._unit = unit
        self._method = method
        self.positions: dict[str, TokenPosition] = {}
        self.days: dict[tuple[date, str], Earned] = {}

    def enter(self, happened: "Iterable[Traded | TokenMovement]") -> None:
        for each in happened:
            if isinstance(each, Traded):
                self._trade(each)
            else:
                self._move(each)

    def _trade(self, trade: Traded) -> None:
        sold, bought = self._position(trade.mint_in), self._position(trade.mint_out)
        cost, covered = self._take(trade.mint_in, trade.amount_in)
        value = trade.value
        if value is None and covered == trade.amount_in:
            value = cost
        if value is not None and trade.mint_in != self._unit:
            # The sold part without lots is counted at its proceeds.
            self._earn(trade.at, trade.mint_in, Earned(realised=value * covered // trade.amount_in - cost))
        sold.held -= trade.amount_in
        bought.held += trade.amount_out
        if value is not None:
            self._add(trade.mint_out, trade.amount_out, value)
        sold.is_estimated |= trade.is_estimated
        bought.is_estimated |= trade.is_estimated
        self._pay(trade.at, trade.fee, trade.rent)

    def _move(self, moved: TokenMovement) -> None:
        position = self._position(moved.mint)
        position.held += moved.amount
        if moved.amount > 0:
            if moved.value is not None:
                self._add(moved.mint, moved.amount, moved.value)
            position.is_estimated |= moved.mint != self._unit
            return
        cost, _ = self._take(moved.mint, -moved.amount)
        if moved.is_cost:
            self._earn(moved.at, moved.mint, Earned(fees=-moved.amount if moved.mint == self._unit else cost))

    def _pay(self, at: datetime, fee: int, rent: int) -> None:
        sol = self._position(WSOL_MINT)
        costs = [each if self._unit == WSOL_MINT else self._take(WSOL_MINT, each)[0] for each in (fee, rent)]
        sol.held -= fee + rent
        if fee or rent:
            self._earn(at, WSOL_MINT, Earned(fees=costs[0], rent=costs[1]))

    def _position(self, mint: str) -> TokenPosition:
        return self.positions.setdefault(mint, TokenPosition())

    def _add(self, mint: str, amount: int, cost: int) -> None:
        if mint == self._unit:
            return
        lots = self._position(mint).lots
        if self._method is CostMethod.AVERAGE and lots:
            last = lots.pop()
            amount, cost = amount + last.left, cost + last.cost_left
        lots.append(_Lot(amount, cost))

    def _take(self, mint: str, amount: int) -> tuple[int, int]:
        """The cost of this amount, and how much of it was in lots. The unit costs its own amount."""
        if mint == self._unit:
            return amount, amount
        position, cost, left = self._position(mint), 0, amount
        while left and position.lots:
            lot = position.lots[0]
            part = min(left, lot.left)
            cost += lot.take(part)
            left -= part
            if not lot.left:
                position.lots.popleft()
        position.uncovered += left
        return cost, amount - left

    def _earn(self, at: datetime, mint: str, earned: Earned) -> None:
        self._position(mint).total.add(earned)
        self.days.setdefault((at.astimezone(UTC).date(), mint), Earned()).add(earned)
