"""The running chain: opens the ledger, makes one block per slot, and continues after errors."""

import asyncio
import time
from collections import deque
from itertools import chain
from pathlib import Path
from typing import Final

import orjson
import structlog
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from orderd.simnet.actors import IDENTITY
from orderd.simnet.bank import HISTORY, Bank
from orderd.simnet.block import Block, SealedBlock
from orderd.simnet.config import SimnetConfig
from orderd.simnet.faults import Dice
from orderd.simnet.genesis import Genesis
from orderd.simnet.genesis.lookup_tables import accounts, read
from orderd.simnet.genesis.renewal import renewed
from orderd.simnet.images import Image
from orderd.simnet.ledger.file import LedgerError
from orderd.simnet.ledger.ledger import KEEP_EPHEMERAL, Ledger
from orderd.simnet.ledger.records import Row
from orderd.simnet.market import SimulatedMarket
from orderd.simnet.mempool import Mempool
from orderd.simnet.prices import PriceBoard
from orderd.simnet.programs.binaries import Binaries
from orderd.simnet.programs.deployed import deployed
from orderd.simnet.programs.disturbed import with_failures, with_outage, with_refusals
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.record import transaction_meta
from orderd.simnet.transaction import Transaction
from orderd.solana.programs import memo

_log: Final = structlog.get_logger(__name__)

PRUNE_EVERY: Final = 500
FORGET_EVERY: Final = 10


