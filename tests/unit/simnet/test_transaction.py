"""Reading a transaction's bytes: what is well formed, what is not, and what may be written."""

import random

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.simnet.base58 import b58decode, b58encode
from orderd.simnet.errors import TransactionError
from orderd.simnet.transaction import decode
from orderd.solana.programs import compute_budget, memo, system, token
from tests.unit.simnet.world import ALICE, BOB, PAYER, ata, signed

HASH = Hash.new_unique()
TRANSFER = token.transfer(ata(ALICE), ata(BOB), ALICE.pubkey(), 5)
RAW = bytes(signed([*compute_budget.budget(5_000, 1_001), TRANSFER], [PAYER, ALICE], HASH))


@pytest.mark.parametrize("legacy", [False, True])
def test_reads_what_was_signed(legacy: bool) -> None:
    parsed = signed([*compute_budget.budget(5_000, 1_001), TRANSFER], [PAYER, ALICE], HASH, legacy=legacy)
    transaction = decode(bytes(parsed))

    assert transaction.version == ("legacy" if legacy else 0)
    assert transaction.signatures == tuple(parsed.signatures)
    assert transaction.payer == PAYER.pubkey()
    assert transaction.blockhash == HASH
    assert (transaction.unit_limit, transaction.unit_price) == (5_000, 1_001)
    assert transaction.fee == 2 * 5_000 + 6  # 5000 units x 1001 micro-lamports, rounded up
    written = {key for key, writable in zip(transaction.keys, transaction.writable, strict=True) if writable}
    assert written == {PAYER.pubkey(), ata(ALICE), ata(BOB)}


def test_without_a_budget_each_instruction_brings_its_default() -> None:
    transfer = system.transfer(PAYER.pubkey(), BOB.pubkey(), 1)

    assert decode(bytes(signed([TRANSFER, memo.memo("x"), transfer], [PAYER, ALICE], HASH))).unit_limit == 403_000


def test_programs_are_never_written() -> None:
    claim = Instruction(
        memo.PROGRAM_ID, b"x", [AccountMeta(each, False, True) for each in (token.PROGRAM_ID, memo.PROGRAM_ID)]
    )

    assert sum(decode(bytes(signed([claim], [PAYER], HASH))).writable) == 1


@pytest.mark.parametrize("length", range(len(RAW)))
def test_bytes_that_are_cut_off_are_no_transaction(length: int) -> None:
    with pytest.raises((ValueError, TransactionError)):
        decode(RAW[:length])


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(ValueError, match="follow its end"):
        decode(RAW + b"\x00")


def test_more_than_a_packet_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        decode(bytes(signed([memo.memo("x" * 1_233)], [PAYER], HASH)))


def test_damaged_bytes_are_refused_or_read_but_never_break_the_reader() -> None:
    chance = random.Random(7)
    for _ in range(5_000):
        damaged = bytearray(RAW)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            transaction = decode(bytes(damaged))
        except (ValueError, TransactionError):
            continue
        assert transaction.raw == bytes(damaged)


def test_random_bytes_never_break_the_reader() -> None:
    chance = random.Random(8)
    for _ in range(5_000):
        with pytest.raises((ValueError, TransactionError)):
            decode(chance.randbytes(chance.randint(0, 300)))


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0abc", b"hello", bytes(range(256)), b"\xff" * 64])
def test_base58_is_its_own_inverse(data: bytes) -> None:
    assert b58decode(b58encode(data)) == data


def test_base58_is_what_addresses_are_written_in() -> None:
    key = Pubkey.new_unique()

    assert b58encode(bytes(key)) == str(key)
    with pytest.raises(ValueError, match="no base58"):
        b58decode("0OIl")


def test_another_message_under_the_same_signature_is_another_transaction() -> None:
    one, two = (signed([memo.memo(text)], [PAYER], Hash.default()) for text in ("one", "two"))
    forged = VersionedTransaction.populate(two.message, one.signatures)

    genuine, copy = decode(bytes(one)), decode(bytes(forged))

    assert copy.signature == genuine.signature
    assert copy.instructions != genuine.instructions
    genuine.verify()
    with pytest.raises(TransactionError, match="verification"):
        copy.verify()
