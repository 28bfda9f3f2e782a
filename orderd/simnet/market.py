"""Prices that move by themselves."""

from orderd.simnet.bank import Bank
from orderd.simnet.block import Block


class Market:
    def __init__(self, bank: Bank, seed: int, intensity: float) -> None:
        self._bank = bank
        self._seed = seed
        self._intensity = intensity

    def trade(self, block: Block) -> None:
        """Trade in a block that has just been opened."""
