"""Finds the slot from which a node has every block of the chain.

A node that restarted from a snapshot has its older and its newer blocks, but none of those in between.
``getFirstAvailableBlock`` says nothing about such a gap, and what landed in it is "not found". Heights count blocks: if
none is missing, the difference of two blocks' heights equals that of their positions in the node's list.
"""

from bisect import bisect_left
from typing import Final

from orderd.solana.rpc import Commitment, RpcClient, RpcTransportError
from orderd.solana.rpc_types import EpochInfo

_SLOTS_PER_CALL: Final = 500_000
"""agave ``rpc/src/rpc.rs``, MAX_GET_CONFIRMED_BLOCKS_RANGE."""


def unbroken_from(rpc: RpcClient, oldest: int, newest: EpochInfo, commitment: Commitment) -> int:
    """The first slot from ``oldest`` on after which the node lacks no block up to ``newest``.

    Raises RpcError, also if the node does not list the block of ``newest``.
    """
    slots = [
        slot
        for first in range(oldest, newest.absolute_slot + 1, _SLOTS_PER_CALL)
        for slot in rpc.get_blocks(first, min(first + _SLOTS_PER_CALL - 1, newest.absolute_slot), commitment)
    ]
    if not slots or slots[-1] != newest.absolute_slot:
        raise RpcTransportError(f"getBlocks: slot {newest.absolute_slot} is missing, though it is {commitment}")

    def is_unbroken(place: int) -> bool:
        height = rpc.get_block_place(slots[place], commitment).height
        return newest.block_height - height == len(slots) - 1 - place

    place = 0 if is_unbroken(0) else bisect_left(range(len(slots) - 1), True, key=is_unbroken)
    return max(rpc.get_block_place(slots[place], commitment).parent_slot + 1, oldest)
