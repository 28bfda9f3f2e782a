"""The active orders in the order in which they became known, in pages, for the followers of all orders.

Each order has a number, so that a follower only needs two numbers to know which orders existed when it subscribed, and
how far it has been shown them.
"""

from typing import Final
from uuid import UUID

PAGE: Final = 250


class ActiveOrders:
    def __init__(self) -> None:
        self.last = 0
        """The number of the order that became known last."""
        # Of PAGE numbers each, so that followers at the same place read the same pages, even if orders have ended
        # meanwhile.
        self._blocks: dict[int, dict[UUID, int]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._blocks.values()))

    def add(self, order_id: UUID) -> int:
        """The number of an order that has become known, or has become active again."""
        self.last += 1
        self._blocks.setdefault(_block(self.last), {})[order_id] = self.last
        return self.last

    def remove(self, order_id: UUID, number: int) -> None:
        """The order has ended."""
        block = self._blocks[_block(number)]
        del block[order_id]
        if not block:
            del self._blocks[_block(number)]

    def page(self, after: int) -> tuple[dict[UUID, int], int]:
        """Orders with higher numbers, and the highest number up to which these are all."""
        found: dict[UUID, int] = {}
        for index, block in self._blocks.items():
            if index >= _block(after + 1):
                found |= {order_id: number for order_id, number in block.items() if number > after}
                if len(found) >= PAGE:
                    return found, min((index + 1) * PAGE, self.last)
        return found, self.last


def _block(number: int) -> int:
    return (number - 1) // PAGE
