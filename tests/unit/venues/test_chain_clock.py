"""Quotes use the clock that the programs use, whatever this machine's clock shows."""

import struct

from solders.pubkey import Pubkey

from orderd.solana.chain_time import CLOCK
from orderd.venues.chain_clock import REFRESH_SECONDS, ChainClock
from tests.unit.venues.chain import Chain

NOW = 1_800_000_000.25


class Clocks:
    """The chain's clock, this machine's clock, and a monotonic one."""

    def __init__(self) -> None:
        self.machine = NOW
        self.monotonic = 0.0
        self.chain = Chain()
        self.clock = ChainClock(
            self.chain.rpc(), machine=lambda: self.machine, clock=lambda: self.monotonic, start=lambda renew: renew()
        )

    def chain_says(self, second: int) -> None:
        self.chain.accounts[CLOCK] = Pubkey.default(), struct.pack("<QqQQq", 9, 0, 1, 2, second)


def test_the_chains_clock_is_used_and_advances_between_readings() -> None:
    clocks = Clocks()
    clocks.chain_says(int(NOW) - 40)
    assert int(clocks.clock()) == int(NOW) - 40
    clocks.machine += 5
    assert int(clocks.clock()) == int(NOW) - 35


def test_this_machines_clock_is_used_without_a_clock_of_the_chain() -> None:
    assert Clocks().clock() == NOW


def test_the_last_known_difference_is_used_while_the_chain_is_unavailable() -> None:
    clocks = Clocks()
    clocks.chain_says(int(NOW) + 7)
    before = clocks.clock()
    del clocks.chain.accounts[CLOCK]
    clocks.monotonic += REFRESH_SECONDS + 1
    assert [clocks.clock(), clocks.clock()] == [before, before]
    assert len(clocks.chain.methods) == 2, "the clock was not read again"


def test_a_clock_at_another_pace_is_detected() -> None:
    clocks = Clocks()
    clocks.chain_says(int(NOW) - 40)
    clocks.clock()
    clocks.chain_says(int(NOW) - 50)
    clocks.monotonic += REFRESH_SECONDS + 1
    clocks.clock()
    assert int(clocks.clock()) == int(NOW) - 50
