"""The nodes behind the server's address: one node, or a pool in which each request may reach another node.

The faulty nodes behave as real ones: a snapshot from which a node restarts includes the statuses of the newest 300
blocks (agave, ``runtime/src/status_cache.rs``) but not their transactions, and a node on a dead fork reports its own
slots.
"""

from typing import Final

from orderd.simnet.bank import Bank
from orderd.simnet.faults import Dice
from orderd.simnet.rpc.protocol import Node

_AHEAD: Final = 3
"""Slots by which the node on the dead fork is ahead of all others."""


class NodePool:
    """Chooses the node for each request."""

    def __init__(self, bank: Bank, dice: Dice) -> None:
        self._bank = bank
        self._dice = dice

    def node(self) -> Node:
        """The node that answers the next request."""
        (node,) = self.nodes(1)
        return node

    def nodes(self, count: int) -> list[Node]:
        """The nodes that answer the requests of a batch."""
        if self._dice.faults.nodes == "one":
            return [self._one()] * count
        return [self._any() for _ in range(count)]

    def _one(self) -> Node:
        return Node(self._bank, self._bank.levels(self._dice.lag()))

    def _any(self) -> Node:
        faults, now = self._dice.faults, self._bank.open.slot
        match self._dice.view():
            case "honest":
                return self._one()
            case "behind":
                return Node(self._bank, self._bank.levels(faults.behind_slots))
            case "restarted":
                return self._one()._replace(first_block=now - now % faults.restart_slots)
            case "pruned":
                return self._one()._replace(first_block=max(now - faults.pruned_blocks, 0))
            case "forked":
                return self._forked(now - now % faults.rejoin_slots)
            case "historyless":
                return self._one()._replace(has_history=False)

    def _forked(self, since: int) -> Node:
        """A node on its own fork since the newest block that is not above ``since``. Nothing on the fork is
        confirmed."""
        now = self._bank.open.slot
        at = self._bank.newest(since).slot
        levels = self._bank.levels(now - at)
        return Node(self._bank, levels._replace(processed=now + _AHEAD), forked_at=at)