class Chain:
    """Bank and ledger together. ``run`` is the slot loop; all other methods are called on the same event loop."""

    def __init__(self, config: SimnetConfig) -> None:
        """Raises LedgerError if the ledger cannot be used, and BinariesError if the program binaries cannot be
        loaded."""
        self.config = config
        config.state_dir.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(ledger_path(config.state_dir))
        restored = self.ledger.restore(HISTORY)
        if restored is None:
            self.ledger.append(Genesis(int(time.time())).block(), ())
            restored = self.ledger.restore(HISTORY)
        if restored is None:
            raise LedgerError(f"the ledger in {config.state_dir} lost its first block; remove the directory")
        self.genesis_hash = self.ledger.genesis_hash()
        self.dice = Dice(config.faults, config.seed, restored.tip.slot)
        binaries = None if config.programs is None else Binaries(config.programs)
        programs = with_refusals(
            {**PROGRAMS, **(binaries.programs() if binaries else {})}, config.faults.refusing_pools
        )
        programs = with_outage(programs, config.faults.venue_outage)
        self.bank = Bank(
            restored.accounts,
            restored.tip,
            blockhashes=restored.blockhashes,
            statuses=restored.statuses,
            programs=programs,
            landing_programs=with_failures(programs, self.dice),
            clock=lambda: int(time.time()),
            collector=IDENTITY.pubkey(),
            finality_slots=config.finality_slots,
        )
        self.bank.replace(renewed(restored.accounts))
        self.bank.replace({key: each for key, each in accounts().items() if key not in restored.accounts})
        self.bank.replace(deployed(restored.accounts, binaries.elfs if binaries else {}, restored.tip.slot))
        self.prices = PriceBoard(self.bank, config.state_dir / "prices.json")
        self.prices.apply_to(self.bank.open)
        self.bank.on_opened.append(self.prices.apply_to)  # before the market trades
        self.mempool = Mempool(self.bank, self.dice)
        if config.market:
            market = SimulatedMarket(self.bank, config.seed, config.market_intensity, config.spread_bps)
            self.bank.on_opened.append(market.trade)
        self._stopping = asyncio.Event()
        self._sealed: list[SealedBlock] = []
        self._durable: deque[SealedBlock] = deque()
        """Blocks on disk that are not confirmed yet."""

    # Blocks

    async def run(self) -> None:
        """Make one block per slot until ``stop``, then seal and write the open one. Raises sqlite3.Error if that fails.

        Before ``stop`` failures are logged, and blocks that could not be written are written in a later slot.
        """
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self.config.slot_ms / 1_000, loop.time())
            if await self._stopped_before(due):
                break
            self._seal()
            depth = min(self.dice.fork_depth(), self.bank.revocable())
            if depth:
                self._fork(depth)
            self._announce_open()
            await self._try_to_write()
        self._seal()
        while self._sealed:
            await self._make_durable()

    def fork(self, depth: int) -> int:
        """Abandon the newest ``depth`` sealed blocks and the open one, as ``Bank.fork`` does. Returns the new open
        slot.

        The fork is durable with its first block. Until then a restart returns to the old fork.
        """
        self._fork(depth)
        self._announce_open()
        return self.bank.open.slot

    def _fork(self, depth: int) -> None:
        left = self.bank.open
        given_up: list[Block | SealedBlock] = [*self.bank.fork(depth), left]
        _log.debug("fork", given_up=[block.slot for block in given_up], open=self.bank.open.slot)
        self._sealed = [block for block in self._sealed if self.bank.block(block.slot) is block]
        self._durable = deque(block for block in self._durable if self.bank.block(block.slot) is block)
        for transaction in chain.from_iterable(map(self._kept, given_up)):
            self.mempool.send_again(transaction)

    def _kept(self, block: Block | SealedBlock) -> list[Transaction]:
        """The transactions of a block that are not ephemeral."""
        if block.executed:
            return [each.transaction for each in block.executed if not each.ephemeral]
        return [read(raw) for raw in self.ledger.kept_in(block.slot)]

    def _seal(self) -> None:
        if self.dice.faults.nodes == "pool":
            self._vote()
        self._sealed.append(self.bank.seal())

    def _vote(self) -> None:
        """Add the validator's vote: on a cluster, each block has at least one transaction."""
        text = memo.memo(f"vote {self.bank.open.slot}")
        message = MessageV0.try_compile(IDENTITY.pubkey(), [text], [], self.bank.open.parent)
        self.bank.process(read(bytes(VersionedTransaction(message, [IDENTITY]))), ephemeral=True)

    # Stopping

    def stop(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        self.ledger.close()

    async def _stopped_before(self, due: float) -> bool:
        try:
            async with asyncio.timeout_at(due):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    # Writing

    def _announce_open(self) -> None:
        try:
            self.bank.announce_open()
        except Exception:  # noqa: BLE001  (an error at the start of a block must not stop the chain)
            _log.exception("start of slot failed", slot=self.bank.open.slot)

    async def _try_to_write(self) -> None:
        try:
            while self._sealed:
                await self._make_durable()
        except Exception:  # noqa: BLE001  (the disk may be full for a while; sealed blocks stay queued)
            _log.exception("block not written", slot=self._sealed[0].slot, waiting=len(self._sealed))

    async def _make_durable(self) -> None:
        block = self._sealed[0]
        await asyncio.to_thread(self._write, block)
        if self._sealed and self._sealed[0] is block:  # otherwise a fork abandoned it meanwhile
            del self._sealed[0]
            self._durable.append(block)
        while len(self._durable) > self.config.confirm_slots:
            self.bank.confirm(self._durable.popleft())

    def _write(self, block: SealedBlock) -> None:
        rows = []
        for each in block.executed:
            error = each.outcome.error
            rows.append(
                Row(
                    each.transaction.signature,
                    orjson.dumps(None if error is None else error.to_json()),
                    orjson.dumps(transaction_meta(each.transaction, each.outcome, self.bank.accounts.get)),
                    each.transaction.raw,
                    each.transaction.keys,
                    each.ephemeral,
                    () if each.ephemeral else tuple(map(Image, each.outcome.before, each.outcome.after)),
                )
            )
        self.ledger.append(block, rows)
        if block.slot % PRUNE_EVERY == 0:
            self.ledger.prune(block.slot - KEEP_EPHEMERAL)
        if (kept := self.config.keep_slots) is not None and block.slot % FORGET_EVERY == 0:
            self.ledger.forget(block.slot - max(kept, KEEP_EPHEMERAL))


def ledger_path(state_dir: Path) -> Path:
    """Path of a chain's ledger."""
    return state_dir / "ledger.sqlite"
