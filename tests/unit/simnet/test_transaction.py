"""Parsing a transaction's bytes: valid and invalid ones, and which accounts may be written."""

import random
from contextlib import nullcontext

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import TransactionConfig
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.simnet.base58 import b58decode, b58encode
from orderd.simnet.errors import TransactionError
from orderd.simnet.transaction import MAX_SIZE, decode
from orderd.solana.programs import compute_budget, memo, system, token
from tests.unit.simnet.world import ALICE, BOB, PAYER, ata, by_simnet, signed, world

HASH = Hash.new_unique()
TRANSFER = token.transfer(ata(ALICE), ata(BOB), ALICE.pubkey(), 5)
RAW = bytes(signed([*compute_budget.budget(5_000, 1_001), TRANSFER], [PAYER, ALICE], HASH))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_signed_transaction_is_parsed(legacy: bool) -> None:
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


V1 = TransactionConfig(priority_fee=7, compute_unit_limit=5_000, loaded_accounts_data_size_limit=100_000)
RAW_V1 = bytes(signed([TRANSFER], [PAYER, ALICE], HASH, config=V1))


def test_the_config_of_version_1_is_parsed() -> None:
    transaction = decode(RAW_V1)

    assert transaction.version == 1
    assert transaction.raw.endswith(b"".join(map(bytes, transaction.signatures)))
    assert (transaction.payer, transaction.blockhash) == (PAYER.pubkey(), HASH)
    assert (transaction.unit_limit, transaction.loaded_limit) == (5_000, 100_000)
    assert transaction.fee == 2 * 5_000 + 7
    assert transaction.unit_price == 1_400
    written = {key for key, writable in zip(transaction.keys, transaction.writable, strict=True) if writable}
    assert written == {PAYER.pubkey(), ata(ALICE), ata(BOB)}
    transaction.verify()


def test_omitted_fields_of_a_config_are_zero_and_budget_instructions_are_ignored() -> None:
    raw = bytes(
        signed([*compute_budget.budget(5_000, 1_001), TRANSFER], [PAYER, ALICE], HASH, config=TransactionConfig())
    )
    transaction = decode(raw)
    assert (transaction.unit_limit, transaction.priority_fee, transaction.loaded_limit) == (0, 0, 0)


@pytest.mark.parametrize(
    ("heap", "is_sane"), [(32 * 1_024, True), (256 * 1_024, True), (257 * 1_024, False), (33_000, False)]
)
def test_the_heap_size_is_within_bounds_and_whole_kibibytes(heap: int, is_sane: bool) -> None:
    raw = bytes(signed([TRANSFER], [PAYER, ALICE], HASH, config=TransactionConfig(heap_size=heap)))
    with nullcontext() if is_sane else pytest.raises(TransactionError, match="sanitize"):
        decode(raw)


def test_version_1_fits_4096_bytes_and_64_accounts() -> None:
    assert len(decode(bytes(signed([memo.memo("x" * 3_900)], [PAYER], HASH, config=V1))).raw) > MAX_SIZE
    with pytest.raises(ValueError, match="too large"):
        decode(bytes(signed([memo.memo("x" * 4_000)], [PAYER], HASH, config=V1)))
    many = [AccountMeta(Pubkey.from_bytes(bytes([7, each] * 16)), False, False) for each in range(63)]
    assert (
        len(decode(bytes(signed([Instruction(memo.PROGRAM_ID, b"", many[1:])], [PAYER], HASH, config=V1))).keys) == 64
    )
    with pytest.raises(TransactionError, match="sanitize"):
        decode(bytes(signed([Instruction(memo.PROGRAM_ID, b"", many)], [PAYER], HASH, config=V1)))


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (TransactionConfig(None, 5_000), "MaxLoadedAccountsDataSizeExceeded"),
        (TransactionConfig(None, 5_000, 64), "MaxLoadedAccountsDataSizeExceeded"),
        (TransactionConfig(None, None, 100_000), {"InstructionError": [0, "ComputationalBudgetExceeded"]}),
        (V1, None),
    ],
    ids=["no bytes", "few bytes", "no units", "enough"],
)
def test_the_limits_of_a_config_are_enforced(config: TransactionConfig, error: object) -> None:
    """Budget instructions are ignored in version 1 (SIMD-0385)."""
    budget = [Instruction(compute_budget.PROGRAM_ID, b"\x09", []), *compute_budget.budget(1, 1) * 2]
    transaction = signed([*budget, TRANSFER], [PAYER, ALICE], HASH, config=config)
    assert by_simnet(transaction, world()).error == error


def test_each_instruction_has_a_default_budget() -> None:
    transfer = system.transfer(PAYER.pubkey(), BOB.pubkey(), 1)

    assert decode(bytes(signed([TRANSFER, memo.memo("x"), transfer], [PAYER, ALICE], HASH))).unit_limit == 403_000


def test_programs_are_never_written() -> None:
    claim = Instruction(
        memo.PROGRAM_ID, b"x", [AccountMeta(each, False, True) for each in (token.PROGRAM_ID, memo.PROGRAM_ID)]
    )

    assert sum(decode(bytes(signed([claim], [PAYER], HASH))).writable) == 1


@pytest.mark.parametrize(
    "cut", [raw[:length] for raw in (RAW, RAW_V1) for length in range(len(raw))], ids=lambda cut: str(len(cut))
)
def test_truncated_bytes_are_not_a_transaction(cut: bytes) -> None:
    with pytest.raises((ValueError, TransactionError)):
        decode(cut)


@pytest.mark.parametrize("raw", [RAW, RAW_V1], ids=["0", "1"])
def test_bytes_after_the_end_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="follow its end"):
        decode(raw + b"\x00")


def test_a_transaction_larger_than_a_packet_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        decode(bytes(signed([memo.memo("x" * 1_233)], [PAYER], HASH)))


@pytest.mark.parametrize("raw", [RAW, RAW_V1], ids=["0", "1"])
def test_damaged_bytes_never_raise_an_unforeseen_exception(raw: bytes) -> None:
    chance = random.Random(7)
    for _ in range(5_000):
        damaged = bytearray(raw)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            transaction = decode(bytes(damaged))
        except (ValueError, TransactionError):
            continue
        assert transaction.raw == bytes(damaged)


def test_random_bytes_never_raise_an_unforeseen_exception() -> None:
    chance = random.Random(8)
    for _ in range(5_000):
        with pytest.raises((ValueError, TransactionError)):
            decode(chance.randbytes(chance.randint(0, 300)))


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0abc", b"hello", bytes(range(256)), b"\xff" * 64])
def test_base58_is_its_own_inverse(data: bytes) -> None:
    assert b58decode(b58encode(data)) == data


def test_base58_matches_the_addresses_of_solders() -> None:
    key = Pubkey.new_unique()

    assert b58encode(bytes(key)) == str(key)
    with pytest.raises(ValueError, match="not a base58"):
        b58decode("0OIl")


def test_another_message_with_the_same_signature_is_another_transaction() -> None:
    one, two = (signed([memo.memo(text)], [PAYER], Hash.default()) for text in ("one", "two"))
    forged = VersionedTransaction.populate(two.message, one.signatures)

    genuine, copy = decode(bytes(one)), decode(bytes(forged))

    assert copy.signature == genuine.signature
    assert copy.instructions != genuine.instructions
    genuine.verify()
    with pytest.raises(TransactionError, match="verification"):
        copy.verify()
