"""A simulated market: noise traders around a drifting fair price, and an arbitrageur between the pools.

Trades depend only on the seed, the slot and the pools' state. They are ordinary transactions, a few per slot. Prices
are floats, because they only drive decisions; amounts are integers.
"""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.amm.swap import SwapError
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.simnet.account import LedgerAccount
from orderd.simnet.actors import ARBITRAGEUR, TRADERS
from orderd.simnet.bank import Bank
from orderd.simnet.block import Block
from orderd.simnet.errors import TransactionError
from orderd.simnet.genesis import SOL, START_PRICE
from orderd.simnet.market_pools import MarketPool, TradedPool
from orderd.simnet.transaction import decode
from orderd.solana.pool_programs import part, program_of
from orderd.solana.programs import compute_budget

_log: Final = structlog.get_logger(__name__)

MAX_TRADES_PER_SLOT: Final = 3
NOISE_CHANCE: Final = 0.8
"""Expected noise trades per slot, multiplied by the intensity."""
ARBITRAGE_CHANCE: Final = 0.5

_WAVES: Final = ((0.0004, 60), (0.0010, 350), (0.0025, 2_400), (0.0040, 20_000))
"""The fair price drifts by a sum of waves: the amplitude (a fraction of the price) and period (slots) of each."""
_LARGEST_TRADE: Final = 13
"""Largest noise trade, as a multiple of the pool's median trade."""
_PULL: Final = 300.0
"""How strongly traders prefer the direction of the fair price: at a gap of 1/600 all trades have this direction."""
_PROBE_SOL: Final = SOL
_PROBE_USDC: Final = 100 * 10**6
"""The amounts for which the arbitrageur compares the pools' prices after fees."""
_ARBITRAGE_USDC: Final = tuple(size * 10**6 for size in (100, 300, 800, 2_000, 5_000, 12_000, 30_000))
_ARBITRAGE_MARGIN: Final = 10_000
"""Smallest gain of a round trip, in base units of USDC."""


PLACES: Final[Sequence[TradedPool]] = [place for kind in PoolKind for place in part(kind, "simnet.market").PLACES]
_VENUES: Final[Mapping[Pubkey, VenueName]] = {
    place.address: program_of(kind).venue for kind in PoolKind for place in part(kind, "simnet.market").PLACES
}
_PAR: Final = 10_000


class SimulatedMarket:
    """Trades in the SOL/USDC pools each time a block opens."""

    def __init__(
        self, bank: Bank, seed: int, intensity: float, spread_bps: Mapping[VenueName, int] | None = None
    ) -> None:
        """``spread_bps``: by venue, basis points by which SOL stays more expensive there than elsewhere."""
        self._bank = bank
        self._seed = seed
        self._intensity = intensity
        phases = random.Random(f"{seed}:phases")  # noqa: S311  (repeatable on purpose)
        self._waves = [(height, period, phases.uniform(0, 2 * math.pi)) for height, period in _WAVES]
        # A chain that began under an earlier version has fewer pools.
        self._places = [place for place in PLACES if place.address in bank.accounts]
        self._weights = [place.weight for place in self._places]
        self._pools = [place.kind(place.address, self._read) for place in self._places]
        spreads = spread_bps or {}
        self._scale = {place.address: _PAR + spreads.get(_VENUES[place.address], 0) for place in self._places}

    def fair_price(self, slot: int) -> float:
        """The traders' estimate of the price in ``slot``, in base units of USDC per lamport."""
        drift = sum(height * math.sin(2 * math.pi * slot / period + phase) for height, period, phase in self._waves)
        return START_PRICE * math.exp(drift)

    def trade(self, block: Block) -> None:
        """Trade in a block that has just been opened."""
        chance = random.Random(f"{self._seed}:{block.slot}")  # noqa: S311  (repeatable on purpose)
        expected = NOISE_CHANCE * self._intensity
        trades = min(int(expected) + (chance.random() < expected % 1), MAX_TRADES_PER_SLOT - 1)
        for _ in range(trades):
            self._make_noise(block, chance)
        if chance.random() < ARBITRAGE_CHANCE:
            self._arbitrage(block)

    def _make_noise(self, block: Block, chance: random.Random) -> None:
        """One trader swaps a random amount, more likely towards the fair price than away from it."""
        (index,) = chance.choices(range(len(self._pools)), self._weights)
        pool, median = self._pools[index], self._places[index].median_trade
        price = pool.price()
        gap = price / (self.fair_price(block.slot) * self._scale[pool.address] / _PAR) - 1
        sells_sol = chance.random() < 0.5 + _PULL * gap
        lamports = min(int(median * chance.lognormvariate(0, 0.9)), _LARGEST_TRADE * median)
        trader = chance.choice(TRADERS)
        amount_in = lamports if sells_sol else int(lamports * price)
        self._send(trader, [pool.swap(trader.pubkey(), amount_in, 1, sells_sol=sells_sol)])

    def _arbitrage(self, block: Block) -> None:
        """Buy SOL where it is cheapest and sell it where it is dearest, in the most profitable amount, if any is.

        USDC amounts are scaled by each venue's spread, so that the spread is not traded away.
        """
        now = block.time
        cheap = max(self._pools, key=lambda pool: self._bought(pool, _PROBE_USDC, now))
        dearest = max(self._pools, key=lambda pool: self._paid(pool, _PROBE_SOL, now))
        if cheap is dearest:
            return
        best: tuple[int, int, int] | None = None
        for usdc in _ARBITRAGE_USDC:
            lamports = self._bought(cheap, usdc, now)
            gain = self._paid(dearest, lamports, now) - usdc
            if gain <= (best[0] if best else _ARBITRAGE_MARGIN):
                break
            best = (gain, usdc, lamports)
        if best is None:
            return
        _, usdc, lamports = best
        payer = ARBITRAGEUR.pubkey()
        self._send(
            ARBITRAGEUR,
            [
                cheap.swap(payer, self._scaled(cheap, usdc), lamports, sells_sol=False),
                dearest.swap(payer, lamports, self._scaled(dearest, usdc), sells_sol=True),
            ],
        )

    def _bought(self, pool: MarketPool, usdc: int, now: int) -> int:
        return _offer(pool, self._scaled(pool, usdc), sells_sol=False, now=now)

    def _paid(self, pool: MarketPool, lamports: int, now: int) -> int:
        return _offer(pool, lamports, sells_sol=True, now=now) * _PAR // self._scale[pool.address]

    def _scaled(self, pool: MarketPool, usdc: int) -> int:
        """An amount of USDC scaled by the pool's spread."""
        return usdc * self._scale[pool.address] // _PAR

    def _send(self, trader: Keypair, instructions: Sequence[Instruction]) -> None:
        budget = compute_budget.budget(compute_budget.MAX_COMPUTE_UNITS, 0)
        message = MessageV0.try_compile(trader.pubkey(), [*budget, *instructions], [], self._bank.open.parent)
        transaction = decode(bytes(VersionedTransaction(message, [trader])))
        try:
            outcome = self._bank.process(transaction, ephemeral=True)
        except TransactionError as error:
            _log.debug("market trade refused", error=str(error))
        else:
            if outcome.error is not None:
                _log.debug("market trade failed", error=str(outcome.error))

    def _read(self, key: Pubkey) -> LedgerAccount:
        return self._bank.accounts[key]


def _offer(pool: MarketPool, amount_in: int, *, sells_sol: bool, now: int) -> int:
    """The amount that a pool pays, after fees; 0 if it cannot execute the swap."""
    try:
        return pool.quote(amount_in, sells_sol=sells_sol, now=now)
    except SwapError:
        return 0
