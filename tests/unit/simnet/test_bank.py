"""The bank: which transactions a block accepts, and what a view of an earlier slot shows."""

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from orderd.simnet.actors import IDENTITY
from orderd.simnet.bank import HISTORY, MAX_BLOCKHASH_AGE, Commitment
from orderd.simnet.errors import TransactionError
from orderd.simnet.transaction import decode
from orderd.solana.programs import system
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.world import NOBODY, SOL

SHOP = Pubkey.from_bytes(bytes([7] * 32))


def pay(chain: LocalChain, lamports: int = SOL, to: Pubkey = SHOP) -> None:
    assert chain.send(system.transfer(chain.trader.pubkey(), to, lamports)).error is None


def balance(chain: LocalChain, slot: int) -> int:
    account = chain.bank.view(slot).account(SHOP)
    return 0 if account is None else account.lamports


def test_a_transaction_is_processed_at_once_and_confirmed_with_its_block(chain: LocalChain) -> None:
    pay(chain)
    slot = chain.bank.open.slot
    assert chain.bank.levels().commitment(slot) is Commitment.PROCESSED

    sealed = chain.bank.seal()
    assert chain.bank.levels().commitment(slot) is Commitment.PROCESSED

    chain.bank.confirm(sealed)
    assert chain.bank.levels().commitment(slot) is Commitment.CONFIRMED

    chain.seal(32)
    assert chain.bank.levels().commitment(slot) is Commitment.FINALIZED


def test_a_transaction_is_processed_once(chain: LocalChain) -> None:
    transaction = chain.transaction([system.transfer(chain.trader.pubkey(), SHOP, SOL)])
    chain.bank.process(transaction)

    for _ in range(MAX_BLOCKHASH_AGE - 1):
        chain.seal()
        with pytest.raises(TransactionError, match="already been processed"):
            chain.bank.process(transaction)
    assert balance(chain, chain.bank.open.slot) == SOL


def test_a_failed_transaction_is_processed_once(chain: LocalChain) -> None:
    transaction = chain.transaction([system.transfer(chain.trader.pubkey(), SHOP, 10**18)])
    assert chain.bank.process(transaction).error is not None

    with pytest.raises(TransactionError, match="already been processed"):
        chain.bank.process(transaction)


def test_a_blockhash_is_valid_for_150_blocks(chain: LocalChain) -> None:
    in_time, too_late = (chain.transaction([system.transfer(chain.trader.pubkey(), SHOP, SOL)]) for _ in range(2))
    made = chain.bank.view(chain.bank.open.slot).blockhash_height
    chain.seal(MAX_BLOCKHASH_AGE - 1)

    assert chain.bank.open.height == made + MAX_BLOCKHASH_AGE
    assert chain.bank.process(in_time).error is None

    chain.seal()
    with pytest.raises(TransactionError, match="Blockhash not found"):
        chain.bank.process(too_late)


def test_an_unknown_blockhash_is_refused(chain: LocalChain) -> None:
    transaction = LocalChain().transaction([system.transfer(chain.trader.pubkey(), SHOP, SOL)])
    chain.bank._heights.clear()

    with pytest.raises(TransactionError, match="Blockhash not found"):
        chain.bank.process(transaction)


def test_a_forged_signature_is_detected(chain: LocalChain) -> None:
    transaction = chain.transaction([system.transfer(chain.trader.pubkey(), SHOP, SOL)])
    other = chain.transaction([system.transfer(chain.trader.pubkey(), SHOP, 2 * SOL)])
    forged = type(other.parsed).populate(other.parsed.message, list(transaction.signatures))

    transaction.verify()
    with pytest.raises(TransactionError, match="signature verification"):
        decode(bytes(forged)).verify()


def test_each_view_shows_its_own_slot(chain: LocalChain) -> None:
    slots = []
    for _ in range(5):
        pay(chain)
        slots.append(chain.bank.open.slot)
        chain.seal()
    pay(chain)

    assert [balance(chain, slot) for slot in slots] == [SOL * count for count in range(1, 6)]
    assert balance(chain, chain.bank.open.slot) == 6 * SOL
    assert balance(chain, slots[0] - 1) == 0


def test_a_view_shows_an_account_that_was_closed_later(chain: LocalChain) -> None:
    poor = Keypair.from_seed(bytes([3] * 32))
    pay(chain, to=poor.pubkey())
    before = chain.bank.open.slot
    chain.seal()
    chain.bank.process(chain.transaction([system.transfer(poor.pubkey(), SHOP, SOL)], chain.trader, poor))
    view = chain.bank.view(before)

    assert chain.bank.accounts.get(poor.pubkey()) is None
    gone = view.account(poor.pubkey())
    assert gone is not None
    assert gone.lamports == SOL
    assert poor.pubkey() in dict(view.owned_by(system.PROGRAM_ID))
    assert poor.pubkey() not in dict(chain.bank.view(chain.bank.open.slot).owned_by(system.PROGRAM_ID))


def test_a_lagging_node_is_behind_in_every_answer(chain: LocalChain) -> None:
    chain.seal(50)
    now, behind = chain.bank.levels(), chain.bank.levels(lag=7)

    assert behind.processed == now.processed - 7
    assert behind.confirmed == behind.processed - 1
    assert behind.finalized == behind.confirmed - 32


def test_no_node_lags_behind_the_start(chain: LocalChain) -> None:
    start = chain.bank.open.slot - 1
    chain.seal(2)

    assert chain.bank.levels(lag=100) == (start, start, start)


def test_fees_go_to_the_validator_and_no_lamport_is_lost(chain: LocalChain) -> None:
    supply = chain.lamports()
    collected = chain.account(IDENTITY.pubkey()).lamports
    pay(chain)
    pay(chain)
    assert chain.lamports() == supply - 10_000

    chain.seal()

    assert chain.lamports() == supply
    assert chain.account(IDENTITY.pubkey()).lamports == collected + 10_000


def test_time_never_goes_back(chain: LocalChain) -> None:
    chain.now += 10
    chain.seal()
    later = chain.bank.open.time
    chain.now -= 100
    chain.seal()

    assert chain.bank.open.time == later


def test_old_state_is_dropped(chain: LocalChain) -> None:
    transaction = chain.transaction([system.transfer(chain.trader.pubkey(), SHOP, SOL)])
    chain.bank.process(transaction)
    chain.seal(HISTORY + 5)

    assert transaction.signature not in chain.bank.statuses
    assert len(chain.bank.recent_blocks(10 * HISTORY)) == HISTORY
    with pytest.raises(TransactionError, match="Blockhash not found"):
        chain.bank.process(transaction)


def test_a_refused_transaction_leaves_no_trace(chain: LocalChain) -> None:
    before = dict(chain.bank.accounts)
    transaction = chain.transaction([system.transfer(NOBODY.pubkey(), SHOP, 5)], NOBODY)

    with pytest.raises(TransactionError, match="no record of a prior credit"):
        chain.bank.process(transaction)

    assert chain.bank.accounts == before
    assert transaction.signature not in chain.bank.statuses
    assert chain.bank.open.executed == []


def test_a_view_does_not_change_while_it_is_held(chain: LocalChain) -> None:
    pay(chain)
    view = chain.bank.view(chain.bank.open.slot)
    seen = []
    for _ in range(3):
        account = view.account(SHOP)
        seen.append(account and account.lamports)
        chain.seal()
        pay(chain)

    assert seen == [SOL, SOL, SOL]
    assert balance(chain, chain.bank.open.slot) == 4 * SOL
