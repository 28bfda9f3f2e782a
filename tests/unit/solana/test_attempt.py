"""The signed transaction equals the simulated one except for the compute units, byte for byte as if compiled again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.attempt import AttemptDraft, attempt_instructions, budget_config, draft_attempt, sign_draft
from orderd.solana.keys import Wallet
from orderd.solana.programs import memo
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS, priority_fee
from orderd.solana.transaction import MAX_SIZE, TransactionVersion, draft, sign

_WALLET = Wallet(Keypair.from_seed(bytes(32)))
_BLOCKHASH = Hash(bytes(range(32)))
_PEOPLE = [Keypair.from_seed(bytes([each] * 32)).pubkey() for each in range(1, 9)]
_TRANSFERS = [transfer(TransferParams(from_pubkey=_WALLET.address, to_pubkey=each, lamports=1)) for each in _PEOPLE]
_MOST_PRICE = 2**64 * 1_000_000 // MAX_COMPUTE_UNITS - 1
"""The fee of version 1 is lamports in 64 bits."""

_units = st.integers(1, MAX_COMPUTE_UNITS)
_memos = st.text("0123456789abcdef-:", min_size=1, max_size=120)
_transfers = st.integers(0, len(_TRANSFERS))


def drafted(
    version: TransactionVersion, *instructions: Instruction, price: int = 7, attempt_id: str = "1-2"
) -> AttemptDraft:
    return draft_attempt(attempt_id, instructions, _WALLET.address, _BLOCKHASH, unit_price=price, version=version)


@given(units=_units, price=st.integers(0, 2**64 - 1), attempt_id=_memos, transfers=_transfers)
def test_a_version_0_attempt_equals_one_compiled_with_its_units(
    units: int, price: int, attempt_id: str, transfers: int
) -> None:
    tried = drafted(TransactionVersion.V0, *_TRANSFERS[:transfers], price=price, attempt_id=attempt_id)
    anew = attempt_instructions(attempt_id, _TRANSFERS[:transfers], units=units, micro_lamports_per_unit=price)
    assert tried.sign(_WALLET, units) == sign(anew, _WALLET, _BLOCKHASH)


@given(units=_units, price=st.integers(0, _MOST_PRICE), attempt_id=_memos, transfers=_transfers)
def test_a_version_1_attempt_equals_one_compiled_with_its_budget(
    units: int, price: int, attempt_id: str, transfers: int
) -> None:
    tried = drafted(TransactionVersion.V1, *_TRANSFERS[:transfers], price=price, attempt_id=attempt_id)
    anew = [memo.memo(attempt_id), *_TRANSFERS[:transfers]]
    assert [*tried.instructions] == anew, "the budget must not be an instruction"
    signed = tried.sign(_WALLET, units)
    assert signed == sign(anew, _WALLET, _BLOCKHASH, config=budget_config(units, price))
    transaction = VersionedTransaction.from_bytes(signed.raw)
    transaction.verify_and_hash_message()
    assert isinstance(transaction.message, MessageV1)
    assert transaction.message.config.priority_fee == priority_fee(units, price), "in lamports, for all of it"
    assert transaction.message.config.compute_unit_limit == units


def test_a_draft_without_compute_units_is_not_signed() -> None:
    other = draft(_TRANSFERS[:1], _WALLET.address, _BLOCKHASH)
    with pytest.raises(ValueError, match="compute units"):
        sign_draft(other, _WALLET, 1, 1)


def test_a_version_1_draft_without_fee_and_units_is_not_signed() -> None:
    config = budget_config(1, 1)
    whole = draft(_TRANSFERS[:1], _WALLET.address, _BLOCKHASH, config=config)
    other = whole[:4] + bytes([0b1100]) + whole[5:]
    with pytest.raises(ValueError, match="config"):
        sign_draft(other, _WALLET, 1, 1)


def test_a_draft_with_a_lookup_table_is_shorter_and_signed_like_others() -> None:
    table = AddressLookupTableAccount(Pubkey.from_bytes(bytes([39] * 32)), _PEOPLE)
    instructions = attempt_instructions("1-2", _TRANSFERS, units=1_000, micro_lamports_per_unit=7)
    plain = draft(instructions, _WALLET.address, _BLOCKHASH)
    short = draft(instructions, _WALLET.address, _BLOCKHASH, [table])
    assert len(plain) - len(short) == 31 * len(_PEOPLE) - 34
    transaction = VersionedTransaction.from_bytes(sign_draft(short, _WALLET, 5_000, 7).raw)
    transaction.verify_and_hash_message()
    assert isinstance(transaction.message, MessageV0)
    (lookup,) = transaction.message.address_table_lookups
    assert (lookup.account_key, sorted(lookup.writable_indexes)) == (table.key, list(range(len(_PEOPLE))))


def naming(accounts: int, data: int = 0) -> Instruction:
    """An instruction with this many accounts besides the wallet, its program and the memo program."""
    metas = [AccountMeta(Keypair.from_seed(bytes([2, each] * 16)).pubkey(), False, True) for each in range(accounts)]
    return Instruction(_PEOPLE[0], bytes(data), metas)


def test_version_1_fits_more_than_version_0() -> None:
    large = naming(61)
    with pytest.raises(OrderdError, match=f"{MAX_SIZE} are allowed") as refused:
        drafted(TransactionVersion.V0, large)
    assert refused.value.code is ErrorCode.TX_TOO_LARGE
    signed = drafted(TransactionVersion.V1, large).sign(_WALLET, 5_000)
    assert len(signed.raw) > MAX_SIZE
    VersionedTransaction.from_bytes(signed.raw).verify_and_hash_message()


@pytest.mark.parametrize(
    ("large", "detail"), [(naming(62), "65 accounts, 64 are allowed"), (naming(1, 4_000), "4096 are allowed")]
)
def test_version_1_has_its_own_limits(large: Instruction, detail: str) -> None:
    with pytest.raises(OrderdError, match=detail) as refused:
        drafted(TransactionVersion.V1, large)
    assert refused.value.code is ErrorCode.TX_TOO_LARGE


def test_the_number_of_accounts_is_limited_by_the_runtime() -> None:
    """This also applies to accounts in lookup tables, which take few bytes."""
    many = naming(62)
    table = AddressLookupTableAccount(Pubkey.from_bytes(bytes([39] * 32)), [meta.pubkey for meta in many.accounts])
    attempt = attempt_instructions("1-2", [many], units=1, micro_lamports_per_unit=0)
    with pytest.raises(OrderdError, match="66 accounts, 64 are allowed"):
        draft(attempt, _WALLET.address, _BLOCKHASH, [table])
