"""The slot loop produces one block per slot, whatever fails."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from solders.keypair import Keypair
from structlog.testing import capture_logs

from orderd.simnet.actors import TRADERS
from orderd.simnet.block import Block, SealedBlock
from orderd.simnet.chain import FORGET_EVERY, Chain
from orderd.simnet.config import SimnetConfig
from orderd.simnet.ledger.ledger import Ledger
from orderd.simnet.transaction import decode
from orderd.solana.programs import system
from tests.integration.simnet.server import SOL, build

SHOP = Keypair.from_seed(bytes([4] * 32)).pubkey()


def run(chain: Chain, story: Callable[[], Awaitable[None]]) -> None:
    """Run the slot loop during ``story``, and stop it in order."""

    async def both() -> None:
        loop = asyncio.create_task(chain.run())
        async with asyncio.timeout(30):
            await story()
            chain.stop()
            await loop

    asyncio.run(both())


def confirmed(chain: Chain, wanted: Callable[[SealedBlock], bool]) -> Awaitable[SealedBlock]:
    """The next confirmed block that satisfies ``wanted``."""
    found: asyncio.Future[SealedBlock] = asyncio.get_running_loop().create_future()

    def look(block: SealedBlock) -> None:
        if not found.done() and wanted(block):
            found.set_result(block)

    chain.bank.on_confirmed.append(look)
    return found


def pay(chain: Chain) -> None:
    trader = TRADERS[0]
    transfer = system.transfer(trader.pubkey(), SHOP, SOL)
    assert chain.bank.process(decode(bytes(build([transfer], trader, chain.bank.open.parent)))).error is None


def restored_balance(state_dir: Path) -> int:
    ledger = Ledger(state_dir / "ledger.sqlite")
    restored = ledger.restore(10)
    ledger.close()
    assert restored is not None
    return restored.accounts[SHOP].lamports


def test_a_confirmed_block_is_in_the_file(tmp_path: Path) -> None:
    chain = Chain(SimnetConfig(state_dir=tmp_path, slot_ms=5, market=False))
    reader = sqlite3.connect(tmp_path / "ledger.sqlite")
    written: list[bool] = []

    def look(block: SealedBlock) -> None:
        written.append(reader.execute("SELECT 1 FROM blocks WHERE slot = ?", (block.slot,)).fetchone() is not None)

    chain.bank.on_confirmed.append(look)

    async def story() -> None:
        slot = chain.bank.open.slot
        await confirmed(chain, lambda block: block.slot == slot + 10)

    run(chain, story)
    reader.close()
    chain.close()

    assert len(written) > 10
    assert all(written)


def test_blocks_are_written_in_order_after_the_disk_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain(SimnetConfig(state_dir=tmp_path, slot_ms=5, market=False))
    append, failures = chain.ledger.append, iter([sqlite3.OperationalError("database or disk is full")] * 5)
    written: list[int] = []

    def flaky(block: SealedBlock, rows: object) -> None:
        error = next(failures, None)
        if error is not None:
            raise error
        written.append(block.slot)
        append(block, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(chain.ledger, "append", flaky)

    async def story() -> None:
        slot = chain.bank.open.slot
        pay(chain)
        before = chain.bank.levels().confirmed
        assert before < slot
        await confirmed(chain, lambda block: block.slot == slot + 8)

    with capture_logs() as logs:
        run(chain, story)
    chain.close()

    assert [entry["event"] for entry in logs] == ["block not written"] * 5
    assert written == list(range(written[0], written[0] + len(written)))
    assert restored_balance(tmp_path) == SOL


def test_a_failing_listener_does_not_stop_the_chain(tmp_path: Path) -> None:
    chain = Chain(SimnetConfig(state_dir=tmp_path, slot_ms=5, market=False))
    broken: list[int] = []

    def breaks(block: Block) -> None:
        broken.append(block.slot)
        raise RuntimeError("a failing market")

    chain.bank.on_opened.append(breaks)

    async def story() -> None:
        pay(chain)
        slot = chain.bank.open.slot
        await confirmed(chain, lambda block: block.slot == slot + 5)

    with capture_logs() as logs:
        run(chain, story)
    chain.close()

    assert len(broken) > 4
    assert [entry["event"] for entry in logs] == ["start of slot failed"] * len(broken)
    assert restored_balance(tmp_path) == SOL


def test_the_retention_of_blocks_is_rounded_up_to_slots(tmp_path: Path) -> None:
    assert SimnetConfig(state_dir=tmp_path).keep_slots is None
    assert SimnetConfig(state_dir=tmp_path, keep_days=7, slot_ms=400).keep_slots == 7 * 86_400 * 5 // 2
    with pytest.raises(ValueError, match="keep_days"):
        SimnetConfig(state_dir=tmp_path, keep_days=6)


def test_a_chain_removes_old_blocks_but_keeps_its_first_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimnetConfig, "keep_slots", 20)
    monkeypatch.setattr("orderd.simnet.chain.KEEP_EPHEMERAL", 10)
    config = SimnetConfig(state_dir=tmp_path, slot_ms=5, market=False)
    chain = Chain(config)
    first = chain.bank.open.slot

    async def story() -> None:
        await confirmed(chain, lambda block: block.slot == first + 60)

    run(chain, story)
    slots = chain.ledger.slots(0, first + 1_000)
    genesis, last = chain.genesis_hash, slots[-1]
    chain.close()

    assert slots[0] < first, "the first block identifies the chain"
    assert last - slots[1] in range(20, 20 + FORGET_EVERY)
    again = Chain(config)
    assert (again.genesis_hash, again.bank.open.slot) == (genesis, last + 1)
    again.close()


def test_a_chain_is_restored_after_the_markets_trades_were_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderd.simnet.chain.PRUNE_EVERY", 10)
    monkeypatch.setattr("orderd.simnet.chain.KEEP_EPHEMERAL", 20)
    config = SimnetConfig(state_dir=tmp_path, slot_ms=5, market_intensity=3)
    chain = Chain(config)
    first = chain.bank.open.slot

    async def story() -> None:
        await confirmed(chain, lambda block: block.slot == first + 60)

    run(chain, story)
    accounts = dict(chain.bank.accounts)
    genesis = chain.genesis_hash
    chain.close()

    again = Chain(config)
    assert again.bank.accounts == accounts
    assert again.genesis_hash == genesis
    assert again.ledger.block_time(first + 5) is None
    again.close()


def test_a_block_is_confirmed_after_the_configured_delay(tmp_path: Path) -> None:
    chain = Chain(SimnetConfig(state_dir=tmp_path, slot_ms=5, confirm_ms=52, market=False))
    behind: list[int] = []
    chain.bank.on_confirmed.append(lambda block: behind.append(chain.bank.open.slot - block.slot))

    async def story() -> None:
        slot = chain.bank.open.slot
        await confirmed(chain, lambda block: block.slot == slot + 20)

    run(chain, story)
    chain.close()

    assert min(behind) == 12, "11 slots and the open one"
    assert restored_tip(tmp_path) == chain.bank.open.slot - 1, "a block is missing in the file"


def test_a_block_removed_before_its_confirmation_is_never_confirmed(tmp_path: Path) -> None:
    chain = Chain(SimnetConfig(state_dir=tmp_path, slot_ms=1_000, confirm_ms=4_000, market=False))
    confirmed: list[int] = []
    chain.bank.on_confirmed.append(lambda block: confirmed.append(block.slot))

    async def make(blocks: int) -> None:
        for _ in range(blocks):
            chain._seal()
            await chain._try_to_write()

    first = chain.bank.open.slot
    asyncio.run(make(6))
    assert confirmed == [first, first + 1]
    chain.fork(3)
    asyncio.run(make(6))
    chain.close()

    given_up = {first + 3, first + 4, first + 5, first + 6}
    assert not given_up & set(confirmed)
    assert confirmed == sorted(confirmed)
    assert confirmed[2] == first + 2


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"confirm_ms": 30_001}, "blockhashes would be too old"),
        ({"spread_bps": {"raydium": 10}, "market": False}, "needs the market"),
        ({"spread_bps": {"raydium": 51}}, "less than or equal to 50"),
    ],
)
def test_unusable_settings_of_a_chain_are_refused(tmp_path: Path, wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        SimnetConfig.model_validate({"state_dir": tmp_path, **wrong})


def restored_tip(state_dir: Path) -> int:
    ledger = Ledger(state_dir / "ledger.sqlite")
    restored = ledger.restore(10)
    ledger.close()
    assert restored is not None
    return restored.tip.slot
