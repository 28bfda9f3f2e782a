"""Transactions with lookup tables: how a node resolves them, and the space they save."""

import pytest
from solders.address_lookup_table_account import AddressLookupTable, AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.domain.pool_kind import VenueName
from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4
from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.errors import TransactionError
from orderd.simnet.genesis.lookup_tables import accounts, read, table_of, tables
from orderd.simnet.record import account_keys, transaction_meta, ui_transaction
from orderd.simnet.transaction import MAX_SIZE, decode
from orderd.solana.programs import memo
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import Clmm, Cpmm, Dlmm

TABLES = [AddressLookupTableAccount(table, list(addresses)) for table, addresses in tables().items()]
SOL = 10**9


def test_a_table_has_the_programs_layout() -> None:
    for table, account in accounts().items():
        held = AddressLookupTable.deserialize(account.data)
        assert tuple(held.addresses) == tables()[table]
        assert held.meta.deactivation_slot == 2**64 - 1


def signed(chain: LocalChain, instructions: list[Instruction]) -> bytes:
    message = MessageV0.try_compile(chain.trader.pubkey(), instructions, TABLES, chain.bank.open.parent)
    return bytes(VersionedTransaction(message, [chain.trader]))


def test_swaps_in_three_pools_fit_into_one_transaction_with_tables(chain: LocalChain) -> None:
    pools = (Cpmm(chain, SOL_USDC_CPMM), Clmm(chain, SOL_USDC_CLMM_4BPS), Dlmm(chain, SOL_USDC_BS4))
    expected = sum(pool.quote(SOL, forward=True).amount_out for pool in pools)
    swaps = [pool.swap(SOL, 1, forward=True) for pool in pools]
    with pytest.raises(ValueError, match="too large"):
        chain.transaction(swaps)
    raw = signed(chain, swaps)
    assert len(raw) < MAX_SIZE
    usdc = chain.held(pools[0].mints(forward=True)[1])
    before = chain.amount(usdc)

    transaction = read(raw)
    outcome = chain.bank.process(transaction)

    assert outcome.error is None
    assert chain.amount(usdc) - before == expected
    meta = transaction_meta(transaction, outcome, chain.bank.accounts.get)
    message = ui_transaction(transaction, "json")["message"]
    assert len(message["accountKeys"]) == len(transaction.static_keys) < len(transaction.keys)
    assert [*message["accountKeys"], *meta["loadedAddresses"]["writable"], *meta["loadedAddresses"]["readonly"]] == [
        str(key) for key in transaction.keys
    ]
    assert {each["accountKey"] for each in message["addressTableLookups"]} == set(map(str, tables()))
    assert {each["source"] for each in account_keys(transaction)} == {"transaction", "lookupTable"}


def test_a_missing_table_and_an_invalid_index_are_refused(chain: LocalChain) -> None:
    named = tables()[table_of(VenueName.RAYDIUM)][-1]
    use = Instruction(memo.PROGRAM_ID, b"", [AccountMeta(named, is_signer=False, is_writable=True)])
    raw = signed(chain, [use])
    with pytest.raises(TransactionError, match="doesn't exist"):
        decode(raw)
    with pytest.raises(TransactionError, match="invalid index"):
        decode(raw, {table_of(VenueName.RAYDIUM): [named]})
    assert read(raw).loaded.writable == (named,)


def test_a_duplicate_key_is_refused(chain: LocalChain) -> None:
    other = Pubkey.from_bytes(bytes([7] * 32))
    payer = chain.trader.pubkey()
    table = AddressLookupTableAccount(other, [Pubkey.from_bytes(bytes([8] * 32))])
    use = Instruction(memo.PROGRAM_ID, b"", [AccountMeta(table.addresses[0], is_signer=False, is_writable=False)])
    message = MessageV0.try_compile(payer, [use], [table], Hash.default())
    raw = bytes(VersionedTransaction(message, [chain.trader]))
    with pytest.raises(TransactionError, match="Account loaded twice"):
        decode(raw, {other: [payer]})
