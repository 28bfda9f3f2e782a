"""What was simulated is what is signed, but for the compute units: to the byte what compiling it again would make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from orderd.solana.keys import Wallet
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from orderd.solana.transaction import attempt_instructions, draft, sign, sign_draft

_WALLET = Wallet(Keypair.from_seed(bytes(32)))
_BLOCKHASH = Hash(bytes(range(32)))
_PEOPLE = [Keypair.from_seed(bytes([each] * 32)).pubkey() for each in range(1, 9)]
_TRANSFERS = [transfer(TransferParams(from_pubkey=_WALLET.address, to_pubkey=each, lamports=1)) for each in _PEOPLE]


@given(
    units=st.integers(1, MAX_COMPUTE_UNITS),
    price=st.integers(0, 2**64 - 1),
    memo=st.text("0123456789abcdef-:", min_size=1, max_size=120),
    transfers=st.integers(0, len(_TRANSFERS)),
)
def test_it_is_as_if_it_were_compiled_with_these_units(units: int, price: int, memo: str, transfers: int) -> None:
    def attempt(units: int) -> list[Instruction]:
        return attempt_instructions(memo, _TRANSFERS[:transfers], units=units, micro_lamports_per_unit=price)

    tried = draft(attempt(MAX_COMPUTE_UNITS), _WALLET.address, _BLOCKHASH)
    assert sign_draft(tried, _WALLET, units) == sign(attempt(units), _WALLET, _BLOCKHASH)


def test_what_does_not_begin_with_its_compute_units_is_not_signed() -> None:
    other = draft(_TRANSFERS[:1], _WALLET.address, _BLOCKHASH)
    with pytest.raises(ValueError, match="compute units"):
        sign_draft(other, _WALLET, 1)


def test_a_draft_that_names_accounts_by_a_table_is_shorter_and_signed_alike() -> None:
    table = AddressLookupTableAccount(Pubkey.from_bytes(bytes([39] * 32)), _PEOPLE)
    instructions = attempt_instructions("1-2", _TRANSFERS, units=1_000, micro_lamports_per_unit=7)
    plain = draft(instructions, _WALLET.address, _BLOCKHASH)
    short = draft(instructions, _WALLET.address, _BLOCKHASH, [table])
    assert len(plain) - len(short) == 31 * len(_PEOPLE) - 34
    transaction = VersionedTransaction.from_bytes(sign_draft(short, _WALLET, 5_000).raw)
    transaction.verify_and_hash_message()
    assert isinstance(transaction.message, MessageV0)
    (lookup,) = transaction.message.address_table_lookups
    assert (lookup.account_key, sorted(lookup.writable_indexes)) == (table.key, list(range(len(_PEOPLE))))
