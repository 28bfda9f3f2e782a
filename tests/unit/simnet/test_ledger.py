"""The ledger writes blocks whole or not at all and signatures once, and drops ephemeral transactions."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.account import LedgerAccount
from orderd.simnet.block import Executed, SealedBlock
from orderd.simnet.ledger.file import SCHEMAS
from orderd.simnet.ledger.ledger import Ledger
from orderd.simnet.ledger.records import LedgerPlace, Row
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
    transaction = executed.transaction
    return Row(transaction.signature, b"null", b"{}", transaction.raw, transaction.keys, ephemeral)


def block_with_payment(chain: LocalChain) -> tuple[SealedBlock, Executed]:
    chain.send(system.transfer(chain.trader.pubkey(), NOBODY.pubkey(), SOL))
    (executed,) = chain.bank.open.executed
    return chain.bank.seal(), executed


def test_appended_blocks_are_restored(chain: LocalChain, ledger: Ledger) -> None:
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


def test_a_block_with_a_known_signature_is_not_written(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    block, executed = block_with_payment(chain)
    ledger.append(block, [row(executed)])
    chain.bank.open.before[NOBODY.pubkey()] = None
    second = chain.bank.seal()
    second.changed[NOBODY.pubkey()] = LedgerAccount(5, system.PROGRAM_ID)

    with pytest.raises(sqlite3.IntegrityError):
        ledger.append(second, [row(executed)])

    restored = ledger.restore(history=100)
    assert restored is not None
    assert restored.tip.slot == block.slot
    assert restored.accounts[NOBODY.pubkey()].lamports == SOL
    ledger.append(second, ())


def test_a_closed_account_is_removed_from_the_file(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    block, executed = block_with_payment(chain)
    ledger.append(block, [row(executed)])
    block.parent_slot, block.slot, block.height = block.slot, block.slot + 1, block.height + 1
    block.changed = {NOBODY.pubkey(): None}
    ledger.append(block, ())

    restored = ledger.restore(history=100)

    assert restored is not None
    assert NOBODY.pubkey() not in restored.accounts


def test_only_the_markets_trades_are_dropped(chain: LocalChain, ledger: Ledger) -> None:
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


# Cached newest transactions


def test_a_transaction_that_is_no_longer_cached_is_read_from_the_file(
    chain: LocalChain, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderd.simnet.ledger.ledger.KEEP_AT_HAND", 2)
    made = with_payments(chain, ledger, 4)

    assert len(ledger._recent) == 2
    for block, executed in made:
        transaction = executed.transaction
        assert ledger.transaction(transaction.signature) == (block.slot, block.time, transaction.raw, b"{}")


def test_a_transaction_of_an_abandoned_fork_is_not_returned(chain: LocalChain, ledger: Ledger) -> None:
    (_, kept), (_, left) = with_payments(chain, ledger, 2)
    chain.bank.fork(1)
    ledger.append(chain.bank.seal(), ())

    assert ledger.transaction(left.transaction.signature) is None
    assert ledger.transaction(kept.transaction.signature) is not None


def test_a_transaction_on_both_forks_is_returned_from_the_winning_one(chain: LocalChain, ledger: Ledger) -> None:
    ((lost, executed),) = with_payments(chain, ledger, 1)
    chain.bank.fork(1)
    chain.bank.process(executed.transaction)
    won = chain.bank.seal()
    ledger.append(won, [row(executed)._replace(meta=b'{"of": "the fork that won"}')])

    stored = ledger.transaction(executed.transaction.signature)

    assert lost.slot != won.slot
    assert stored == (won.slot, won.time, executed.transaction.raw, b'{"of": "the fork that won"}')


def test_a_dropped_transaction_is_not_cached(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    block, executed = block_with_payment(chain)
    ledger.append(block, [row(executed, ephemeral=True)])

    ledger.prune(block.slot + 1)

    assert ledger.transaction(executed.transaction.signature) is None


# Transactions by address


EVERYTHING = (LedgerPlace(2**62, 0), LedgerPlace(0, -1))


def named(
    ledger: Ledger, address: Pubkey, before: LedgerPlace = EVERYTHING[0], after: LedgerPlace = EVERYTHING[1]
) -> list[int]:
    """The slots of the transactions that mention an address."""
    return [each.slot for each in ledger.mentions(address, before, after)]


def with_payments(chain: LocalChain, ledger: Ledger, blocks: int) -> list[tuple[SealedBlock, Executed]]:
    """A ledger with one payment per block."""
    ledger.append(genesis(chain), ())
    made = []
    for _ in range(blocks):
        block, executed = block_with_payment(chain)
        ledger.append(block, [row(executed)])
        made.append((block, executed))
    return made


def test_transactions_are_found_by_each_of_their_keys_newest_first(chain: LocalChain, ledger: Ledger) -> None:
    made = with_payments(chain, ledger, 5)
    slots = [block.slot for block, _ in reversed(made)]

    for key in made[0][1].transaction.keys:
        assert named(ledger, key) == slots
    assert named(ledger, Keypair().pubkey()) == []
    newest = next(ledger.mentions(NOBODY.pubkey(), *EVERYTHING))
    block, executed = made[-1]
    assert newest == (executed.transaction.signature, block.slot, b"null", block.time, executed.transaction.raw)


def test_mentions_are_found_between_two_positions(chain: LocalChain, ledger: Ledger) -> None:
    made = with_payments(chain, ledger, 5)
    places = [ledger.place(executed.transaction.signature) for _, executed in made]
    first, last = places[0], places[-1]
    assert first is not None
    assert last is not None

    between = named(ledger, NOBODY.pubkey(), last, first)

    assert between == [block.slot for block, _ in reversed(made[1:-1])]
    assert ledger.place(Signature.default()) is None


def test_two_addresses_that_share_a_number_are_distinguished(chain: LocalChain, ledger: Ledger) -> None:
    with_payments(chain, ledger, 1)
    alike = Pubkey.from_bytes(bytes(NOBODY.pubkey())[:6] + bytes(26))

    assert named(ledger, NOBODY.pubkey()) != []
    assert named(ledger, alike) == []


def test_a_dropped_transaction_is_not_mentioned(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    made = []
    for number in range(4):
        block, executed = block_with_payment(chain)
        ledger.append(block, [row(executed, ephemeral=number % 2 == 0)])
        made.append(block.slot)

    ledger.prune(made[-1] + 1)

    assert named(ledger, NOBODY.pubkey()) == [made[3], made[1]]
    (mentions,) = ledger._reader.execute("SELECT count(*) FROM mentions").fetchone()
    assert mentions == 2 * len(executed.transaction.keys)


def test_a_file_of_the_previous_version_is_migrated(chain: LocalChain, ledger: Ledger, tmp_path: Path) -> None:
    made = with_payments(chain, ledger, 3)
    older = tmp_path / "older.sqlite"
    connection = sqlite3.connect(older)
    connection.executescript("".join(SCHEMAS[:2]))
    connection.execute("ATTACH ? AS newer", (str(tmp_path / "ledger.sqlite"),))
    connection.execute(
        "INSERT INTO blocks SELECT slot, height, blockhash, parent, time, transaction_count FROM newer.blocks"
    )
    connection.execute("INSERT INTO transactions SELECT * FROM newer.transactions")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()

    opened = Ledger(older)

    assert named(opened, NOBODY.pubkey()) == named(ledger, NOBODY.pubkey()) == [block.slot for block, _ in made][::-1]
    assert [opened.block(block.slot) for block, _ in made] == [ledger.block(block.slot) for block, _ in made]
    opened.close()
    again = Ledger(older)
    assert named(again, chain.trader.pubkey()) == named(ledger, chain.trader.pubkey())
    again.close()


def test_only_the_status_of_an_old_transaction_is_kept(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    paid = [block_with_payment(chain) for _ in range(3)]
    for block, executed in paid:
        ledger.append(block, [row(executed)])
    (_, first), (second, _), (_, last) = paid

    ledger.forget(second.slot)

    forgotten, kept = first.transaction.signature, last.transaction.signature
    assert (ledger.transaction(forgotten), ledger.block(second.slot - 1)) == (None, None)
    assert ledger.status(forgotten) == (second.slot - 1, None)
    stored = ledger.transaction(kept)
    assert stored is not None
    assert stored.raw == last.transaction.raw
    trader = chain.trader.pubkey()
    mentions = ledger.mentions(trader, before=LedgerPlace(1_000_000, 0), after=LedgerPlace(0, 0))
    assert [mention.slot for mention in mentions] == [block.slot for block, _ in reversed(paid[1:])]
    assert ledger.genesis_hash() == paid[0][0].parent
    ledger.forget(second.slot)
    assert slots_after_the_first(ledger) == [block.slot for block, _ in paid[1:]]


def test_a_pruned_chain_continues_and_processes_nothing_twice(chain: LocalChain, ledger: Ledger) -> None:
    ledger.append(genesis(chain), ())
    block, executed = block_with_payment(chain)
    ledger.append(block, [row(executed)])
    ledger.forget(block.slot + 1)
    later, _ = block_with_payment(chain)
    with pytest.raises(sqlite3.IntegrityError):
        ledger.append(later, [row(executed)])
    ledger.append(later, ())
    ledger.prune(later.slot + 1)
    assert ledger.status(executed.transaction.signature) == (block.slot, None)


def test_blocks_are_pruned_in_small_batches(chain: LocalChain, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderd.simnet.ledger.ledger.FORGOTTEN_AT_ONCE", 1)
    ledger.append(genesis(chain), ())
    slots = []
    for _ in range(3):
        block, _ = block_with_payment(chain)
        ledger.append(block, ())
        slots.append(block.slot)
    for left in (slots[1:], slots[2:], slots[2:]):
        ledger.forget(slots[2])
        assert slots_after_the_first(ledger) == left


def slots_after_the_first(ledger: Ledger) -> list[int]:
    return ledger.slots(0, 1_000_000)[1:]
