"""Quotes go by the clock that the programs will go by, whatever this machine's says."""

import struct

from solders.pubkey import Pubkey

from orderd.solana.chain_time import CLOCK
from orderd.venues.chain_clock import LOOK_SECONDS, ChainClock
from tests.unit.venues.chain import Chain

NOW = 1_800_000_000.25


class Clocks:
    """The chain's, this machine's, and one that nobody sets."""

    def __init__(self) -> None:
        self.machine = NOW
        self.monotonic = 0.0
        self.chain = Chain()
        self.clock = ChainClock(
            self.chain.rpc(), machine=lambda: self.machine, clock=lambda: self.monotonic, start=lambda renew: renew()
        )

    def chain_says(self, second: int) -> None:
        self.chain.accounts[CLOCK] = Pubkey.default(), struct.pack("<QqQQq", 9, 0, 1, 2, second)


def test_the_chains_second_counts_and_goes_on_between_two_looks() -> None:
    clocks = Clocks()
    clocks.chain_says(int(NOW) - 40)
    assert int(clocks.clock()) == int(NOW) - 40
    clocks.machine += 5
    assert int(clocks.clock()) == int(NOW) - 35


def test_where_the_chain_does_not_show_its_clock_this_machines_counts() -> None:
    assert Clocks().clock() == NOW


def test_while_the_chain_does_not_show_it_the_last_difference_counts() -> None:
    clocks = Clocks()
    clocks.chain_says(int(NOW) + 7)
    before = clocks.clock()
    del clocks.chain.accounts[CLOCK]
    clocks.monotonic += LOOK_SECONDS + 1
    assert [clocks.clock(), clocks.clock()] == [before, before]
    assert len(clocks.chain.methods) == 2, "it was asked again"


def test_a_clock_that_goes_otherwise_is_noticed() -> None:
    clocks = Clocks()
    clocks.chain_says(int(NOW) - 40)
    clocks.clock()
    clocks.chain_says(int(NOW) - 50)
    clocks.monotonic += LOOK_SECONDS + 1
    clocks.clock()
    assert int(clocks.clock()) == int(NOW) - 50
