"""The ledger: blocks whole or not at all, signatures once, what is ephemeral forgotten."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderd.simnet.account import Account
from orderd.simnet.block import Executed, SealedBlock
from orderd.simnet.ledger import Ledger, Row
from orderd.solana.programs import system
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.world import NOBODY, SOL


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def genesis(chain: LocalChain) -> SealedBlock:
    block = chain.bank.block(chain.bank.open.slot - 1)
    assert block is not None
    block.changed = dict(chain.bank.accounts)
    return block


def row(executed: Executed, *, ephemeral: bool = False) -> Row:
    return Row(executed.transaction.signature, b"null", b"{}", executed.transaction.raw, ephemeral)


def block_with_payment(chain: LocalChain) -> tuple[SealedBlock, Executed]:
    chain.send(system.transfer(chain.trader.pubkey(), NOBODY.pubkey(), SOL))
    (executed,) = chain.bank.open.executed
    return chain.bank.seal(), executed


def test_what_was_appended_is_restored(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    block, executed = block_with_payment(chain)
    ledger.append(block, [row(executed)])

    restored = ledger.restore(history=100)

    assert restored is not None
    assert restored.accounts == chain.bank.accounts
    assert (restored.tip.slot, restored.tip.blockhash) == (block.slot, block.blockhash)
    assert restored.blockhashes == {block.parent: block.height - 1, block.blockhash: block.height}
    assert restored.statuses == {executed.transaction.signature: (block.slot, None)}
    assert ledger.status(executed.transaction.signature) == (block.slot, None)
    stored = ledger.transaction(executed.transaction.signature)
    assert stored == (block.slot, block.time, executed.transaction.raw, b"{}")


def test_an_empty_file_has_nothing_to_restore(ledger: Ledger) -> None:
    assert ledger.restore(history=100) is None


def test_a_signature_is_never_written_twice_and_its_block_not_at_all(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    block, executed = block_with_payment(chain)
    ledger.append(block, [row(executed)])
    chain.bank.open.before[NOBODY.pubkey()] = None
    second = chain.bank.seal()
    second.changed[NOBODY.pubkey()] = Account(5, system.PROGRAM_ID)

    with pytest.raises(sqlite3.IntegrityError):
        ledger.append(second, [row(executed)])

    restored = ledger.restore(history=100)
    assert restored is not None
    assert restored.tip.slot == block.slot
    assert restored.accounts[NOBODY.pubkey()].lamports == SOL
    ledger.append(second, ())


def test_an_account_that_is_gone_is_gone_from_the_file(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    block, executed = block_with_payment(chain)
    ledger.append(block, [row(executed)])
    block.slot, block.height = block.slot + 1, block.height + 1
    block.changed = {NOBODY.pubkey(): None}
    ledger.append(block, ())

    restored = ledger.restore(history=100)

    assert restored is not None
    assert NOBODY.pubkey() not in restored.accounts


def test_the_market_s_trades_are_forgotten_and_all_others_kept(chain: LocalChain, ledger: Ledger) -> None:
    start = genesis(chain)
    ledger.append(start, ())
    first = chain.bank.open.slot
    kept: list[tuple[SealedBlock, Executed]] = []
    forgotten: list[tuple[SealedBlock, Executed]] = []
    for number in range(6):
        block, executed = block_with_payment(chain)
        ephemeral = number % 2 == 0
        (forgotten if ephemeral else kept).append((block, executed))
        ledger.append(block, [row(executed, ephemeral=ephemeral)])

    ledger.prune(first + 4)

    assert all(ledger.status(executed.transaction.signature) for _, executed in kept)
    old = [(block, executed) for block, executed in forgotten if block.slot < first + 4]
    assert len(old) == 2
    for block, executed in old:
        assert ledger.status(executed.transaction.signature) is None
        assert ledger.block_time(block.slot) is None
    block, executed = forgotten[-1]
    assert ledger.status(executed.transaction.signature) is not None
    assert ledger.genesis_hash() == start.blockhash
