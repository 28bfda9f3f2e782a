"""Transactions of version 1 are the bytes that SIMD-0385 describes, written here after its tables, field by field.

Source: solana-foundation/solana-improvement-documents, ``proposals/0385-transaction-v1.md``.
"""

import struct
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from orderd.solana.attempt import budget_config, draft_attempt
from orderd.solana.keys import Wallet
from orderd.solana.programs import memo, system
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS, priority_fee
from orderd.solana.transaction import TransactionVersion, decode, sign, unsigned, version_of

KEYPAIR = Keypair.from_seed(b"\x11" * 32)
WALLET = Wallet(KEYPAIR)
OWNER = WALLET.address
BLOCKHASH = Hash(bytes(range(32)))
PROGRAM = Pubkey.from_bytes(b"\x70" * 32)
WRITTEN = [Pubkey.from_bytes(bytes([each] * 32)) for each in range(1, 20)]
READ = [Pubkey.from_bytes(bytes([each] * 32)) for each in range(40, 60)]


def by_the_specification(written: int, read: int, datas: Sequence[bytes], units: int, price: int) -> bytes:
    """The bytes of a message with instructions for one program, by the specification.

    The wallet signs; then follow the written accounts and the read ones, the program last.
    """
    addresses = [OWNER, *WRITTEN[:written], *READ[:read], PROGRAM]
    indexes = bytes(range(1 + written + read))
    return b"".join(
        [
            struct.pack("<B", 129),  # VersionByte
            struct.pack("<BBB", 1, 0, read + 1),  # LegacyHeader
            struct.pack("<I", 0b1111),  # TransactionConfigMask: fee in bits 0 and 1, units in 2, bytes of accounts in 3
            bytes(BLOCKHASH),  # LifetimeSpecifier
            struct.pack("<BB", len(datas), len(addresses)),  # NumInstructions, NumAddresses
            *map(bytes, addresses),
            struct.pack("<QII", priority_fee(units, price), units, 64 * 1024 * 1024),  # ConfigValues
            *(struct.pack("<BBH", len(addresses) - 1, len(indexes), len(data)) for data in datas),  # InstructionHeaders
            *(indexes + data for data in datas),  # InstructionPayloads
        ]
    )


@given(
    written=st.integers(0, len(WRITTEN)),
    read=st.integers(0, len(READ)),
    datas=st.lists(st.binary(max_size=300), min_size=1, max_size=6),
    units=st.integers(1, MAX_COMPUTE_UNITS),
    price=st.integers(0, 10**9),
)
@example(written=0, read=0, datas=[b""], units=1, price=0)
@example(written=1, read=1, datas=[b"\x01" * 256, b""], units=200_000, price=1)
def test_a_signed_transaction_matches_the_specification(
    written: int, read: int, datas: list[bytes], units: int, price: int
) -> None:
    metas = [AccountMeta(OWNER, True, True)]
    metas += [AccountMeta(key, False, True) for key in WRITTEN[:written]]
    metas += [AccountMeta(key, False, False) for key in READ[:read]]
    signed = sign(
        [Instruction(PROGRAM, data, metas) for data in datas], WALLET, BLOCKHASH, config=budget_config(units, price)
    )
    message = by_the_specification(written, read, datas, units, price)
    assert signed.raw == message + bytes(KEYPAIR.sign_message(message)), (
        "the signature is last and covers all preceding bytes"
    )
    assert version_of(signed.raw) == TransactionVersion.V1
    transaction = decode(signed.raw)
    assert [bytes(each) for each in transaction.signatures] == [signed.raw[-64:]] == [bytes(signed.signature)]
    assert unsigned(signed.raw) == message + bytes(64)


def test_the_runtime_of_a_validator_executes_version_1() -> None:
    svm, to = LiteSVM(), WRITTEN[0]
    svm.airdrop(OWNER, 10**9)
    pay = [system.transfer(OWNER, to, 10**6), memo.memo("x" * 2_000)]
    tried = draft_attempt("1-2", pay, OWNER, svm.latest_blockhash(), unit_price=7, version=TransactionVersion.V1)
    signed = tried.sign(WALLET, 100_000)
    assert len(signed.raw) > 2_000
    result = svm.send_transaction(VersionedTransaction.from_bytes(signed.raw))
    assert isinstance(result, TransactionMetadata), result
    assert result.signature() == signed.signature
    assert any("1-2" in line for line in result.logs())
    assert svm.get_balance(to) == 10**6


def test_all_signatures_of_several_signers_are_cleared() -> None:
    """For transactions signed by others: the first byte of the header is the number of signatures."""
    message = by_the_specification(0, 0, [b""], 1, 1)
    whole = message[:1] + b"\x02" + message[2:] + bytes([7] * 128)
    assert unsigned(whole) == whole[:-128] + bytes(128)
