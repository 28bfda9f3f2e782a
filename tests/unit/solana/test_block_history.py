"""The slot from which on a node has every block: blocks missing between two snapshots are a gap of the node."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.solana.block_history import unbroken_from
from orderd.solana.rpc import RpcClient, RpcTransportError
from orderd.solana.rpc_types import EpochInfo
from tests.unit.solana.node import Node


class Ledger:
    """A node that has the blocks ``kept`` of a chain with blocks at these slots; heights begin at 100."""

    def __init__(self, chain: list[int], kept: set[int]) -> None:
        self.chain, self.kept = chain, kept
        self.rpc = RpcClient("http://node", transport=Node(getBlocks=self._blocks, getBlock=self._block))

    @property
    def newest(self) -> EpochInfo:
        return EpochInfo(self.chain[-1], 100 + len(self.chain) - 1, 0)

    def unbroken_from(self, oldest: int) -> int:
        return unbroken_from(self.rpc, oldest, self.newest, "finalized")

    def _blocks(self, params: list[Any]) -> Any:
        first, last, config = params
        assert last - first < 500_000
        assert config == {"commitment": "finalized"}
        return {"result": [slot for slot in self.chain if first <= slot <= last and slot in self.kept]}

    def _block(self, params: list[Any]) -> Any:
        place = self.chain.index(params[0])
        assert params[0] in self.kept
        parent = self.chain[place - 1] if place else 0
        return {"result": {"blockHeight": 100 + place, "parentSlot": parent}}


@given(
    st.sets(st.integers(1, 60), min_size=1).map(sorted),
    st.sets(st.integers(1, 60)),
    st.integers(1, 60),
)
def test_the_history_begins_after_the_last_missing_block(chain: list[int], missing: set[int], oldest: int) -> None:
    ledger = Ledger(chain, set(chain) - missing | {chain[-1]})
    oldest = min(oldest, chain[-1])
    found = ledger.unbroken_from(oldest)
    lacking = [slot for slot in chain if slot not in ledger.kept and slot >= oldest]
    assert found == max(lacking, default=oldest - 1) + 1


def test_a_long_history_takes_several_calls() -> None:
    chain = [1, 400_000, 600_000, 1_200_000]
    assert Ledger(chain, set(chain)).unbroken_from(1) == 1
    assert Ledger(chain, {1, 600_000, 1_200_000}).unbroken_from(1) == 400_001


def test_a_node_that_does_not_list_its_newest_block_is_an_error() -> None:
    with pytest.raises(RpcTransportError, match="slot 9 is missing"):
        Ledger([7, 8, 9], {7, 8}).unbroken_from(7)


def test_contradictory_heights_leave_only_the_newest_block() -> None:
    ledger = Ledger([7, 8, 9], {7, 8, 9})
    wrong = EpochInfo(9, 500, 0)
    assert unbroken_from(ledger.rpc, 7, wrong, "finalized") == 9
